//! From files to a [`Policy`]: read, check, lay on top of each other.

use std::io;
use std::path::{Path, PathBuf};

use super::error::PolicyError;
use super::lay::cap_word;
use super::levels::{self, CIS_VERSION, NEWEST_PSS};
use super::model::{AppArmorLayer, Controls, Layer, SeccompLayer};
use super::read::{DeclaredLayer, Written};
use super::source::Source;
use super::{Override, POLICY_DROP_INS, POLICY_FILE, Policy};
use crate::apparmor::kernel::is_unconfined;
use crate::rules;
use crate::seccomp::Word;
use crate::settings::{
    BUILT_IN_PROFILE, Day, Kind, Match, Origin, Own, Sourced, Subject, SubjectKeys, Violation, Waiver,
};
use crate::spec::{FileError, Problem, read_trusted};

impl Policy {
    /// The machine's policy: [`POLICY_FILE`] and then [`POLICY_DROP_INS`]`/*.toml` in the order of their names, or the
    /// built-in one where there is neither.
    ///
    /// # Errors
    /// [`PolicyError`] when a file is there and cannot be used. A missing file is not an error, an unreadable one is:
    /// containers never start under half a policy.
    pub fn load() -> Result<Self, PolicyError> {
        Self::load_from(Path::new(POLICY_FILE), Path::new(POLICY_DROP_INS))
    }

    /// As [`Policy::load`], with the file and the folder given.
    ///
    /// # Errors
    /// As [`Policy::load`].
    pub fn load_from(file: &Path, drop_ins: &Path) -> Result<Self, PolicyError> {
        let mut policy = Self::built_in();
        match open(file) {
            Ok(text) => policy.add_bytes(file, text)?,
            Err(error) if is_missing(&error) => {}
            Err(error) => return Err(error.into()),
        }
        for path in list(drop_ins)? {
            policy.add_bytes(&path, open(&path)?)?;
        }
        policy.finish()
    }

    /// A policy from files that a person named, laid over each other in the order given. They must be there; who owns
    /// them is that person's business.
    ///
    /// # Errors
    /// As [`Policy::load`].
    pub fn load_files<P: AsRef<Path>>(files: &[P]) -> Result<Self, PolicyError> {
        let mut policy = Self::built_in();
        for file in files {
            let path = file.as_ref();
            let text = std::fs::read(path).map_err(|error| PolicyError::Named { path: path.to_owned(), error })?;
            policy.add_bytes(path, text)?;
        }
        policy.finish()
    }

    /// This policy with the file at `path` laid over it, as a drop-in would be.
    ///
    /// # Errors
    /// As [`Policy::load`].
    pub fn with_layer(&self, path: &Path) -> Result<Self, PolicyError> {
        let mut policy = Self::built_in();
        for Source { path, text } in &self.sources {
            policy.add(path.clone(), text.clone())?;
        }
        let text = std::fs::read(path).map_err(|error| PolicyError::Named { path: path.to_owned(), error })?;
        policy.add_bytes(path, text)?;
        policy.finish()
    }

    /// A policy from text; `path` is what messages call it.
    ///
    /// # Errors
    /// As [`Policy::load`].
    pub fn parse(path: &Path, text: &str) -> Result<Self, PolicyError> {
        let mut policy = Self::built_in();
        policy.add(path.to_owned(), text.to_owned())?;
        policy.finish()
    }

    fn add_bytes(&mut self, path: &Path, bytes: Vec<u8>) -> Result<(), PolicyError> {
        match String::from_utf8(bytes) {
            Ok(text) => self.add(path.to_owned(), text),
            Err(_) => Err(PolicyError::NotUtf8 { path: path.to_owned() }),
        }
    }

