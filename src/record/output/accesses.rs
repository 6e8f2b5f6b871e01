//! What a recording says to AppArmor.
//!
//! Capabilities that a live recorder saw used, and the families of sockets: both are the kernel's own terms. Not files: a
//! trace has the paths as the program wrote them, relative and through links, and AppArmor judges what they lead to; a
//! profile in complain mode logs exactly that.

use crate::apparmor::Family;
use crate::apparmor::learn::{Asked, Event, Outcome};
use crate::record::recording::{Recording, Values};
use crate::record::strace::kept_argument;

/// The accesses that `recording` is sure of, as events for [`crate::apparmor::Profile::learn`].
pub fn accesses(recording: &Recording) -> Vec<Event> {
    let event = |asked| Event { outcome: Outcome::Allowed, comm: "the recording".to_owned(), asked };
    let used = recording.capabilities.into_iter().flat_map(|set| set.iter().collect::<Vec<_>>());
    let mut families: Vec<Family> = Vec::new();
    for (call, seen) in &recording.calls {
        let is_socket = matches!(call.syscall.name(), "socket" | "socketpair");
        let (true, false, Some(Values::Few(values))) = (is_socket, seen.only_refused(), &seen.values) else { continue };
        let Some(kept) = kept_argument(recording.arch, call.syscall) else { continue };
        for value in values.keys() {
            let word = kept.show(*value).strip_prefix("AF_").map(str::to_ascii_lowercase);
            families.extend(word.and_then(|word| Family::from_word(&word)));
        }
    }
    families.sort_unstable();
    families.dedup();
    let sockets = families.into_iter().map(|family| Asked::Socket { family, kind: None });
    used.map(Asked::Capability).chain(sockets).map(event).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::CapSet;
    use crate::record::strace::{Options, Reader};
    use crate::seccomp::Arch;

    #[test]
    fn capabilities_and_families_become_accesses_and_refused_sockets_do_not() {
        let mut reader = Reader::new(Options { arch: Arch::X86_64, arguments: true });
        reader.begin("trace");
        reader.feed(b"socket(AF_INET, SOCK_STREAM, 0) = 3\nsocket(AF_UNIX, SOCK_STREAM, 0) = 4\nsocketpair(AF_UNIX, SOCK_STREAM, 0, [3, 4]) = 0\n");
        let mut recording = reader.finish().0;
        recording.capabilities = Some(CapSet::EMPTY);
        let asked =
            |recording: &Recording| accesses(recording).into_iter().map(|event| event.asked).collect::<Vec<_>>();
        let socket = |word| Asked::Socket { family: Family::from_word(word).unwrap(), kind: None };
        assert_eq!(asked(&recording).len(), 2);
        assert!(asked(&recording).contains(&socket("inet")) && asked(&recording).contains(&socket("unix")));
        let chown = crate::capability::Capability::from_name("CAP_CHOWN").unwrap();
        recording.capabilities = Some(CapSet::of(chown));
        assert_eq!(asked(&recording)[0], Asked::Capability(chown));
        recording.calls.values_mut().for_each(|seen| seen.not_permitted = seen.count);
        assert_eq!(asked(&recording), [Asked::Capability(chown)]);
    }
}
