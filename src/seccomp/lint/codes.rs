//! Every kind of remark.

use crate::remark::Level;
use Level::{Error, Note, Warning};

/// One kind of remark.
#[derive(Debug)]
pub struct Code {
    /// Its name, in words with hyphens.
    pub name: &'static str,
    /// How much it matters.
    pub level: Level,
    /// What it is about, in a sentence.
    pub about: &'static str,
    /// What to do.
    pub hint: &'static str,
}

const fn code(name: &'static str, level: Level, about: &'static str, hint: &'static str) -> Code {
    Code { name, level, about, hint }
}

/// All of them, in the order of docs/seccomp.md.
pub static CODES: &[Code] = &[
    code(
        "refused",
        Error,
        "The engine or the runtime refuses the profile.",
        "put it right; batten seccomp resolve shows what an engine makes of it",
    ),
    code(
        "switched-off",
        Error,
        "Neither a default action nor rules: engines run the container without seccomp.",
        "write a defaultAction, as in \"SCMP_ACT_ERRNO\"",
    ),
    code(
        "vanished-deny",
        Error,
        "A rule that refuses names a call that nobody knows: runtimes skip it in silence.",
        "correct the spelling; the call is not refused as it stands",
    ),
    code(
        "unknown-call",
        Warning,
        "A rule names a call that nobody knows: runtimes skip it in silence.",
        "correct the spelling, as in syscalls(2)",
    ),
    code(
        "newer-than-libseccomp",
        Warning,
        "A rule refuses a call that libseccomp 2.5.4 (Debian 12, Ubuntu 22.04) does not know: there it is skipped.",
        "make the default action refuse, and list what is let through",
    ),
    code(
        "unknown-arch",
        Error,
        "An architecture that nobody knows: runtimes refuse the profile.",
        "SCMP_ARCH_X86_64, SCMP_ARCH_AARCH64, …: as the runtime-spec lists them",
    ),
    code(
        "unknown-machine",
        Warning,
        "A condition names a machine that Go does not: it never holds.",
        "amd64, arm64, riscv64, …: as Go names them, and x86 for 386",
    ),
    code(
        "unknown-capability",
        Warning,
        "A condition names no capability: it never holds. Letters count, as in CAP_SYS_ADMIN.",
        "spell it as in capabilities(7)",
    ),
    code(
        "never-applies",
        Warning,
        "What a rule includes it excludes: it applies to no container.",
        "remove one of the conditions, or the rule",
    ),
    code(
        "never-matches",
        Warning,
        "The conditions on arguments hold for no call.",
        "correct the conditions, or remove the rule",
    ),
    code(
        "masked-bits",
        Warning,
        "The datum of MASKED_EQ has bits outside its mask: libseccomp drops them. The mask is `value`, the datum `valueTwo`.",
        "were value and valueTwo exchanged?",
    ),
    code(
        "or-conditions",
        Warning,
        "Conditions on the same argument are alternatives: one is enough.",
        "write one rule for each alternative if that is meant, MASKED_EQ or a range if all must hold",
    ),
    code(
        "same-as-default",
        Note,
        "The rule repeats the default action: runtimes skip it.",
        "remove it; runc answers ENOSYS for numbers above the largest one that a profile names",
    ),
    code(
        "void-rule",
        Warning,
        "Another rule takes the calls whatever their arguments: this one never counts.",
        "remove one of the two",
    ),
    code("repeated-rule", Note, "Another rule says the same of the calls.", "remove one of the two"),
    code(
        "contending-rules",
        Warning,
        "Rules with different actions claim the same call: which one counts depends on libseccomp's inner order.",
        "make their conditions exclude each other",
    ),
    code(
        "miscompiled",
        Warning,
        "libseccomp compiles the conditional rules for the call to something else than they say.",
        "use equality and masks, one argument a rule",
    ),
    code(
        "endless",
        Error,
        "libseccomp may never come to an end with the rules for the call: the runtime hangs.",
        "use equality and masks, one argument a rule",
    ),
    code(
        "lost-rules",
        Error,
        "libseccomp may compile a filter in which no rule counts for that interface.",
        "let through one call of that interface whatever its arguments, or list no such architecture",
    ),
    code(
        "upper-bits",
        Warning,
        "The kernel looks at 32 bits of the argument, the filter at 64: the refused value with a bit set above them is let through.",
        "list what is let through with SCMP_CMP_EQ",
    ),
    code(
        "cut-value",
        Note,
        "32-bit interfaces compare only the lower half of the value.",
        "keep values below 2^32, or list no 32-bit architecture",
    ),
    code(
        "default-allows",
        Warning,
        "What no rule names is let through, with every call that a later kernel brings.",
        "refuse by default, and list what is let through",
    ),
    code("cannot-start", Error, "The program itself cannot be started.", "let execve and exit_group through"),
    code(
        "runtime-needs",
        Warning,
        "runc makes calls after it has loaded the filter, where no_new_privs is not set, and they are refused.",
        "let them through, or set no_new_privs",
    ),
    code(
        "clone3-open",
        Error,
        "clone is refused by its flags and clone3, which has the same ones behind a pointer, is let through.",
        "answer clone3 with ENOSYS (38): programs use clone then",
    ),
    code(
        "clone3-not-enosys",
        Warning,
        "clone3 is refused, but not with ENOSYS: programs do not fall back to clone, and cannot start threads.",
        "answer clone3 with ENOSYS (38)",
    ),
    code(
        "multiplexed",
        Warning,
        "socketcall is let through, which makes the sockets that the rules for socket refuse.",
        "list no 32-bit architecture, or refuse socketcall",
    ),
    code(
        "opens-closed-group",
        Warning,
        "Calls are let through that the built-in profile opens to nobody.",
        "refuse them, unless the container is known to need them",
    ),
    code(
        "capability-refused",
        Warning,
        "A granted capability is of no use: its calls are refused.",
        "let the calls through, or drop the capability",
    ),
    code(
        "capability-missing",
        Note,
        "Calls are let through whose capability the container does not hold: the kernel refuses most of what they do.",
        "refuse them: they only reach kernel code that the container has no use for",
    ),
    code("foreign-calls", Note, "Names that none of the profile's interfaces has.", "remove them: runtimes skip them"),
    code(
        "other-machine",
        Note,
        "The profile lists architectures, and this machine's is not among them: runtimes add it.",
        "list the machine's own architecture first",
    ),
    code(
        "lost-conditions",
        Error,
        "containerd and Kubernetes read the file as plain OCI: conditional rules apply always.",
        "give them the resolved form: batten seccomp convert FILE --to kubernetes --caps CAP,…",
    ),
    code(
        "ignored-errno",
        Warning,
        "Only container-libs reads error names: others answer with errnoRet, or EPERM.",
        "write errnoRet beside it",
    ),
    code(
        "ignored-kernel",
        Warning,
        "container-libs does not know minKernel: the rule applies on every kernel.",
        "resolve the profile for the kernel, or leave such calls out",
    ),
    code(
        "notify-default",
        Error,
        "SCMP_ACT_NOTIFY cannot be the default action: runtimes refuse it.",
        "ask the listener for single calls",
    ),
    code(
        "notify-write",
        Error,
        "SCMP_ACT_NOTIFY for write: the runtime could not hand the listener over, and refuses the profile.",
        "leave write out",
    ),
    code(
        "notify-without-listener",
        Error,
        "SCMP_ACT_NOTIFY needs a listener, and there is no listenerPath.",
        "set listenerPath to the socket of whoever answers",
    ),
    code(
        "listener-without-notify",
        Warning,
        "There is a listener, and no rule asks it.",
        "remove listenerPath, or use SCMP_ACT_NOTIFY",
    ),
    code(
        "errno-on-action",
        Warning,
        "Only SCMP_ACT_ERRNO and SCMP_ACT_TRACE carry a number: crun refuses it on others, runc ignores it.",
        "remove errnoRet",
    ),
    code(
        "odd-errno",
        Warning,
        "The number is no error: 0 reports success, above 4095 the kernel cuts it.",
        "use a number from errno(3)",
    ),
    code(
        "unknown-flag",
        Error,
        "A flag that no kernel knows: runtimes refuse the profile.",
        "SECCOMP_FILTER_FLAG_LOG, _SPEC_ALLOW, _TSYNC or _WAIT_KILLABLE_RECV",
    ),
    code(
        "flags-refused",
        Warning,
        "runc 1.1.5, as Debian 12 has it, refuses a profile with any flag.",
        "leave flags out where such a runc runs",
    ),
    code(
        "spec-allow",
        Warning,
        "SECCOMP_FILTER_FLAG_SPEC_ALLOW switches off the kernel's defence against speculative store bypass for the container.",
        "leave it out; an empty list keeps runc from adding it",
    ),
    code("void-word", Warning, "A word opens what `deny` closes.", "remove one of the two"),
    code("repeated-word", Note, "Another word opens the same calls.", "remove it"),
];

/// The code called `name`.
pub(super) fn find(name: &str) -> Option<&'static Code> {
    CODES.iter().find(|code| code.name == name)
}
