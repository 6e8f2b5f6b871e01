//! Profiles of our own: TOML in the words of the groups.

use std::borrow::Cow;

use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use super::denied::Denied;
use super::grammar::{self, Rule, alternatives};
use super::{Archs, KernelVersion, Opened, Opening, Syscall, Target, Word};
use crate::capability::{CapSet, Capability};
use crate::seccomp::action::{Action, Op};
use crate::seccomp::arch::Arch;
use crate::seccomp::errno::{self, Numbering};
use crate::seccomp::profile::{Condition, Profile, ProfileError};
use crate::seccomp::verdict::Verdict;
use crate::spec::{Place, Pointer};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[allow(dead_code, reason = "for whoever reads the file")]
    description: Option<String>,
    default: Option<Spanned<String>>,
    #[serde(default)]
    allow: Vec<Spanned<String>>,
    #[serde(default)]
    log: Vec<Spanned<String>>,
    #[serde(default)]
    deny: Vec<Spanned<String>>,
    #[serde(default)]
    rule: Vec<Spanned<Rule>>,
}

/// A profile that is written in groups. What it comes to depends on the container's capabilities and on the machine.
///
/// `allow` and `log` open, `deny` closes, and what closes wins; a `[[rule]]` does either under conditions.
#[derive(Debug)]
pub struct GroupProfile {
    default: Verdict,
    /// In the file's order: the word, where it stands, what it does.
    words: Vec<Written>,
    rules: Vec<WrittenRule>,
}

/// One word of a list.
#[derive(Debug)]
pub struct Written {
    /// The word.
    pub word: Word,
    /// What its calls get, at most where `is_limit`.
    pub verdict: Verdict,
    /// Whether it closes.
    pub is_limit: bool,
    /// Where it stands.
    pub place: Place,
}

/// One `[[rule]]`.
#[derive(Debug)]
pub struct WrittenRule {
    /// Its calls and conditions.
    openings: Vec<Opening>,
    conditions: Vec<Vec<Condition>>,
    caps: Option<CapSet>,
    verdict: Verdict,
    /// Where it stands.
    pub place: Place,
}

impl GroupProfile {
    /// Whether a file of this name is one: it ends in `.toml`.
    pub fn is_named_by(path: &Path) -> bool {
        path.extension().is_some_and(|extension| extension == "toml")
    }

    /// Reads a file's bytes.
    ///
    /// # Errors
    /// As [`GroupProfile::parse`], and for text that is not UTF-8.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, ProfileError> {
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            let before = String::from_utf8_lossy(&error.as_bytes()[..valid]).into_owned();
            Reader { text: &before }.wrong(valid, Pointer::root(), "the text is not UTF-8", "save the file as UTF-8")
        })?;
        Self::parse(&text)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`ProfileError`] for what is no TOML, and for words that nobody knows: a deny of one would vanish.
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        let reader = Reader { text };
        let file: File = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let problem = error.message().replace('\n', " ");
            reader.wrong(at, Pointer::root(), problem, "docs/seccomp.md lists what such a file can say")
        })?;
        let default = match &file.default {
            None => Verdict::EPERM,
            Some(word) => reader.verdict(word.get_ref(), word.span().start, "default")?,
        };
        let mut words = Vec::new();
        for (key, list, verdict) in [
            ("allow", &file.allow, Verdict::ALLOW),
            ("log", &file.log, Verdict::new(Action::Log, None)),
            ("deny", &file.deny, Verdict::EPERM),
        ] {
            for (position, word) in list.iter().enumerate() {
                words.push(reader.word(key, position, word, verdict)?);
            }
        }
        let rules = file.rule.iter().enumerate();
        let rules = rules.map(|(position, rule)| reader.rule(position, rule)).collect::<Result<_, _>>()?;
        Ok(Self { default, words, rules })
    }

    /// Its words, in the order of `allow`, `log`, `deny`.
    pub fn words(&self) -> &[Written] {
        &self.words
    }

    /// The line of the first word or rule that says something of `call`; the first one where none does.
    #[cfg(feature = "cli")]
    pub fn line_of(&self, call: Syscall) -> usize {
        let words = self.words.iter().filter(|written| written.word.covers(call)).map(|written| written.place.line);
        let names = |rule: &&WrittenRule| rule.openings.iter().any(|opening| opening.call == call);
        words.chain(self.rules.iter().filter(names).map(|rule| rule.place.line)).next().unwrap_or(1)
    }

    /// What it comes to for one container on one machine, in canonical form.
    pub fn resolve(&self, target: &Target) -> Profile {
        let mut opened = Opened::new(target);
        opened.default = self.default;
        let mut denied = Denied::new(target);
        for written in &self.words {
            match (written.is_limit, written.word) {
                (true, word) => denied.word(word),
                (false, Word::Default) => opened.open_default(written.verdict),
                (false, Word::Group(group)) => opened.open(group, written.verdict),
                (false, Word::Call(call)) => opened.give(call, written.verdict),
            }
        }
        // Calls are opened by conditions only where nothing opens all of them; what closes comes last.
        for rule in
            self.rules.iter().filter(|rule| rule.caps.is_none_or(|caps| !caps.intersection(target.caps).is_empty()))
        {
            rule.apply(target, &mut opened, &mut denied);
        }
        denied.apply(&opened.profile())
    }
}

