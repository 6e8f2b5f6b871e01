//! Registering, and undoing it: first all that would change, then the changes.
//!
//! What is to be registered goes on top of the files as they would be without batten. So the last command decides, the
//! same command twice changes nothing, and undoing always has the text from before the first one.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use similar::TextDiff;

use super::record::{Left, Record, remove, write};
use super::{Content, Engine, EngineError, Format, Request, Setting, Site, Value, json_file, toml_file};

/// Files and what is in them; `None` for none.
type Texts = HashMap<PathBuf, Option<String>>;

/// One file that changes.
#[derive(Debug)]
pub struct Change {
    /// The file, as the engine sees it.
    pub path: PathBuf,
    /// Its text now; none where there is no file.
    pub before: Option<String>,
    /// Its text then; none where it goes.
    pub after: Option<String>,
}

impl Change {
    /// The change as a unified diff, which patch(1) takes.
    pub fn diff(&self) -> String {
        let path = self.path.display().to_string();
        let name = |text: &Option<String>| text.as_ref().map_or_else(|| "/dev/null".to_owned(), |_| path.clone());
        let (old, new) = (self.before.as_deref().unwrap_or_default(), self.after.as_deref().unwrap_or_default());
        TextDiff::from_lines(old, new)
            .unified_diff()
            .context_radius(3)
            .header(&name(&self.before), &name(&self.after))
            .to_string()
    }
}

/// All that would change, worked out and not done.
#[derive(Debug)]
pub struct Plan {
    /// The files that change.
    pub changes: Vec<Change>,
    /// What whoever runs it must know.
    pub notes: Vec<String>,
    /// How the engine takes notice.
    pub reload: Option<&'static str>,
    /// Whether something that was batten's stays, since somebody else has changed it.
    pub leaves_some: bool,
    /// Whether anything was registered before.
    pub was_registered: bool,
    engine: Engine,
    record: Record,
    last: Record,
}

/// Works out what registering changes.
///
/// # Errors
/// [`EngineError`] when the engine's files cannot be read or edited, or the request makes no sense for it.
pub fn install(engine: Engine, request: &Request, site: &Site) -> Result<Plan, EngineError> {
    check(request, site)?;
    let last = Record::load(site, engine)?;
    let (bare, _, _) = without(&last, site)?;
    let bare_site = site.clone().with_texts(bare.clone());
    let registration = engine.registration(request, &bare_site)?;
    let mut plan = Plan::new(engine, last, registration.notes);
    plan.reload = registration.reload;
    let mut wanted = bare;
    for file in registration.files {
        let before = bare_site.read(&file.path)?;
        let after = filled(&file.path, before.as_deref(), &file.content)?;
        if matches!(file.content, Content::Whole(_)) && before.as_ref().is_some_and(|before| *before != after) {
            let backup = Record::backup(site, engine, &file.path);
            plan.notes.push(format!("{} had another text, now in {}", file.path.display(), backup.display()));
        }
        wanted.insert(file.path.clone(), Some(after.clone()));
        plan.record.files.push(Left::new(&file.path, before, after, &file.content));
    }
    plan.change_to(wanted, site)?;
    Ok(plan)
}

/// Works out what undoing changes.
///
/// # Errors
/// [`EngineError`] when a file was edited since and cannot be read any more.
pub fn uninstall(engine: Engine, site: &Site) -> Result<Plan, EngineError> {
    let last = Record::load(site, engine)?;
    let (bare, notes, leaves_some) = without(&last, site)?;
    let mut plan = Plan::new(engine, last, notes);
    plan.leaves_some = leaves_some;
    plan.reload = plan.was_registered.then(|| engine.restart(site)).flatten();
    plan.change_to(bare, site)?;
    Ok(plan)
}

impl Plan {
    fn new(engine: Engine, last: Record, notes: Vec<String>) -> Self {
        let was_registered = !last.files.is_empty();
        let record = Record { version: 1, folders: last.folders.clone(), files: Vec::new() };
        let (changes, reload, leaves_some) = (Vec::new(), None, false);
        Self { changes, notes, reload, leaves_some, was_registered, engine, record, last }
    }

    fn change_to(&mut self, wanted: Texts, site: &Site) -> Result<(), EngineError> {
        for (path, after) in wanted {
            let before = site.read(&path)?;
            if before != after {
                self.changes.push(Change { path, before, after });
            }
        }
        self.changes.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(())
    }

    /// The backup of a file that changes, where it has one.
    pub fn backup(&self, path: &Path, site: &Site) -> Option<PathBuf> {
        let left = self.record.files.iter().find(|left| left.path == path && left.before.is_some());
        left.map(|_| Record::backup(site, self.engine, path))
    }

