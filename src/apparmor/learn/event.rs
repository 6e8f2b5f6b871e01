//! What a line of the log says was asked for, in the terms of rules.

use super::log::{Outcome, Record};
use crate::apparmor::words::{Family, MountOption, NamedSignal, PtraceAccess, Signal, SignalAccess, SocketKind};
use crate::apparmor::{Access, Facility};
use crate::capability::Capability;

/// An access that no rule allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Whether it went through all the same.
    pub outcome: Outcome,
    /// The program's name, for messages; the kernel keeps 15 bytes of it.
    pub comm: String,
    /// What it was.
    pub asked: Asked,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the words of the log")]
pub enum Asked {
    File {
        path: Vec<u8>,
        access: Access,
        is_owner: bool,
    },
    Capability(Capability),
    Socket {
        family: Family,
        kind: Option<SocketKind>,
    },
    Signal {
        access: SignalAccess,
        signal: Option<Signal>,
        peer: Vec<u8>,
    },
    Ptrace {
        access: PtraceAccess,
        peer: Vec<u8>,
    },
    Mount {
        fstype: Option<Vec<u8>>,
        options: Vec<MountOption>,
        source: Option<Vec<u8>>,
        target: Option<Vec<u8>>,
    },
    Umount {
        target: Vec<u8>,
    },
    PivotRoot {
        old: Option<Vec<u8>>,
        new: Vec<u8>,
    },
    Facility(Facility),
    ChangeProfile {
        target: Vec<u8>,
    },
    /// A file outside of the container's root: no rule helps, `attach_disconnected` does.
    Disconnected {
        path: Vec<u8>,
    },
    /// Something that batten writes no rules for.
    Unknown {
        operation: String,
    },
}

impl Event {
    /// The events of a line; a signal or trace with several directions is several.
    pub fn of(record: &Record) -> Vec<Self> {
        let comm = record.get("comm").map(|comm| String::from_utf8_lossy(comm).into_owned()).unwrap_or_default();
        let asked = asked(record).unwrap_or_else(|| {
            let operation = record.text("operation").unwrap_or("?").to_owned();
            vec![Asked::Unknown { operation }]
        });
        asked.into_iter().map(|asked| Self { outcome: record.outcome, comm: comm.clone(), asked }).collect()
    }
}

/// The refused part of what was asked: `denied_mask` of old, `denied` of new kernels.
fn mask(record: &Record) -> Option<&str> {
    ["denied_mask", "denied", "requested_mask", "requested"].into_iter().find_map(|key| record.text(key))
}

fn asked(record: &Record) -> Option<Vec<Asked>> {
    let one = |asked: Option<Asked>| asked.map(|asked| vec![asked]);
    let is_disconnected = record.text("info").is_some_and(|info| info.contains("disconnected path"));
    match record.text("operation")? {
        _ if is_disconnected => one(Some(Asked::Disconnected { path: record.get("name")?.to_vec() })),
        "capable" => one(capability(record).map(Asked::Capability)),
        "signal" => signals(record),
        "ptrace" => ptraces(record),
        "mount" => one(mount(record)),
        "umount" => one(Some(Asked::Umount { target: record.get("name")?.to_vec() })),
        "pivotroot" => {
            let old = record.get("srcname").map(<[u8]>::to_vec);
            one(Some(Asked::PivotRoot { old, new: record.get("name")?.to_vec() }))
        }
        "userns_create" => one(Some(Asked::Facility(Facility::Userns))),
        "change_profile" | "change_onexec" | "stack" | "stack_onexec" => {
            let target = record.get("target").or_else(|| record.get("name"))?.to_vec();
            one(Some(Asked::ChangeProfile { target }))
        }
        _ if record.text("class") == Some("posix_mqueue") => one(Some(Asked::Facility(Facility::Mqueue))),
        _ if record.get("family").is_some() => one(socket(record)),
        operation if operation.starts_with("dbus") || operation.starts_with("uring") => None,
        _ => one(file(record)),
    }
}

fn capability(record: &Record) -> Option<Capability> {
    let number = record.number("capability").and_then(|number| u8::try_from(number).ok());
    number.and_then(Capability::from_number).or_else(|| {
        let name = record.text("capname")?.to_ascii_uppercase();
        Capability::from_name(&format!("CAP_{name}"))
    })
}

fn signals(record: &Record) -> Option<Vec<Asked>> {
    let peer = record.get("peer")?.to_vec();
    let word = record.text("signal")?;
    let signal = Signal::from_word(word).or_else(|| NamedSignal::from_word(word).map(Signal::Named));
    let ways = mask(record)?.split_whitespace().filter_map(SignalAccess::from_word);
    Some(ways.map(|access| Asked::Signal { access, signal, peer: peer.clone() }).collect())
}

fn ptraces(record: &Record) -> Option<Vec<Asked>> {
    let peer = record.get("peer")?.to_vec();
    let ways = mask(record)?.split_whitespace().filter_map(PtraceAccess::from_word);
    Some(ways.map(|access| Asked::Ptrace { access, peer: peer.clone() }).collect())
}

fn mount(record: &Record) -> Option<Asked> {
    let flags = record.text("flags").unwrap_or_default();
    // An option without a word here would make the rule another one.
    let options =
        flags.split([',', ' ']).filter(|flag| !flag.is_empty()).map(MountOption::from_word).collect::<Option<_>>()?;
    let own = |key| record.get(key).map(<[u8]>::to_vec);
    Some(Asked::Mount { fstype: own("fstype"), options, source: own("srcname"), target: own("name") })
}

