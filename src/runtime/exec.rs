//! What an exec asks for, as one process document: it is judged, and it is all that the runtime gets.
//!
//! `exec --process FILE` replaces nearly everything the container's own process has (field notes: `docker exec
//! --privileged`); `exec --cap X --apparmor Y` says the same in flags, which runc lays over the bundle's config.json and
//! crun over nothing. Both become a document here, with what the runtime would fill in from the container filled in, so
//! that the judgement sees what would be in force.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};

use super::argv::{ArgvError, Dialect, Exec};
use crate::spec::{Document, Edit, EditError, Pointer, Value, apply, quote};

/// An exec that cannot be written as a process document.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// A flag's value has no meaning.
    #[error("--{option} takes {expected}, not {value:?}")]
    Value {
        /// The option.
        option: &'static str,
        /// What it takes.
        expected: &'static str,
        /// What was given.
        value: String,
    },
    /// Text that JSON cannot carry.
    #[error(transparent)]
    Argv(#[from] ArgvError),
    /// The container has no process to start from.
    #[error("the container's config.json has no process, so exec needs --process")]
    NoProcess,
    /// The container's values do not fit the process file.
    #[error(transparent)]
    Edit(#[from] EditError),
}

impl ExecError {
    /// What the caller can do.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Value { .. } => "see `exec --help` of the runtime",
            Self::Argv(error) => error.hint(),
            Self::NoProcess => "write the process into a file and pass it with --process",
            Self::Edit(_) => "this is a defect of batten: please report it with the process file",
        }
    }
}

/// The process file with what both runtimes take from the container where the file says nothing: capabilities and the
/// AppArmor profile.
///
/// # Errors
/// [`ExecError`] when the file is no object.
pub fn complete(process: &Document, container: &Document) -> Result<String, ExecError> {
    let mut edits = Vec::new();
    for member in ["capabilities", "apparmorProfile"] {
        let said = process.root().get(member).filter(|value| value.as_str().is_none_or(|name| !name.is_empty()));
        if let (None, Some(own)) = (said, own_process(container).and_then(|own| own.get(member))) {
            edits.push(Edit::set(Pointer::root().child(member), own.raw()));
        }
    }
    Ok(apply(process, &edits)?)
}

/// The process that the flags of `exec` ask for.
///
/// # Errors
/// [`ExecError`] for values that the runtime would refuse, or text that is not UTF-8.
pub fn from_flags(exec: &Exec, container: &Document, dialect: Dialect) -> Result<String, ExecError> {
    let own = own_process(container).ok_or(ExecError::NoProcess)?;
    let mut process = Object::new();
    process.member("args", &list(&[], exec.command.iter().map(OsString::as_os_str), "a word of the command")?);
    process.member("terminal", if exec.flag("tty").unwrap_or(false) { "true" } else { "false" });
    let env: Vec<_> = own.get("env").into_iter().flat_map(Value::items).map(Value::raw).collect();
    process.member("env", &list(&env, exec.values("env"), "the environment")?);
    for (option, member) in [("cwd", "cwd"), ("apparmor", "apparmorProfile"), ("process-label", "selinuxLabel")] {
        if let Some(value) = exec.value(option) {
            process.text(member, utf8(value, "the value of an option")?);
        }
    }
    if let Some(user) = user(exec, own, dialect)? {
        process.member("user", &user);
    }
    if let Some(capabilities) = capabilities(exec, own, dialect)? {
        process.member("capabilities", &capabilities);
    }
    match (exec.flag("no-new-privs"), dialect) {
        (Some(on), _) => process.member("noNewPrivileges", if on { "true" } else { "false" }),
        // crun starts from nothing, so without the flag it is off.
        (None, Dialect::Crun) => process.member("noNewPrivileges", "false"),
        (None, _) => {}
    }
    inherit(&mut process, own, dialect);
    Ok(process.finish())
}