impl WrittenRule {
    fn apply(&self, target: &Target, opened: &mut Opened<'_>, denied: &mut Denied<'_>) {
        for opening in self.openings.iter().filter(|opening| opening.applies(target)) {
            for conditions in &self.conditions {
                match (self.verdict.lets_through(), conditions.is_empty()) {
                    (true, true) => opened.give(opening.call, self.verdict),
                    (true, false) => opened.give_when(opening.call, Cow::Owned(conditions.clone()), self.verdict),
                    (false, _) => denied.close_when(opening.call, conditions.clone(), self.verdict),
                }
            }
        }
    }
}

struct Reader<'t> {
    text: &'t str,
}

impl Reader<'_> {
    fn wrong(&self, at: usize, pointer: Pointer, problem: impl Into<String>, hint: &'static str) -> ProfileError {
        ProfileError { problem: problem.into(), pointer, place: Place::of(self.text, at), hint }
    }

    fn word(
        &self,
        key: &str,
        position: usize,
        word: &Spanned<String>,
        verdict: Verdict,
    ) -> Result<Written, ProfileError> {
        let pointer = || Pointer::new("").child(key).child(&position.to_string());
        let (text, at) = (word.get_ref(), word.span().start);
        let hint = "batten seccomp groups lists the groups and their calls";
        let known = Word::read(text)
            .ok_or_else(|| self.wrong(at, pointer(), format!("no group or system call is called {text:?}"), hint))?;
        if key == "deny" && known.is_multiplexer() {
            return Err(self.wrong(at, pointer(), format!("{text:?} is not closed by its name"), Word::BEHIND));
        }
        Ok(Written { word: known, verdict, is_limit: key == "deny", place: Place::of(self.text, at) })
    }

    /// `allow`, `log`, `kill`, `kill-process`, `trap`, or the name of an error.
    fn verdict(&self, word: &str, at: usize, key: &str) -> Result<Verdict, ProfileError> {
        let action = match word {
            "allow" => Action::Allow,
            "log" => Action::Log,
            "trap" => Action::Trap,
            "kill" => Action::KillThread,
            "kill-process" => Action::KillProcess,
            name => {
                let number = errno::number(name, Numbering::NATIVE);
                let problem = || format!("{key} = {name:?} is no action");
                let hint = "allow, log, trap, kill, kill-process, or an error's name such as EPERM or ENOSYS";
                let number = number.ok_or_else(|| self.wrong(at, Pointer::new("").child(key), problem(), hint))?;
                return Ok(Verdict::new(Action::Errno, Some(number)));
            }
        };
        Ok(Verdict::new(action, None))
    }

    fn rule(&self, position: usize, written: &Spanned<Rule>) -> Result<WrittenRule, ProfileError> {
        let (rule, at) = (written.get_ref(), written.span().start);
        let pointer = || Pointer::new("/rule").child(&position.to_string());
        let wrong = |problem: String| self.wrong(at, pointer(), problem, "docs/seccomp.md shows how a rule is written");
        let verdict = rule.action.as_deref().map_or(Ok(Verdict::ALLOW), |action| self.verdict(action, at, "action"))?;
        let (major, minor) = grammar::kernel(rule.kernel.as_deref()).map_err(wrong)?;
        let compat = grammar::compat(rule.abis.as_deref()).map_err(wrong)?;
        if rule.calls.is_empty() {
            return Err(wrong("the rule names no system call".to_owned()));
        }
        let conditions = alternatives(&rule.when).map_err(wrong)?;
        let opening = |name: &String| {
            let call = Syscall::from_name(name).ok_or_else(|| wrong(format!("no system call is called {name:?}")))?;
            let archs = archs(rule.archs.as_deref(), rule.not_archs.as_deref()).map_err(wrong)?;
            Ok::<_, ProfileError>(Opening {
                call,
                conditions: &[],
                kernel: KernelVersion { major, minor },
                compat,
                archs,
            })
        };
        Ok(WrittenRule {
            openings: rule.calls.iter().map(opening).collect::<Result<_, _>>()?,
            conditions: conditions.iter().map(|all| all.iter().map(condition).collect()).collect(),
            caps: rule.caps.as_deref().map(capabilities).transpose().map_err(wrong)?,
            verdict,
            place: Place::of(self.text, at),
        })
    }
}