    fn add(&mut self, path: PathBuf, text: String) -> Result<(), PolicyError> {
        let layer: Layer = toml::from_str(&text)
            .map_err(|error| PolicyError::Syntax { path: path.clone(), error: Box::new(error) })?;
        let source = Source { path, text };
        check(&source, &layer)?;
        self.trust_keys(&source, &layer)?;
        let index = self.sources.len();
        if let Some(rules) = layer.loosenable {
            let origin = Origin::layer("loosenable", index, rules.span().start);
            self.loosenable = Some(Sourced { value: rules.into_inner(), origin });
        }
        self.layers.push(layer.controls);
        for item in layer.overrides {
            self.overrides.push(Override { layer: index, offset: item.span().start, body: item.into_inner() });
        }
        for item in layer.waivers {
            let offset = item.span().start;
            let body = item.into_inner();
            let expires = expiry(&source, &body.expires)?;
            self.waivers.push(Waiver { layer: index, offset, expires, body });
        }
        self.sources.push(source);
        Ok(())
    }

    fn trust_keys(&mut self, source: &Source, layer: &Layer) -> Result<(), PolicyError> {
        let subject = &layer.subject;
        if let Some(engine) = &subject.engine {
            let known = SubjectKeys::of_engine(engine.get_ref());
            let annotations = std::mem::take(&mut self.keys.annotations);
            self.keys = known.ok_or_else(|| {
                let hint = "engine is \"containerd\" or \"cri-o\" (their Kubernetes keys), or \"none\"";
                source.wrong(engine.span().start, format!("no engine {:?} is known", engine.get_ref()), hint)
            })?;
            self.keys.annotations = annotations;
        }
        for (key, set) in [
            (&mut self.keys.namespace, &subject.namespace),
            (&mut self.keys.pod, &subject.pod),
            (&mut self.keys.container, &subject.container),
            (&mut self.keys.image, &subject.image),
        ] {
            if let Some(name) = set {
                *key = Some(name.get_ref().clone().into());
            }
        }
        if let Some(annotations) = &subject.annotations {
            self.keys.annotations.extend(annotations.get_ref().iter().cloned());
        }
        Ok(())
    }

    /// What only the whole policy can tell: whether every match asks for something that is trusted.
    fn finish(mut self) -> Result<Self, PolicyError> {
        self.base = self.laid(&Subject::default(), std::iter::empty());
        for item in &self.overrides {
            check_match(&self.sources[item.layer], item.offset, &item.body.matches, &self.keys)?;
        }
        for waiver in &self.waivers {
            check_match(&self.sources[waiver.layer], waiver.offset, &waiver.body.matches, &self.keys)?;
        }
        self.refuse_loosened()?;
        Ok(self)
    }
}

/// A file of the machine's policy. It may be a link, as configuration management and Kubernetes mounts make them; what
/// it leads to must be trusted like everything that decides.
fn open(path: &Path) -> Result<Vec<u8>, FileError> {
    match read_trusted(path) {
        Err(FileError { problem: Problem::Symlink, .. }) => {
            let real = std::fs::canonicalize(path).map_err(|error| FileError::of(path, &error))?;
            read_trusted(&real)
        }
        opened => opened,
    }
}

/// The drop-ins, in the order of their names; none where the folder is missing.
fn list(folder: &Path) -> Result<Vec<PathBuf>, PolicyError> {
    let failed = |error| PolicyError::DropIns { path: folder.to_owned(), error };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    paths.sort_unstable();
    Ok(paths)
}

const fn is_missing(error: &FileError) -> bool {
    matches!(error.problem, Problem::System(nix::errno::Errno::ENOENT))
}

