//! A profile from one format into another, with an error where the other one cannot say it.

use super::docker::{Dialect, DockerProfile, Fidelity, items};
use super::errno;
use super::format::Format;
use super::profile::{ProfileError, push_number};
use super::resolve::names;
use super::target::Target;
use crate::spec::{Document, Value, quote};

/// Writes a profile in JSON as Docker (`Dialect::Moby`) or container-libs reads it, conditions and all: as OCI's object, which
/// knows no conditions, for [`Dialect::Containerd`].
///
/// # Errors
/// [`ProfileError`] at what the format cannot say, and where the profile itself is refused.
pub fn convert(document: &Document, to: Dialect, target: &Target) -> Result<String, ProfileError> {
    let root = document.root();
    let from = Format::of(root);
    DockerProfile::read(root, from.dialect(), Fidelity::Safe)?;
    let writer = Writer { from, to, target };
    let mut out = String::with_capacity(document.text().len());
    writer.head(root, &mut out)?;
    Ok(out)
}

struct Writer<'t> {
    from: Format,
    to: Dialect,
    target: &'t Target,
}

const RESOLVE: &str = "resolve it for one container: --caps CAP,… (--caps \"\" for one without any)";

impl Writer<'_> {
    fn head(&self, root: Value<'_>, out: &mut String) -> Result<(), ProfileError> {
        let says_default = root.get("defaultAction").and_then(Value::as_str).is_some_and(|action| !action.is_empty());
        if self.to == Dialect::Containerd && !says_default && items(root, "syscalls").next().is_none() {
            let problem = "the profile has neither a default action nor rules, which switches seccomp off for engines";
            return Err(ProfileError::at(
                root,
                problem,
                "OCI says so by leaving linux.seccomp out; else write a defaultAction",
            ));
        }
        out.push('{');
        let mut object = Members { out, first: true };
        let mut numbered = false;
        for (key, value) in root.members() {
            match &*key {
                "archMap" if self.to == Dialect::Containerd && value.items().next().is_some() => {
                    let problem = "OCI knows no archMap, only the architectures of one machine";
                    return Err(ProfileError::at(value, problem, RESOLVE));
                }
                "archMap" if self.to == Dialect::Containerd => {}
                "defaultErrno" | "defaultErrnoRet" => {
                    if !std::mem::replace(&mut numbered, true) {
                        self.number(root, "defaultErrno", "defaultErrnoRet", &mut object)?;
                    }
                }
                "syscalls" => self.rules(root, &mut object)?,
                _ => object.raw(&key, value),
            }
        }
        out.push('}');
        Ok(())
    }

    fn rules(&self, root: Value<'_>, object: &mut Members<'_>) -> Result<(), ProfileError> {
        object.key("syscalls");
        object.out.push('[');
        // container-libs skips a rule that names no call; the others refuse it.
        let says = |rule: &Value<'_>| self.from != Format::Containers || names_any(*rule);
        for (position, rule) in items(root, "syscalls").filter(says).enumerate() {
            if position > 0 {
                object.out.push(',');
            }
            self.rule(rule, object.out)?;
        }
        object.out.push(']');
        Ok(())
    }

    fn rule(&self, rule: Value<'_>, out: &mut String) -> Result<(), ProfileError> {
        // container-libs refuses it only where the rule applies, moby everywhere.
        names(rule)?;
        out.push('{');
        let mut object = Members { out, first: true };
        let mut numbered = false;
        for (key, value) in rule.members() {
            match &*key {
                "includes" | "excludes" => self.conditions(&key, value, &mut object)?,
                "errno" | "errnoRet" => {
                    if !std::mem::replace(&mut numbered, true) {
                        self.number(rule, "errno", "errnoRet", &mut object)?;
                    }
                }
                "name" if self.to == Dialect::Containerd => {
                    let given = value.as_str().is_some_and(|name| !name.is_empty());
                    if given {
                        object.key("names");
                        object.out.push('[');
                        object.out.push_str(value.raw());
                        object.out.push(']');
                    }
                }
                // OCI's object has no place for it, and runtimes do not look.
                "comment" if self.to == Dialect::Containerd => {}
                "names" if rule.get("name").is_some() && value.items().next().is_none() => {}
                _ => object.raw(&key, value),
            }
        }
        out.push('}');
        Ok(())
    }

    fn conditions(&self, key: &str, value: Value<'_>, object: &mut Members<'_>) -> Result<(), ProfileError> {
        let asks = |member| value.get(member).is_some_and(|own| own.items().next().is_some() || own.as_str().is_some());
        let any = ["caps", "arches", "minKernel"].into_iter().any(asks);
        match self.to {
            Dialect::Containerd if any => {
                let problem = "OCI knows no conditions: the rule would apply always";
                Err(ProfileError::at(value, problem, RESOLVE))
            }
            Dialect::Containerd => Ok(()),
            Dialect::Containers if value.get("minKernel").is_some() => {
                let problem = "container-libs knows no minKernel: the rule would apply on every kernel";
                Err(ProfileError::at(value, problem, RESOLVE))
            }
            _ => {
                object.raw(key, value);
                Ok(())
            }
        }
    }

    /// The error number: container-libs takes a name before a number, the others know numbers only.
    fn number(&self, owner: Value<'_>, name: &str, number: &str, object: &mut Members<'_>) -> Result<(), ProfileError> {
        let given = owner.get(name).filter(|_| self.from == Format::Containers);
        let Some(given) = given.filter(|given| given.as_str().is_some_and(|text| !text.is_empty())) else {
            if let Some(own) = owner.get(number) {
                object.raw(number, own);
            }
            return Ok(());
        };
        if self.to == Dialect::Containers {
            object.raw(name, given);
            return Ok(());
        }
        let text = given.as_str().unwrap_or_default();
        let known = text.parse().ok().or_else(|| errno::number(&text, self.target.numbering()));
        let known: u32 = known.ok_or_else(|| {
            ProfileError::at(
                given,
                format!("container-libs knows no error {text:?}"),
                "use a name such as EPERM or ENOSYS",
            )
        })?;
        object.key(number);
        push_number(object.out, "", known.into());
        Ok(())
    }
}

fn names_any(rule: Value<'_>) -> bool {
    let one = rule.get("name").and_then(Value::as_str).is_some_and(|name| !name.is_empty());
    one || items(rule, "names").next().is_some()
}

/// An object in the making.
struct Members<'o> {
    out: &'o mut String,
    first: bool,
}

impl Members<'_> {
    fn key(&mut self, key: &str) {
        if !std::mem::replace(&mut self.first, false) {
            self.out.push(',');
        }
        quote(key, self.out);
        self.out.push(':');
    }

    fn raw(&mut self, key: &str, value: Value<'_>) {
        self.key(key);
        self.out.push_str(value.raw());
    }
}