fn condition((index, op, value, value_two): &grammar::Compared) -> Condition {
    let op = match *op {
        "Ne" => Op::Ne,
        "Lt" => Op::Lt,
        "Le" => Op::Le,
        "Ge" => Op::Ge,
        "Gt" => Op::Gt,
        "MaskedEq" => Op::MaskedEq,
        _ => Op::Eq,
    };
    Condition { index: *index, value: *value, value_two: *value_two, op }
}

fn capabilities(names: &[String]) -> Result<CapSet, String> {
    let known = |name: &String| Capability::from_name(name).ok_or_else(|| format!("no capability is called {name:?}"));
    names.iter().map(known).collect()
}

fn archs(only: Option<&[String]>, not: Option<&[String]>) -> Result<Archs, String> {
    let known = |names: &[String]| {
        let arch = |name: &String| {
            Arch::from_name(&format!("SCMP_ARCH_{name}"))
                .ok_or_else(|| format!("no architecture is called {name:?}: X86_64, AARCH64, …"))
        };
        names.iter().map(arch).collect::<Result<Vec<_>, _>>()
    };
    match (only, not) {
        (None, None) => Ok(Archs::All),
        (Some(only), None) => Ok(Archs::Only(known(only)?.into())),
        (None, Some(not)) => Ok(Archs::Not(known(not)?.into())),
        (Some(_), Some(_)) => Err("a rule has both archs and not-archs".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{builtin, tests::ask_profile, tests::target};
    use super::*;
    use crate::seccomp::is_subset;

    fn resolved(text: &str, target: &Target) -> Profile {
        GroupProfile::parse(text).unwrap().resolve(target)
    }

    #[test]
    fn groups_calls_and_rules_make_a_profile() {
        let target = target(CapSet::EMPTY);
        let profile = resolved(
            "allow = ['@default', 'keyctl']\nlog = ['ptrace']\ndeny = ['@async-io']\n\
             [[rule]]\ncalls = ['io_uring_setup']\nwhen = [{ arg = 0, op = '<=', value = 8 }]\n\
             [[rule]]\ncalls = ['ioctl']\nwhen = [{ arg = 1, any = [0x5412, 0x541c] }]\naction = 'EPERM'\n",
            &target,
        );
        let ask = |name, args: &[u64]| ask_profile(&profile, Arch::X86_64, name, args);
        assert_eq!(ask("keyctl", &[]), Verdict::ALLOW);
        assert_eq!(ask("ptrace", &[]).action(), Action::Log);
        assert_eq!(ask("io_setup", &[]), Verdict::EPERM);
        assert_eq!(ask("io_uring_setup", &[8]), Verdict::ALLOW);
        assert_eq!(ask("io_uring_setup", &[9]), Verdict::EPERM);
        assert_eq!(ask("ioctl", &[0, 0x5412]), Verdict::EPERM);
        assert_eq!(ask("ioctl", &[0, 0x5413]), Verdict::ALLOW);
    }

    #[test]
    fn the_built_in_profile_is_one_word() {
        for caps in [CapSet::EMPTY, CapSet::DOCKER, CapSet::ALL] {
            let target = target(caps);
            assert_eq!(resolved("allow = ['@default']", &target), builtin(&target));
        }
    }

    #[test]
    fn nothing_is_open_that_is_not_said() {
        let target = target(CapSet::ALL);
        let empty = resolved("", &target);
        assert_eq!(empty.default_action, Action::Errno);
        assert!(empty.syscalls.iter().all(|rule| rule.action == Action::Errno), "{empty:?}");
        assert_eq!(is_subset(&empty, &builtin(&target), Arch::X86_64), Ok(()));
        let killing = resolved("default = 'kill-process'\nallow = ['read']", &target);
        assert_eq!(killing.default_action, Action::KillProcess);
    }

    #[test]
    fn a_rule_may_ask_for_a_capability() {
        let text = "[[rule]]\ncalls = ['keyctl']\ncaps = ['CAP_SYS_ADMIN']\n";
        let ask = |caps| ask_profile(&resolved(text, &target(caps)), Arch::X86_64, "keyctl", &[]);
        assert_eq!((ask(CapSet::EMPTY), ask(CapSet::ALL)), (Verdict::EPERM, Verdict::ALLOW));
    }

    #[test]
    fn what_nobody_knows_is_refused_with_its_line() {
        for (text, pointer, line, problem) in [
            ("\nallow = ['read', 'wriet']", "/allow/1", 2, "no group or system call is called \"wriet\""),
            ("deny = ['@io_uring']", "/deny/0", 1, "no group or system call is called \"@io_uring\""),
            ("deny = ['socketcall']", "/deny/0", 1, "\"socketcall\" is not closed by its name"),
            ("default = 'EPREM'", "/default", 1, "default = \"EPREM\" is no action"),
            ("alow = []", "(the whole document)", 1, "unknown field `alow`"),
            ("[[rule]]\ncalls = []", "/rule/0", 1, "the rule names no system call"),
            (
                "[[rule]]\ncalls = ['read']\nwhen = [{ arg = 6, value = 1, op = '==' }]",
                "/rule/0",
                1,
                "arguments 0 to 5",
            ),
            ("[[rule]]\ncalls = ['read']\ncaps = ['SYS_ADMIN']", "/rule/0", 1, "no capability is called"),
            ("[[rule]]\ncalls = ['read']\narchs = ['amd64']", "/rule/0", 1, "no architecture is called"),
            (
                "[[rule]]\ncalls = ['read']\nwhen = [{ arg = 0, mask = 1, value = 2, op = '==' }]",
                "/rule/0",
                1,
                "the condition never holds",
            ),
            (
                "[[rule]]\ncalls = ['read']\nwhen = [{ arg = 0, value = 2, op = '~' }]",
                "/rule/0",
                1,
                "op = \"~\": write ==, !=",
            ),
            ("[[rule]]\ncalls = ['read']\nwhen = [{ arg = 0, value = 2 }]", "/rule/0", 1, "has an `op`: ==, !="),
            (
                "[[rule]]\ncalls = ['read']\nwhen = [{ arg = 0, mask = 3, value = 2, op = '<' }]",
                "/rule/0",
                1,
                "a mask goes with == only",
            ),
        ] {
            let error = GroupProfile::parse(text).unwrap_err();
            assert_eq!((error.pointer.to_string().as_str(), error.place.line), (pointer, line), "{error}");
            assert!(error.problem.contains(problem), "{error}");
        }
    }
}
