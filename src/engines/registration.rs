//! What an engine must be told: files, and settings in them.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// All that makes batten-runtime known to one engine.
#[derive(Debug, Default)]
pub struct Registration {
    /// The files, in the order in which they are written.
    pub files: Vec<Wanted>,
    /// What whoever registers it must know besides.
    pub notes: Vec<String>,
    /// How the engine takes notice, a command; none where it reads its files anew for each container.
    pub reload: Option<&'static str>,
}

/// One file of an engine's configuration.
#[derive(Debug)]
pub struct Wanted {
    /// Where, as the engine sees it.
    pub path: PathBuf,
    /// What must stand in it.
    pub content: Content,
}

/// What must stand in a file.
#[derive(Debug)]
pub enum Content {
    /// These settings, among whatever else is there.
    Settings {
        /// How they are written.
        format: Format,
        /// In order.
        settings: Vec<Setting>,
    },
    /// This text: the file is batten's alone.
    Whole(String),
}

/// How settings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// TOML 1.0, which containers.conf and crio.conf are as well.
    Toml,
    /// JSON.
    Json,
}

/// One value at one place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// The keys from the outermost table to the value.
    pub path: Vec<String>,
    /// The value.
    pub value: Value,
    /// Whether another value there means that the name belongs to somebody else.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exclusive: bool,
}

impl Setting {
    /// A value that takes the place of another.
    pub fn new<const N: usize>(path: [&str; N], value: impl Into<Value>) -> Self {
        Self { path: path.map(str::to_owned).to_vec(), value: value.into(), exclusive: false }
    }

    /// A value that must not take the place of another.
    pub fn exclusive<const N: usize>(path: [&str; N], value: impl Into<Value>, replace: bool) -> Self {
        Self { exclusive: !replace, ..Self::new(path, value) }
    }

    /// The place, for people: `runtimes.batten.path`.
    pub fn name(&self) -> String {
        self.path.join(".")
    }
}

/// The values that engines' settings about runtimes have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// true, false.
    Flag(bool),
    /// An integer.
    Number(i64),
    /// A string.
    Text(String),
    /// Strings.
    List(Vec<String>),
}

impl Value {
    /// The string, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The strings of a list; a single string is a list of one.
    pub fn texts(&self) -> &[String] {
        match self {
            Self::Text(text) => std::slice::from_ref(text),
            Self::List(list) => list,
            Self::Flag(_) | Self::Number(_) => &[],
        }
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::List(list) => write!(f, "{list:?}"),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<Vec<String>> for Value {
    fn from(list: Vec<String>) -> Self {
        Self::List(list)
    }
}