fn socket(record: &Record) -> Option<Asked> {
    let family = Family::from_word(record.text("family")?)?;
    let kind = record.text("sock_type").and_then(SocketKind::from_word);
    Some(Asked::Socket { family, kind })
}

fn file(record: &Record) -> Option<Asked> {
    let path = record.get("name")?.to_vec();
    if !path.starts_with(b"/") {
        return None;
    }
    let mut access = Access::default();
    for letter in mask(record)?.chars() {
        access = access.union(match letter {
            // Creating and deleting are writing (apparmor.d(5)).
            'c' | 'd' => Access::WRITE,
            // Of old: the owner's mask and the others' with :: between.
            ':' | ' ' => continue,
            letter => Access::from_letter(letter)?,
        });
    }
    let is_owner = record.number("fsuid").is_some() && record.number("fsuid") == record.number("ouid");
    (!access.is_empty()).then_some(Asked::File { path, access, is_owner })
}

#[cfg(test)]
mod tests {
    use super::super::log::Line;
    use super::*;

    fn events(fields: &str) -> Vec<Asked> {
        match Line::parse(format!("apparmor=\"ALLOWED\" {fields}").as_bytes()) {
            Line::Access(record) => Event::of(&record).into_iter().map(|event| event.asked).collect(),
            other => panic!("{other:?}"),
        }
    }

    fn file(path: &str, access: Access) -> Asked {
        Asked::File { path: path.into(), access, is_owner: false }
    }

    #[test]
    fn every_class_of_line_is_understood() {
        let read_write = Access::READ.union(Access::WRITE);
        for (fields, expected) in [
            (
                r#"operation="open" name="/a" requested_mask="wrc" denied_mask="rc" fsuid=0 ouid=1"#,
                file("/a", read_write),
            ),
            (r#"operation="unlink" name="/a" denied_mask="d""#, file("/a", Access::WRITE)),
            (
                r#"operation="exec" name="/bin/ls" denied_mask="x" target="web//null-/bin/ls""#,
                file("/bin/ls", Access::EXECUTE),
            ),
            (r#"operation="file_mmap" name="/lib/x.so" denied_mask="m""#, file("/lib/x.so", Access::MAP)),
            (r#"operation="inode_permission" name="/bin/dash" denied_mask="r::""#, file("/bin/dash", Access::READ)),
            (
                r#"operation="capable" capability=21 capname="sys_admin""#,
                Asked::Capability(Capability::from_name("CAP_SYS_ADMIN").unwrap()),
            ),
            (
                r#"operation="capable" capname="net_raw""#,
                Asked::Capability(Capability::from_name("CAP_NET_RAW").unwrap()),
            ),
            (
                r#"operation="create" class="net" family="inet6" sock_type="stream" protocol=6 requested="create" denied="create""#,
                Asked::Socket { family: Family::Inet6, kind: Some(SocketKind::Stream) },
            ),
            (
                r#"operation="file_perm" family="unix" sock_type="dgram" denied_mask="send""#,
                Asked::Socket { family: Family::Unix, kind: Some(SocketKind::Dgram) },
            ),
            (
                r#"operation="signal" denied_mask="receive" signal=rtmin+3 peer="runc""#,
                Asked::Signal {
                    access: SignalAccess::Receive,
                    signal: Some(Signal::RealTime(3)),
                    peer: b"runc".to_vec(),
                },
            ),
            (
                r#"operation="ptrace" denied_mask="readby" peer="x""#,
                Asked::Ptrace { access: PtraceAccess::Readby, peer: b"x".to_vec() },
            ),
            (r#"operation="umount" class="mount" name="/mnt/""#, Asked::Umount { target: b"/mnt/".to_vec() }),
            (
                r#"operation="userns_create" class="namespace" denied="userns_create""#,
                Asked::Facility(Facility::Userns),
            ),
            (
                r#"operation="mqueue_create" class="posix_mqueue" name="/q" denied="create""#,
                Asked::Facility(Facility::Mqueue),
            ),
            (r#"operation="change_profile" target="other""#, Asked::ChangeProfile { target: b"other".to_vec() }),
            (
                r#"operation="open" info="Failed name lookup - disconnected path" error=-13 name="dev/x" denied_mask="r""#,
                Asked::Disconnected { path: b"dev/x".to_vec() },
            ),
            (
                r#"operation="dbus_method_call" bus="system" name="org.x" mask="send""#,
                Asked::Unknown { operation: "dbus_method_call".to_owned() },
            ),
            (r#"operation="open" name="/a" denied_mask="q""#, Asked::Unknown { operation: "open".to_owned() }),
        ] {
            assert_eq!(events(fields), [expected], "{fields}");
        }
    }

    #[test]
    fn a_mount_keeps_what_a_rule_can_say() {
        let fields = r#"operation="mount" info="failed mntpnt match" error=-13 name="/mnt/" fstype="tmpfs" srcname="none" flags="rw, nosuid""#;
        let expected = Asked::Mount {
            fstype: Some(b"tmpfs".to_vec()),
            options: vec![MountOption::Rw, MountOption::Nosuid],
            source: Some(b"none".to_vec()),
            target: Some(b"/mnt/".to_vec()),
        };
        assert_eq!(events(fields), [expected]);
    }
}