/// What no flag speaks of: runc keeps the container's own, crun only a few.
fn inherit(process: &mut Object, own: Value<'_>, dialect: Dialect) {
    const CRUN: [&str; 4] = ["apparmorProfile", "capabilities", "selinuxLabel", "user"];
    for (key, value) in own.members().filter(|(_, value)| !value.is_null()) {
        if !process.has(&key) && (dialect != Dialect::Crun || CRUN.contains(&&*key)) {
            process.member(&key, value.raw());
        }
    }
    if !process.has("cwd") {
        process.text("cwd", "/");
    }
}

/// `UID[:GID]` over the container's user; crun starts from an empty one.
fn user(exec: &Exec, own: Value<'_>, dialect: Dialect) -> Result<Option<String>, ExecError> {
    let more: Vec<_> =
        exec.values("additional-gids").map(|gid| id("additional-gids", gid)).collect::<Result<_, _>>()?;
    let (uid, gid) = match exec.value("user") {
        None if more.is_empty() => return Ok(None),
        None => (None, None),
        Some(text) => {
            let text = utf8(text, "the value of an option")?;
            let (uid, gid) = text.split_once(':').map_or((text, None), |(uid, gid)| (uid, Some(gid)));
            (Some(id("user", OsStr::new(uid))?), gid.map(|gid| id("user", OsStr::new(gid))).transpose()?)
        }
    };
    let mut user = Object::new();
    if let Some(uid) = uid {
        user.member("uid", &uid.to_string());
    }
    match (gid, dialect) {
        (Some(gid), _) => user.member("gid", &gid.to_string()),
        (None, Dialect::Crun) => user.member("gid", "0"),
        (None, _) => {}
    }
    if dialect != Dialect::Crun {
        let own = own.get("user");
        if !more.is_empty() {
            let kept: Vec<_> =
                own.and_then(|own| own.get("additionalGids")).into_iter().flat_map(Value::items).collect();
            let all =
                kept.iter().map(|gid| Cow::Borrowed(gid.raw())).chain(more.iter().map(|gid| gid.to_string().into()));
            user.member("additionalGids", &format!("[{}]", all.collect::<Vec<_>>().join(",")));
        }
        for (key, value) in own.into_iter().flat_map(Value::members) {
            if !user.has(&key) {
                user.member(&key, value.raw());
            }
        }
    }
    Ok(Some(user.finish()))
}

fn id(option: &'static str, value: &OsStr) -> Result<u32, ExecError> {
    let expected = if option == "user" { "UID or UID:GID" } else { "a group id" };
    let digits = value.to_str().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
    digits.and_then(|text| text.parse().ok()).ok_or_else(|| ExecError::Value {
        option,
        expected,
        value: value.to_string_lossy().into_owned(),
    })
}

/// `--cap` adds to the bounding, effective and permitted sets of the container (crun: to empty ones). The ambient set
/// takes what is inheritable as well, or the kernel refuses it.
fn capabilities(exec: &Exec, own: Value<'_>, dialect: Dialect) -> Result<Option<String>, ExecError> {
    let added: Vec<_> = exec.values("cap").collect();
    if added.is_empty() {
        return Ok(None);
    }
    let own = own.get("capabilities").filter(|_| dialect != Dialect::Crun);
    let set =
        |name| own.and_then(|own| own.get(name)).into_iter().flat_map(Value::items).map(Value::raw).collect::<Vec<_>>();
    let inheritable = set("inheritable");
    let mut object = Object::new();
    for name in ["bounding", "effective", "permitted"] {
        object.member(name, &list(&set(name), added.iter().copied(), "a capability")?);
    }
    let quoted = |capability: &OsStr| {
        let mut json = String::new();
        quote(&capability.to_string_lossy(), &mut json);
        json
    };
    let ambient = added.iter().copied().filter(|capability| inheritable.contains(&&*quoted(capability)));
    object.member("ambient", &list(&set("ambient"), ambient, "a capability")?);
    object.member("inheritable", &list(&inheritable, std::iter::empty(), "a capability")?);
    Ok(Some(object.finish()))
}

fn own_process(container: &Document) -> Option<Value<'_>> {
    container.root().get("process")
}

