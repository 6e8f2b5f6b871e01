//! Answers that were worked out once, for questions that come back with every container: an engine writes the same
//! filter into each of them, and combining it anew would cost more than all the rest of a start.
//!
//! An answer is taken only for the very bytes of its question, which are kept beside it; a name that happens to be the
//! same is no danger. The folder is root's (or the user's whose engine it is) alone, lies in memory and is gone with the next
//! boot. Nothing depends on it: what cannot be read or kept is worked out again.

#[cfg(test)]
mod sources;

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use nix::unistd::geteuid;

use crate::spec::read_trusted;

/// Whose answers they are: a number for batten's sources (`memo/sources.rs`), which every question is to begin with. Two builds of one
/// version need not answer alike.
pub const SOURCES: &str = env!("BATTEN_SOURCES");

/// Questions of more bytes are not kept: an engine's filter has ten thousand.
const LARGEST: usize = 64 << 10;

/// More answers than this, and all go: whoever may choose filters must not fill the memory.
const MOST: usize = 128;

/// Everything that an answer depends on: what is asked, and of which text of the document.
#[derive(Debug, Clone, Copy)]
pub struct Question<'q> {
    /// What is asked. One way to ask must not begin as another does.
    pub asked: &'q str,
    /// Of what. It stays where it is: a filter has thousands of bytes.
    pub of: &'q str,
}

impl Question<'_> {
    const fn len(self) -> usize {
        self.asked.len() + self.of.len()
    }

    fn concat(self) -> Vec<u8> {
        [self.asked, self.of].concat().into_bytes()
    }
}

/// Questions and their answers. They are few, and compared sooner than a table would have read the thousands of bytes of one.
type Held = RwLock<Vec<(Box<[u8]>, String)>>;

/// Where answers are kept; nowhere by default, so that a dry run leaves no trace.
#[derive(Debug, Clone, Default)]
pub struct Memo {
    folder: Option<PathBuf>,
    held: Option<Arc<Held>>,
}

impl Memo {
    /// The folder of the machine, or of the user who runs a rootless engine.
    pub fn of_machine() -> Self {
        let folder = if geteuid().is_root() {
            Some(PathBuf::from("/run/batten/memo"))
        } else {
            std::env::var_os("XDG_RUNTIME_DIR").map(|folder| Path::new(&folder).join("batten/memo"))
        };
        Self { folder, held: None }
    }

    /// Answers are kept in `folder`.
    pub const fn in_folder(folder: PathBuf) -> Self {
        Self { folder: Some(folder), held: None }
    }

    /// Answers are kept in this process and go with it: for a dry run over many documents.
    pub fn of_process() -> Self {
        Self { folder: None, held: Some(Arc::default()) }
    }

    /// The answer to `question`, from last time or from `work_out`.
    ///
    /// # Errors
    /// What `work_out` says; that is never kept.
    pub fn answer<E>(&self, question: Question<'_>, work_out: impl FnOnce() -> Result<String, E>) -> Result<String, E> {
        if let Some(held) = self.held.as_deref().filter(|_| question.len() <= LARGEST) {
            return in_process(held, question, work_out);
        }
        let Some(folder) = self.folder.as_deref().filter(|_| question.len() <= LARGEST) else { return work_out() };
        let path = folder.join(format!("{:016x}", fingerprint(question)));
        if let Some(answer) = recall(&path, question) {
            return Ok(answer);
        }
        let answer = work_out()?;
        // Next time will try again.
        let _ = keep(folder, &path, question, &answer);
        Ok(answer)
    }
}

fn in_process<E>(
    held: &Held,
    question: Question<'_>,
    work_out: impl FnOnce() -> Result<String, E>,
) -> Result<String, E> {
    if let Some(answer) = held.read().ok().and_then(|held| known(&held, question).cloned()) {
        return Ok(answer);
    }
    let answer = work_out()?;
    if let Ok(mut held) = held.write()
        && known(&held, question).is_none()
    {
        if held.len() >= MOST {
            held.clear();
        }
        held.push((question.concat().into(), answer.clone()));
    }
    Ok(answer)
}

fn known<'h>(held: &'h [(Box<[u8]>, String)], question: Question<'_>) -> Option<&'h String> {
    let is_it = |own: &[u8]| {
        own.len() == question.len() && own.strip_prefix(question.asked.as_bytes()) == Some(question.of.as_bytes())
    };
    held.iter().find(|(own, _)| is_it(own)).map(|(_, answer)| answer)
}

/// A file is the question's length (8 bytes, little-endian), the question, the answer.
fn recall(path: &Path, question: Question<'_>) -> Option<String> {
    let mut bytes = read_trusted(path).ok()?;
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    let (asked, of) = rest.split_at_checked(question.asked.len())?;
    if u64::from_le_bytes(*length) != question.len() as u64
        || asked != question.asked.as_bytes()
        || !starts_with(of, question.of.as_bytes())
    {
        return None;
    }
    bytes.drain(..8 + question.len());
    String::from_utf8(bytes).ok()
}

/// In words: musl's `memcmp`, which the shim is built with, goes byte by byte.
fn starts_with(bytes: &[u8], start: &[u8]) -> bool {
    let Some(bytes) = bytes.get(..start.len()) else { return false };
    let ((words, rest), (own, own_rest)) = (bytes.as_chunks::<8>(), start.as_chunks::<8>());
    let differ = |(one, other): (&[u8; 8], &[u8; 8])| u64::from_ne_bytes(*one) != u64::from_ne_bytes(*other);
    rest == own_rest && !words.iter().zip(own).any(differ)
}