fn check(source: &Source, layer: &Layer) -> Result<(), PolicyError> {
    check_controls(source, &layer.controls)?;
    for item in &layer.overrides {
        check_controls(source, &item.get_ref().controls)?;
    }
    for word in layer.loosenable.iter().flat_map(toml::Spanned::get_ref) {
        if !rules::is_known(word) && !["*", "level", "mode"].contains(&word.as_str()) {
            let hint =
                format!("name rules ({}), level, mode, or * for all", rules::names().collect::<Vec<_>>().join(", "));
            let offset = layer.loosenable.as_ref().map_or(0, |rules| rules.span().start);
            return Err(source.wrong(offset, format!("no rule {word:?} is known"), hint));
        }
    }
    for item in &layer.waivers {
        let waiver = item.get_ref();
        if !rules::is_known(waiver.rule.get_ref()) {
            let hint = format!("the rules are: {}", rules::names().collect::<Vec<_>>().join(", "));
            let problem = format!("no rule {:?} is known", waiver.rule.get_ref());
            return Err(source.wrong(waiver.rule.span().start, problem, hint));
        }
        for (field, text) in [("reason", &waiver.reason), ("owner", &waiver.owner)] {
            if text.trim().is_empty() {
                let hint = "whoever reads the report in a year needs it";
                return Err(source.wrong(item.span().start, format!("the waiver's {field} is empty"), hint));
            }
        }
    }
    Ok(())
}

fn check_controls(source: &Source, controls: &Controls) -> Result<(), PolicyError> {
    let Controls { capabilities, seccomp, apparmor, .. } = controls;
    check_level(source, controls)?;
    controls.declared.iter().try_for_each(|set| check_declared(source, set))?;
    for words in [&capabilities.ceiling, &capabilities.add, &capabilities.drop].into_iter().flatten() {
        if let Some(word) = words.get_ref().iter().find(|word| cap_word(word).is_none()) {
            let hint = "capabilities are spelled as in capabilities(7), CAP_NET_ADMIN; @docker and @all stand for sets";
            return Err(source.wrong(words.span().start, format!("no capability {word:?} is known"), hint));
        }
    }
    check_seccomp(source, seccomp)?;
    check_apparmor(source, apparmor)
}

fn check_seccomp(source: &Source, seccomp: &SeccompLayer) -> Result<(), PolicyError> {
    if let Some(profile) = &seccomp.profile {
        let name = profile.get_ref();
        if name != BUILT_IN_PROFILE && !name.starts_with('/') {
            let hint = format!("write {BUILT_IN_PROFILE:?} or the absolute path of a profile");
            return Err(source.wrong(profile.span().start, format!("{name:?} is no seccomp profile"), hint));
        }
    }
    for words in [&seccomp.allow, &seccomp.deny].into_iter().flatten() {
        if let Some(word) = words.get_ref().iter().find(|word| Word::read(word).is_none()) {
            let problem = format!("no group or system call is called {word:?}");
            return Err(source.wrong(words.span().start, problem, Word::hint(word)));
        }
    }
    if let (Some(_), Some(allow)) = (&seccomp.profile, &seccomp.allow) {
        let hint = "keep one: `allow` lists everything that is let through, \"@default\" being the built-in profile; a \
                    profile in TOML takes `allow` as well";
        let problem = "seccomp.allow stands beside seccomp.profile".to_owned();
        return Err(source.wrong(allow.span().start, problem, hint));
    }
    if let Some(deny) = &seccomp.deny {
        let closes_nothing = |word: &&String| Word::read(word).is_some_and(Word::is_multiplexer);
        if let Some(word) = deny.get_ref().iter().find(closes_nothing) {
            return Err(source.wrong(deny.span().start, format!("{word:?} is not closed by its name"), Word::BEHIND));
        }
    }
    match &seccomp.deny {
        Some(deny) if deny.get_ref().iter().any(|word| Word::read(word) == Some(Word::Default)) => {
            let hint = "name the groups to close: batten seccomp groups lists them";
            Err(source.wrong(deny.span().start, "without @default nothing starts".to_owned(), hint))
        }
        _ => Ok(()),
    }
}

fn check_level(source: &Source, controls: &Controls) -> Result<(), PolicyError> {
    let Some(version) = &controls.level_version else { return Ok(()) };
    let level = controls.level.as_ref().map(|level| *level.get_ref());
    if levels::version(level, version.get_ref()).is_some() {
        return Ok(());
    }
    let hint = format!(
        "write \"latest\", a Kubernetes version up to {NEWEST_PSS} for the Pod Security Standards, {CIS_VERSION:?} for cis-docker"
    );
    Err(source.wrong(version.span().start, format!("no version {:?} of the level is known", version.get_ref()), hint))
}