    /// Makes the changes. The record goes first: whatever happens then, it can be undone, or done again.
    ///
    /// # Errors
    /// [`EngineError`] when a file cannot be written; those before it are.
    pub fn carry_out(mut self, site: &Site) -> Result<(), EngineError> {
        let is_undoing = self.record.files.is_empty();
        for change in self.changes.iter().filter(|change| change.after.is_some()) {
            self.record.folders.extend(missing_folders(&change.path, site));
        }
        self.record.folders.extend(missing_folders(&Record::path(site, self.engine), site));
        self.record.folders.sort_unstable();
        self.record.folders.dedup();
        if !is_undoing {
            // What is to be undone on the way is not forgotten before it is.
            let is_old = |left: &&Left| self.record.files.iter().all(|new| new.path != left.path);
            let mut both = self.record.clone();
            both.files.extend(self.last.files.iter().filter(is_old).cloned());
            both.keep(site, self.engine, &self.last)?;
        }
        for change in &self.changes {
            if site.read(&change.path)? != change.before {
                return Err(EngineError::Changed { path: change.path.clone() });
            }
            match &change.after {
                Some(text) => {
                    let folder = site.real(change.path.parent().unwrap_or(Path::new("/")));
                    std::fs::create_dir_all(folder).map_err(EngineError::system("make the folder of", &change.path))?;
                    write(site, &change.path, text, 0o644)?;
                }
                None => remove(site, &change.path)?,
            }
        }
        self.record.keep(site, self.engine, &self.last)?;
        if is_undoing {
            for folder in self.record.folders.iter().rev() {
                // One that somebody else uses now stays.
                let _ = std::fs::remove_dir(site.real(folder));
            }
            let records = site.records();
            for folder in records.ancestors().take(2) {
                let _ = std::fs::remove_dir(site.real(folder));
            }
        }
        Ok(())
    }
}

/// The names must be such as engines take, and what they would start must be batten.
fn check(request: &Request, site: &Site) -> Result<(), EngineError> {
    let is_good = |name: &String| {
        !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
            && !name.starts_with('-')
    };
    if let Some(name) = request.names.iter().find(|name| !is_good(name)) {
        return Err(EngineError::Name { name: name.clone() });
    }
    let runtime = request.runtime.as_ref();
    let hooks = (!request.hooks.is_empty()).then_some(&request.batten);
    for path in runtime.into_iter().chain(hooks) {
        if !path.is_absolute() {
            return Err(EngineError::Relative { path: path.clone() });
        }
        if !site.exists(path) {
            return Err(EngineError::Missing { path: path.clone() });
        }
        if site.is_host() {
            crate::runtime::find::trust_program(path)?;
        }
    }
    match runtime.filter(|path| !site.is_batten(path)) {
        Some(path) => Err(EngineError::NotBatten { path: path.clone() }),
        None => Ok(()),
    }
}

/// The files of a record as they would be without batten, and what stands in the way.
fn without(last: &Record, site: &Site) -> Result<(Texts, Vec<String>, bool), EngineError> {
    let mut bare = HashMap::new();
    let mut notes = Vec::new();
    let mut leaves_some = false;
    for left in &last.files {
        let undone = left.undo(site.read(&left.path)?.as_deref())?;
        notes.extend(undone.notes);
        leaves_some |= undone.leaves_some;
        bare.insert(left.path.clone(), undone.text);
    }
    Ok((bare, notes, leaves_some))
}

fn filled(path: &Path, before: Option<&str>, content: &Content) -> Result<String, EngineError> {
    let (format, settings) = match content {
        Content::Whole(text) => return Ok(text.clone()),
        Content::Settings { format, settings } => (*format, settings),
    };
    if let Some(before) = before {
        refuse_taken(path, before, format, settings)?;
    }
    match format {
        Format::Toml => {
            let text = toml_file::set(path, before.unwrap_or_default(), settings)?;
            Ok(if before.is_none() { format!("{HEADER}{text}") } else { text })
        }
        Format::Json => json_file::set(path, before.unwrap_or_default(), settings),
    }
}

/// What stands at the head of a file that batten has made.
pub(super) const HEADER: &str = "# Written by `batten install`; `batten uninstall` removes it.\n";

fn refuse_taken(path: &Path, before: &str, format: Format, settings: &[Setting]) -> Result<(), EngineError> {
    let values = match format {
        Format::Toml => toml_file::values(path, before)?,
        Format::Json => json_file::values(path, before)?,
    };
    let values: HashMap<Vec<String>, Value> = values.into_iter().collect();
    for setting in settings.iter().filter(|setting| setting.exclusive) {
        match values.get(&setting.path) {
            Some(found) if *found != setting.value => {
                let (setting, found) = (setting.name(), found.to_string());
                return Err(EngineError::Taken { path: path.to_owned(), setting, found });
            }
            _ => {}
        }
    }
    Ok(())
}

/// The folders above a file that are not there, the outermost first.
fn missing_folders(path: &Path, site: &Site) -> Vec<PathBuf> {
    let above = path.ancestors().skip(1);
    let mut missing: Vec<_> = above.take_while(|folder| !site.exists(folder)).map(Path::to_owned).collect();
    missing.reverse();
    missing
}
