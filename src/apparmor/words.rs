//! The words of AppArmor's language, as types: what is not listed here is not written into a profile.
//!
//! The lists are those of `apparmor.d(5)` as far as parser 3.0 knows them; 4.x knows all of them too.

/// An enum whose variants are words of the language.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(missing_docs, reason = "the words say it")]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// Every one of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The one that is spelled `word`.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// What a profile does with an access that no rule allows.
    Mode {
        /// Refuses and logs it.
        Enforce = "enforce",
        /// Lets it happen and logs it; `deny` rules still hold.
        Complain = "complain",
        /// Refuses it and kills the process.
        Kill = "kill",
    }
}

words! {
    /// A socket's address family.
    Family {
        Unix = "unix", Inet = "inet", Ax25 = "ax25", Ipx = "ipx", Appletalk = "appletalk", Netrom = "netrom",
        Bridge = "bridge", Atmpvc = "atmpvc", X25 = "x25", Inet6 = "inet6", Rose = "rose", Netbeui = "netbeui",
        Security = "security", Key = "key", Netlink = "netlink", Packet = "packet", Ash = "ash", Econet = "econet",
        Atmsvc = "atmsvc", Rds = "rds", Sna = "sna", Irda = "irda", Pppox = "pppox", Wanpipe = "wanpipe", Llc = "llc",
        Ib = "ib", Mpls = "mpls", Can = "can", Tipc = "tipc", Bluetooth = "bluetooth", Iucv = "iucv", Rxrpc = "rxrpc",
        Isdn = "isdn", Phonet = "phonet", Ieee802154 = "ieee802154", Caif = "caif", Alg = "alg", Nfc = "nfc",
        Vsock = "vsock", Kcm = "kcm", Qipcrtr = "qipcrtr", Smc = "smc", Xdp = "xdp", Mctp = "mctp",
    }
}

words! {
    /// A socket's type, or the protocol that stands for one (`tcp` is `stream` over IP).
    SocketKind {
        Stream = "stream", Dgram = "dgram", Seqpacket = "seqpacket", Rdm = "rdm", Raw = "raw", Packet = "packet",
        Tcp = "tcp", Udp = "udp", Icmp = "icmp",
    }
}

impl SocketKind {
    /// Whether the parser takes it for `family`. The protocols are IP's; `icmp` is IPv4's alone (parser, `network.cc`).
    pub const fn fits(self, family: Option<Family>) -> bool {
        match self {
            Self::Tcp | Self::Udp => matches!(family, None | Some(Family::Inet | Family::Inet6)),
            Self::Icmp => matches!(family, None | Some(Family::Inet)),
            // `network packet,` is the family.
            Self::Packet => family.is_some(),
            _ => true,
        }
    }
}

words! {
    /// A signal by name; real-time ones are [`Signal::RealTime`].
    NamedSignal {
        Hup = "hup", Int = "int", Quit = "quit", Ill = "ill", Trap = "trap", Abrt = "abrt", Bus = "bus", Fpe = "fpe",
        Kill = "kill", Usr1 = "usr1", Segv = "segv", Usr2 = "usr2", Pipe = "pipe", Alrm = "alrm", Term = "term",
        Stkflt = "stkflt", Chld = "chld", Cont = "cont", Stop = "stop", Stp = "stp", Ttin = "ttin", Ttou = "ttou",
        Urg = "urg", Xcpu = "xcpu", Xfsz = "xfsz", Vtalrm = "vtalrm", Prof = "prof", Winch = "winch", Io = "io",
        Pwr = "pwr", Sys = "sys", Emt = "emt",
        /// Signal 0: whether the process is there.
        Exists = "exists",
    }
}

/// A signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Signal {
    /// One with a name.
    Named(NamedSignal),
    /// `rtmin+N`, N from 0 to 32.
    RealTime(u8),
}

impl Signal {
    /// The signal that is spelled `word`.
    pub fn from_word(word: &str) -> Option<Self> {
        if let Some(number) = word.strip_prefix("rtmin+") {
            // `+07` and `007` are not how the parser spells it.
            return number.parse::<u8>().ok().filter(|n| *n <= 32 && n.to_string() == number).map(Self::RealTime);
        }
        NamedSignal::from_word(word).map(Self::Named)
    }
}

impl std::fmt::Display for Signal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Named(name) => f.write_str(name.as_str()),
            Self::RealTime(number) => write!(f, "rtmin+{number}"),
        }
    }
}

words! {
    /// Which way a signal goes.
    SignalAccess { Send = "send", Receive = "receive", }
}

words! {
    /// Which side of a ptrace one is, and whether to look or to steer.
    PtraceAccess { Read = "read", Trace = "trace", Readby = "readby", Tracedby = "tracedby", }
}

words! {
    /// What is done with a mount.
    MountKind {
        Mount = "mount",
        Remount = "remount",
        Umount = "umount",
        PivotRoot = "pivot_root",
    }
}