fn keep(folder: &Path, path: &Path, question: Question<'_>, answer: &str) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    make_room(folder)?;
    let temporary = path.with_extension(std::process::id().to_string());
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(&temporary)?;
    let bytes = [&(question.len() as u64).to_le_bytes(), &*question.concat(), answer.as_bytes()].concat();
    let written = file.write_all(&bytes).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

fn make_room(folder: &Path) -> io::Result<()> {
    let kept: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    if kept.len() >= MOST {
        for entry in kept {
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

/// FNV-1a over words: a file's name, no more.
fn fingerprint(question: Question<'_>) -> u64 {
    let step = |hash: u64, word: u64| (hash ^ word).wrapping_mul(0x100_0000_01b3).rotate_left(29);
    [question.asked, question.of].iter().fold(0xcbf2_9ce4_8422_2325, |hash, text| {
        let (words, rest) = text.as_bytes().as_chunks::<8>();
        let hash = words.iter().map(|word| u64::from_le_bytes(*word)).fold(hash, step);
        rest.iter().fold(hash, |hash, byte| step(hash, u64::from(*byte)))
    })
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "fixtures")]
mod tests {
    use super::*;

    const fn about(asked: &str) -> Question<'_> {
        Question { asked, of: "of this" }
    }

    fn ask(memo: &Memo, question: &str, answer: &str) -> String {
        memo.answer(about(question), || Ok::<_, ()>(answer.to_owned())).unwrap()
    }

    #[test]
    fn another_build_s_answers_are_another_s() {
        let folder = tempfile::tempdir().unwrap();
        let copy = |name: &str, text: &str| {
            let root = folder.path().join(name);
            for (file, text) in [("src/a.rs", text), ("src/b/c.rs", "c"), ("profiles/seccomp/default.toml", "p")] {
                let path = root.join(file);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            root
        };
        let (one, same, other) = (copy("one", "a"), copy("two/deeper", "a"), copy("three", "b"));
        let of = |root: &Path| sources::fingerprint(root).unwrap();
        assert_eq!(of(&one), of(&same), "wherever it is built");
        assert_ne!(of(&one), of(&other));
        fs::rename(same.join("src/a.rs"), same.join("src/b.rs")).unwrap();
        assert_ne!(of(&one), of(&same));
        fs::write(one.join("profiles/seccomp/default.toml"), "q").unwrap();
        assert_ne!(of(&one), of(&copy("four", "a")), "the built-in profile");
        let own = of(Path::new(env!("CARGO_MANIFEST_DIR")));
        assert_eq!(SOURCES, format!("{own:016x}"), "what this was built from");
    }

    #[test]
    fn the_same_question_is_worked_out_once() {
        let folder = tempfile::tempdir().unwrap();
        let memo = Memo::in_folder(folder.path().join("memo"));
        assert_eq!(ask(&memo, "q", "first"), "first");
        assert_eq!(ask(&memo, "q", "second"), "first");
        assert_eq!(ask(&memo, "other", "third"), "third");
    }

    #[test]
    fn a_dry_run_keeps_answers_too_and_not_without_bound() {
        let memo = Memo::of_process();
        assert_eq!(ask(&memo, "q", "first"), "first");
        assert_eq!(ask(&memo, "q", "second"), "first");
        assert_eq!(ask(&memo, "other", "third"), "third");
        assert_eq!(
            memo.answer(Question { asked: "q", of: "that" }, || Ok::<_, ()>("fourth".into())).unwrap(),
            "fourth"
        );
        for number in 0..MOST {
            ask(&memo, &number.to_string(), "");
        }
        assert_eq!(ask(&memo, "q", "anew"), "anew");
    }

    #[test]
    fn an_answer_to_another_question_under_the_same_name_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let memo = Memo::in_folder(folder.path().to_owned());
        ask(&memo, "one", "wrong");
        let (one, two) = (fingerprint(about("one")), fingerprint(about("two")));
        let path = |hash: u64| folder.path().join(format!("{hash:016x}"));
        fs::rename(path(one), path(two)).unwrap();
        assert_eq!(ask(&memo, "two", "right"), "right");
    }

    #[test]
    fn what_others_could_have_written_is_not_taken() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let memo = Memo::in_folder(folder.path().to_owned());
        ask(&memo, "q", "wrong");
        let path = folder.path().join(format!("{:016x}", fingerprint(about("q"))));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        assert_eq!(ask(&memo, "q", "right"), "right");
        fs::write(&path, "short").unwrap();
        assert_eq!(ask(&memo, "q", "right"), "right");
    }

    #[test]
    fn the_folder_does_not_grow_without_bound() {
        let folder = tempfile::tempdir().unwrap();
        let memo = Memo::in_folder(folder.path().to_owned());
        for question in 0..MOST * 2 + 3 {
            ask(&memo, &question.to_string(), "a");
        }
        assert!(fs::read_dir(folder.path()).unwrap().count() <= MOST);
    }

    #[test]
    fn an_error_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let memo = Memo::in_folder(folder.path().to_owned());
        assert_eq!(memo.answer(about("q"), || Err("no")), Err("no"));
        assert_eq!(ask(&memo, "q", "yes"), "yes");
    }
}