/// A JSON array of what is there already and of words yet to be quoted.
fn list<'w>(kept: &[&str], words: impl Iterator<Item = &'w OsStr>, what: &'static str) -> Result<String, ExecError> {
    let mut json = String::from("[");
    let comma = |json: &mut String| {
        if json.len() > 1 {
            json.push(',');
        }
    };
    for item in kept {
        comma(&mut json);
        json.push_str(item);
    }
    for word in words {
        comma(&mut json);
        quote(utf8(word, what)?, &mut json);
    }
    json.push(']');
    Ok(json)
}

fn utf8<'w>(word: &'w OsStr, what: &'static str) -> Result<&'w str, ArgvError> {
    word.to_str().ok_or_else(|| ArgvError::NotUtf8 { what, value: word.to_string_lossy().into_owned() })
}

/// A JSON object in the making; small enough to look its members up one by one.
struct Object {
    json: String,
    keys: Vec<String>,
}

impl Object {
    fn new() -> Self {
        Self { json: String::from("{"), keys: Vec::new() }
    }

    fn has(&self, key: &str) -> bool {
        self.keys.iter().any(|own| own == key)
    }

    fn member(&mut self, key: &str, json: &str) {
        if !self.keys.is_empty() {
            self.json.push(',');
        }
        quote(key, &mut self.json);
        self.json.push(':');
        self.json.push_str(json);
        self.keys.push(key.to_owned());
    }

    fn text(&mut self, key: &str, text: &str) {
        let mut json = String::with_capacity(text.len() + 2);
        quote(text, &mut json);
        self.member(key, &json);
    }

    fn finish(mut self) -> String {
        self.json.push('}');
        self.json
    }
}

#[cfg(test)]
mod tests {
    use super::super::argv::{Command, Invocation};
    use super::*;