/// Whether the value is of the setting's kind.
fn check_declared(source: &Source, set: &DeclaredLayer) -> Result<(), PolicyError> {
    let (value, offset) = (set.value.get_ref(), set.value.span().start);
    let expected = if set.slot == 0 {
        match value {
            Written::Word(word) if Violation::of_word(word).is_some() => return Ok(()),
            _ => "one of \"off\", \"report\", \"fix\", \"deny\"",
        }
    } else {
        let kind = set.section.settings[set.slot - 1].kind;
        match (kind, value) {
            (Kind::Allow(_) | Kind::Ask(_), Written::Words(_))
            | (Kind::Demand(_) | Kind::Permit(_), Written::Flag(_))
            | (Kind::Most(_), Written::Count(0..)) => return check_words(source, set),
            _ => kind.written(),
        }
    };
    let problem = format!("{} is {expected}", set.section.slot_name(set.slot));
    Err(source.wrong(offset, problem, "docs/rules.md says what each setting takes"))
}

/// Whether the rule understands the words.
fn check_words(source: &Source, set: &DeclaredLayer) -> Result<(), PolicyError> {
    let (Written::Words(words), Some(understands)) = (set.value.get_ref(), rules::RULES[set.position].understands)
    else {
        return Ok(());
    };
    let setting = &set.section.settings[set.slot - 1];
    match words.iter().find_map(|word| Some((word, understands(setting.key(), word).err()?))) {
        None => Ok(()),
        Some((word, expected)) => {
            let problem = format!("{} does not understand {word:?}", setting.name);
            Err(source.wrong(set.value.span().start, problem, format!("write {expected}")))
        }
    }
}

fn check_apparmor(source: &Source, apparmor: &AppArmorLayer) -> Result<(), PolicyError> {
    let profile = apparmor.profile.iter().map(|set| ("profile", set.span().start, set.get_ref().as_str()));
    let fallback = apparmor.fallback.iter().map(|set| ("fallback", set.span().start, set.get_ref().profile.as_str()));
    for (setting, offset, name) in profile.chain(fallback) {
        if name.is_empty() || is_unconfined(name) {
            let hint = "name a loaded profile, or \"builtin:default\"; a waiver lets single containers run unconfined";
            return Err(source.wrong(offset, format!("apparmor.{setting} cannot be {name:?}"), hint));
        }
    }
    match &apparmor.own {
        Some(own) if *own.get_ref() == Own::Combine => {
            let hint = "AppArmor profiles cannot be combined by name; use keep, replace or deny";
            Err(source.wrong(own.span().start, "apparmor.own cannot be \"combine\"".to_owned(), hint))
        }
        _ => Ok(()),
    }
}

fn check_match(source: &Source, offset: usize, matches: &Match, keys: &SubjectKeys) -> Result<(), PolicyError> {
    if matches.is_empty() {
        let hint =
            "name at least one of namespace, pod, container, image, annotations; what holds for all goes outside";
        return Err(source.wrong(offset, "this match covers every container".to_owned(), hint));
    }
    let Some(key) = matches.untrusted_key(keys) else { return Ok(()) };
    let hint = "say in [subject] which engine sets it (engine = \"containerd\") or which annotation to trust; with Docker \
                and Podman whoever starts a container can set any annotation";
    Err(source.wrong(offset, format!("the match asks for {key:?}, which [subject] does not trust"), hint))
}

fn expiry(source: &Source, expires: &toml::Spanned<toml::value::Datetime>) -> Result<Day, PolicyError> {
    if let toml::value::Datetime { date: Some(date), time: None, offset: None } = expires.get_ref() {
        return Ok(Day { year: date.year, month: date.month, day: date.day });
    }
    let hint = "write the last day on which it holds, unquoted: expires = 2026-12-31";
    Err(source.wrong(expires.span().start, "a waiver expires on a day".to_owned(), hint))
}