words! {
    /// A mount option that the kernel knows as a flag.
    MountOption {
        Ro = "ro", Rw = "rw", Suid = "suid", Nosuid = "nosuid", Dev = "dev", Nodev = "nodev", Exec = "exec",
        Noexec = "noexec", Sync = "sync", Async = "async", Remount = "remount", Mand = "mand", Nomand = "nomand",
        Dirsync = "dirsync", Atime = "atime", Noatime = "noatime", Diratime = "diratime", Nodiratime = "nodiratime",
        Bind = "bind", Rbind = "rbind", Move = "move", Verbose = "verbose", Silent = "silent", Loud = "loud",
        Acl = "acl", Noacl = "noacl", Unbindable = "unbindable", Runbindable = "runbindable", Private = "private",
        Rprivate = "rprivate", Slave = "slave", Rslave = "rslave", Shared = "shared", Rshared = "rshared",
        Relatime = "relatime", Norelatime = "norelatime", Iversion = "iversion", Noiversion = "noiversion",
        Strictatime = "strictatime", User = "user", Nouser = "nouser",
    }
}

impl MountOption {
    /// Whether no mount can have both, `ro` and `rw`: apparmor_parser 4 refuses a rule that asks for them ("conflicting
    /// flags"), 3 takes it for a rule that never matches.
    pub fn contradicts(self, other: Self) -> bool {
        const OPPOSITES: [(&str, &str); 4] =
            [("ro", "rw"), ("sync", "async"), ("verbose", "silent"), ("silent", "loud")];
        let (one, other) = (self.as_str(), other.as_str());
        let negates = |no: &str, yes: &str| no.strip_prefix("no") == Some(yes);
        negates(one, other)
            || negates(other, one)
            || OPPOSITES.iter().any(|&pair| pair == (one, other) || pair == (other, one))
    }
}

words! {
    /// What one rule allows or denies as a whole.
    Facility {
        /// User namespaces of the container's own making.
        Userns = "userns",
        /// POSIX message queues.
        Mqueue = "mqueue",
    }
}

words! {
    /// What becomes of the profile when a program is executed.
    Transition {
        /// The same profile (`ix`).
        Inherit = "inherit",
        /// The program's own profile, or the named one (`Px`).
        Profile = "profile",
        /// A child profile of this one (`Cx`).
        Child = "child",
        /// None at all (`Ux`).
        Unconfined = "unconfined",
        /// Its own, else the same (`Pix`).
        ProfileOrInherit = "profile-or-inherit",
        /// A child, else the same (`Cix`).
        ChildOrInherit = "child-or-inherit",
        /// Its own, else none (`PUx`).
        ProfileOrUnconfined = "profile-or-unconfined",
        /// A child, else none (`CUx`).
        ChildOrUnconfined = "child-or-unconfined",
    }
}

impl Transition {
    /// The letters. Capitals have the loader forget `LD_PRELOAD` and the like (secure-execution mode, `ld.so(8)`).
    pub const fn letters(self, scrub: bool) -> &'static str {
        match (self, scrub) {
            (Self::Inherit, _) => "ix",
            (Self::Profile, true) => "Px",
            (Self::Profile, false) => "px",
            (Self::Child, true) => "Cx",
            (Self::Child, false) => "cx",
            (Self::Unconfined, true) => "Ux",
            (Self::Unconfined, false) => "ux",
            (Self::ProfileOrInherit, true) => "Pix",
            (Self::ProfileOrInherit, false) => "pix",
            (Self::ChildOrInherit, true) => "Cix",
            (Self::ChildOrInherit, false) => "cix",
            (Self::ProfileOrUnconfined, true) => "PUx",
            (Self::ProfileOrUnconfined, false) => "pux",
            (Self::ChildOrUnconfined, true) => "CUx",
            (Self::ChildOrUnconfined, false) => "cux",
        }
    }

    /// The transition and whether the environment is scrubbed, by its letters.
    pub fn from_letters(letters: &str) -> Option<(Self, bool)> {
        let both = [true, false].into_iter();
        both.flat_map(|scrub| Self::ALL.iter().map(move |transition| (*transition, scrub)))
            .find(|(transition, scrub)| transition.letters(*scrub) == letters)
    }

    /// Whether a profile can be named as the target.
    pub const fn takes_target(self) -> bool {
        !matches!(self, Self::Inherit | Self::Unconfined)
    }

    /// Whether the program may end up without a profile.
    pub const fn may_leave_confinement(self) -> bool {
        matches!(self, Self::Unconfined | Self::ProfileOrUnconfined | Self::ChildOrUnconfined)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_known_by_its_one_spelling() {
        for word in ["term", "exists", "rtmin+0", "rtmin+32"] {
            assert_eq!(Signal::from_word(word).map(|signal| signal.to_string()).as_deref(), Some(word));
        }
        for word in ["TERM", "sigterm", "15", "rtmin+33", "rtmin+00", "rtmin+", "rtmin", ""] {
            assert_eq!(Signal::from_word(word), None, "{word:?}");
        }
    }

    #[test]
    fn every_transition_is_known_by_its_letters() {
        for transition in Transition::ALL {
            assert_eq!(Transition::from_letters(transition.letters(true)), Some((*transition, true)));
        }
        assert_eq!(Transition::from_letters("pux"), Some((Transition::ProfileOrUnconfined, false)));
        assert_eq!(Transition::from_letters("x"), None);
    }
}