    const CONTAINER: &str = r#"{"process":{"args":["top"],"env":["A=1"],"cwd":"/srv","noNewPrivileges":true,
        "user":{"uid":5,"gid":6,"additionalGids":[7]},"rlimits":[],"apparmorProfile":"own",
        "capabilities":{"bounding":["CAP_KILL"],"inheritable":["CAP_CHOWN"]}}}"#;

    fn process(line: &[&str], dialect: Dialect) -> Result<String, ExecError> {
        let args: Vec<_> = line.iter().map(OsString::from).collect();
        let Command::Exec(exec) = Invocation::parse(&args, dialect).unwrap().command else { panic!() };
        let process = from_flags(&exec, &Document::parse_spec(CONTAINER).unwrap(), dialect)?;
        Document::parse_process(process.as_str()).unwrap();
        Ok(process)
    }

    #[test]
    fn runc_lays_the_flags_over_the_container_s_process() {
        assert_eq!(
            process(&["exec", "-e", "B=2", "-u", "9", "-g", "8", "c1", "sh", "-c", "a\"b"], Dialect::Runc).unwrap(),
            r#"{"args":["sh","-c","a\"b"],"terminal":false,"env":["A=1","B=2"],"user":{"uid":9,"additionalGids":[7,8],"gid":6},"cwd":"/srv","noNewPrivileges":true,"rlimits":[],"apparmorProfile":"own","capabilities":{"bounding":["CAP_KILL"],"inheritable":["CAP_CHOWN"]}}"#
        );
    }

    #[test]
    fn crun_starts_from_nothing_but_environment_user_capabilities_and_labels() {
        assert_eq!(
            process(&["exec", "-t", "-u", "9", "c1", "sh"], Dialect::Crun).unwrap(),
            r#"{"args":["sh"],"terminal":true,"env":["A=1"],"user":{"uid":9,"gid":0},"noNewPrivileges":false,"apparmorProfile":"own","capabilities":{"bounding":["CAP_KILL"],"inheritable":["CAP_CHOWN"]},"cwd":"/"}"#
        );
    }

    #[test]
    fn added_capabilities_are_ambient_only_where_they_are_inheritable() {
        let line = ["exec", "-c", "CAP_CHOWN", "--cap", "CAP_SYS_ADMIN", "c1", "sh"];
        let runc = process(&line, Dialect::Runc).unwrap();
        assert!(runc.contains(r#""capabilities":{"bounding":["CAP_KILL","CAP_CHOWN","CAP_SYS_ADMIN"],"effective":["CAP_CHOWN","CAP_SYS_ADMIN"],"permitted":["CAP_CHOWN","CAP_SYS_ADMIN"],"ambient":["CAP_CHOWN"],"inheritable":["CAP_CHOWN"]}"#), "{runc}");
        let crun = process(&line, Dialect::Crun).unwrap();
        assert!(crun.contains(r#""capabilities":{"bounding":["CAP_CHOWN","CAP_SYS_ADMIN"],"effective":["CAP_CHOWN","CAP_SYS_ADMIN"],"permitted":["CAP_CHOWN","CAP_SYS_ADMIN"],"ambient":[],"inheritable":[]}"#), "{crun}");
    }

    #[test]
    fn flags_that_loosen_are_in_the_document_that_is_judged() {
        let line = ["exec", "--no-new-privs=false", "--apparmor", "unconfined", "c1", "sh"];
        let process = process(&line, Dialect::Runc).unwrap();
        assert!(
            process.contains(r#""noNewPrivileges":false"#) && process.contains(r#""apparmorProfile":"unconfined""#)
        );
    }

    #[test]
    fn a_user_that_is_no_number_is_refused() {
        for user in ["root", "-1", "+1", "1:", "1:x", "4294967296", ""] {
            let line = ["exec", "--user", user, "c1", "sh"].map(OsString::from);
            let Ok(invocation) = Invocation::parse(&line, Dialect::Runc) else { continue };
            let Command::Exec(exec) = invocation.command else { panic!() };
            let container = Document::parse_spec(CONTAINER).unwrap();
            assert!(matches!(from_flags(&exec, &container, Dialect::Runc), Err(ExecError::Value { .. })), "{user}");
        }
    }

    #[test]
    fn a_process_file_that_says_nothing_of_capabilities_gets_the_container_s() {
        let container = Document::parse_spec(CONTAINER).unwrap();
        let file = Document::parse_process(r#"{"args":["sh"],"apparmorProfile":""}"#).unwrap();
        assert_eq!(
            complete(&file, &container).unwrap(),
            r#"{"args":["sh"],"apparmorProfile":"own","capabilities":{"bounding":["CAP_KILL"],"inheritable":["CAP_CHOWN"]}}"#
        );
        let file = Document::parse_process(r#"{"capabilities":{}}"#).unwrap();
        assert!(complete(&file, &container).unwrap().starts_with(r#"{"capabilities":{}"#));
    }

    proptest::proptest! {
        /// The fuzz target `exec` asks the same of more.
        #[test]
        fn whatever_the_options_hold_the_document_is_read_by_every_runtime_alike(
            words in proptest::collection::vec("[^\0]{0,12}", 1..5),
            option in proptest::sample::select(vec!["--env", "--cwd", "--apparmor", "--process-label", "--cap", "--user"]),
            value in "[^\0]{1,12}",
        ) {
            for dialect in [Dialect::Runc, Dialect::Crun, Dialect::Common] {
                let line = ["exec", option, &value, "c1"].into_iter().chain(words.iter().map(String::as_str));
                let line: Vec<_> = line.map(OsString::from).collect();
                let Ok(Invocation { command: Command::Exec(exec), .. }) = Invocation::parse(&line, dialect) else { continue };
                let container = Document::parse_spec(CONTAINER).unwrap();
                if let Ok(text) = from_flags(&exec, &container, dialect) {
                    let process = Document::parse_process(text).unwrap();
                    let args = process.root().get("args").unwrap();
                    let read: Vec<_> = args.items().map(|word| word.as_str().unwrap().into_owned()).collect();
                    proptest::prop_assert_eq!(&read, &words);
                }
            }
        }
    }
}
