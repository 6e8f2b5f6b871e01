//! Where documents come from: files, folders, folders searched in depth, patterns, standard input, JSON lines. All
//! lazily: a fleet is never held in memory.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::Labels;
use crate::spec::{CONFIG, MAX_BYTES};

/// One document to judge.
#[derive(Debug)]
pub struct Item {
    /// What messages call it.
    pub name: String,
    /// What people call the container.
    pub labels: Labels,
    /// Its text, or where to read it.
    pub text: Text,
}

/// Where the text is.
#[derive(Debug)]
pub enum Text {
    /// In a file.
    File(PathBuf),
    /// In the file of a running container, which may be gone by now.
    Live(PathBuf),
    /// Here: it came by standard input.
    Read(Vec<u8>),
    /// Here: it is a line (from 1) of a file.
    Line(Vec<u8>, String, usize),
    /// Nowhere: a sentence, and a hint.
    Missing(String, String),
}

const NOTHING_CAME: &str = "look whether the command that was to write it has failed";

type Stream = Box<dyn Iterator<Item = Item> + Send>;

/// How to read what was named.
#[derive(Debug, Clone, Copy)]
pub struct Named {
    /// Search folders in depth.
    pub recursive: bool,
    /// Every file holds one document per line.
    pub lines: bool,
}

/// The documents that `path` stands for, in order.
pub fn items(path: PathBuf, named: Named) -> Stream {
    if path == Path::new("-") {
        return if named.lines { lines("-".to_owned(), std::io::stdin()) } else { once(standard_input()) };
    }
    let text = path.to_string_lossy();
    if text.contains(['*', '?', '[']) && !path.exists() {
        return expanded(text.into_owned(), named);
    }
    if path.is_dir() {
        return if named.recursive { below(path) } else { once(file(path.join(CONFIG), !path.join(CONFIG).exists())) };
    }
    let is_lines = named.lines || path.extension().is_some_and(|end| end == "jsonl" || end == "ndjson");
    if !is_lines {
        return once(file(path, false));
    }
    match File::open(&path) {
        Ok(file) => lines(path.display().to_string(), file),
        Err(error) => once(missing(&path, &error.to_string(), "check the path and its permissions")),
    }
}

fn once(item: Item) -> Stream {
    Box::new(std::iter::once(item))
}

fn file(path: PathBuf, absent_from_folder: bool) -> Item {
    if absent_from_folder {
        let hint = "name a bundle folder, or search this folder in depth with --recursive";
        return missing(&path, "No such file or directory", hint);
    }
    Item { name: path.display().to_string(), labels: Labels::default(), text: Text::File(path) }
}

fn missing(path: &Path, problem: &str, hint: &str) -> Item {
    let text = Text::Missing(format!("cannot read {}: {problem}", path.display()), hint.to_owned());
    Item { name: path.display().to_string(), labels: Labels::default(), text }
}

fn standard_input() -> Item {
    let mut bytes = Vec::new();
    let text = match std::io::stdin().take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes) {
        Ok(_) if bytes.iter().all(u8::is_ascii_whitespace) => {
            Text::Missing("there is nothing on standard input".to_owned(), NOTHING_CAME.to_owned())
        }
        Ok(_) => Text::Read(bytes),
        Err(error) => {
            Text::Missing(format!("cannot read standard input: {error}"), "check what is piped in".to_owned())
        }
    };
    Item { name: "-".to_owned(), labels: Labels::default(), text }
}

/// One document per line; blank lines are nothing. A line past the largest document is refused and ends the reading. No
/// document at all is what a command that failed leaves in a pipe.
fn lines(name: String, source: impl Read + Send + 'static) -> Stream {
    let mut reader = BufReader::with_capacity(64 << 10, source);
    let (mut number, mut over, mut found) = (0_usize, false, false);
    Box::new(std::iter::from_fn(move || {
        while !over {
            let mut bytes = Vec::new();
            number += 1;
            let item = |text| Item { name: format!("{name}:{number}"), labels: Labels::default(), text };
            let line = |text| Text::Line(text, name.clone(), number);
            match reader.by_ref().take(MAX_BYTES as u64 + 2).read_until(b'\n', &mut bytes) {
                Ok(0) if found => return None,
                Ok(0) => {
                    (over, found) = (true, true);
                    return Some(missing(Path::new(&name), "no document in it", NOTHING_CAME));
                }
                Ok(_) if bytes.iter().all(u8::is_ascii_whitespace) => {}
                Ok(_) => {
                    (over, found) = (bytes.len() > MAX_BYTES + 1, true);
                    return Some(item(line(bytes)));
                }
                Err(error) => {
                    over = true;
                    let hint = "check the path and its permissions".to_owned();
                    return Some(item(Text::Missing(format!("cannot read {name}: {error}"), hint)));
                }
            }
        }
        None
    }))
}

fn expanded(pattern: String, named: Named) -> Stream {
    let no_match = |problem: &str| {
        missing(Path::new(&pattern), problem, "check the pattern: * and ? stand for characters, ** for folders")
    };
    let mut paths = match glob::glob(&pattern) {
        Ok(paths) => paths.peekable(),
        Err(error) => return once(no_match(&error.to_string())),
    };
    if paths.peek().is_none() {
        return once(no_match("no file matches"));
    }
    Box::new(paths.flat_map(move |found| match found {
        Ok(path) => items(path, named),
        Err(error) => once(missing(error.path(), &error.error().to_string(), "check its permissions")),
    }))
}

/// Every config.json below `folder`, in the order of names. Links are not followed (one that is called config.json is said), and what a container calls its
/// root file system is not entered: nothing in there describes a container, and its owner chose its names.
fn below(folder: PathBuf) -> Stream {
    let (top, mut found) = (folder.clone(), false);
    let mut pending = vec![folder];
    Box::new(std::iter::from_fn(move || {
        while let Some(folder) = pending.pop() {
            let bundle = match std::fs::read_dir(&folder) {
                Ok(entries) => descend(&folder, entries, &mut pending),
                Err(error) => {
                    found = true;
                    return Some(missing(&folder, &error.to_string(), "run as a user who may read the folder"));
                }
            };
            found |= bundle.is_some();
            match bundle {
                None => {}
                Some(Config::Here) => return Some(file(folder.join(CONFIG), false)),
                Some(Config::Link) => return Some(link(&folder)),
            }
        }
        let empty = !std::mem::replace(&mut found, true);
        empty.then(|| missing(&top, "no config.json in it or below", "name a folder with bundles somewhere in it"))
    }))
}

/// What is called config.json in a folder.
enum Config {
    Here,
    Link,
}

/// Where it leads may be anywhere; left out without a word it would look judged.
fn link(folder: &Path) -> Item {
    let hint = format!("a search follows no link; name its bundle: batten check {}", folder.display());
    missing(&folder.join(CONFIG), "it is a symbolic link", &hint)
}

fn descend(folder: &Path, entries: std::fs::ReadDir, pending: &mut Vec<PathBuf>) -> Option<Config> {
    let (mut bundle, mut folders) = (None, Vec::new());
    for entry in entries.filter_map(Result::ok) {
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            folders.push(entry.file_name());
        } else if entry.file_name() == CONFIG {
            bundle = Some(if kind.is_symlink() { Config::Link } else { Config::Here });
        }
    }
    folders.retain(|name| !(bundle.is_some() && name == "rootfs"));
    folders.sort_unstable_by(|a, b| b.cmp(a));
    pending.extend(folders.into_iter().map(|name| folder.join(name)));
    bundle
}
