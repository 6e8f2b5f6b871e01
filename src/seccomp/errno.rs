//! Error numbers by name.

/// A name, its number in `asm-generic/errno.h`, and its number on MIPS, which alone differs among the machines that
/// containers run on.
type Entry = (&'static str, u32, u32);

/// What container-libs knows, and no more (`pkg/seccomp/errno_list.go`: EINTR, for one, is not there).
static ERRNOS: [Entry; 82] = [
    ("EPERM", 1, 1),
    ("ENOENT", 2, 2),
    ("ESRCH", 3, 3),
    ("EIO", 5, 5),
    ("ENXIO", 6, 6),
    ("E2BIG", 7, 7),
    ("ENOEXEC", 8, 8),
    ("EBADF", 9, 9),
    ("ECHILD", 10, 10),
    ("EDEADLK", 35, 45),
    ("ENOMEM", 12, 12),
    ("EACCES", 13, 13),
    ("EFAULT", 14, 14),
    ("ENOTBLK", 15, 15),
    ("EBUSY", 16, 16),
    ("EEXIST", 17, 17),
    ("EXDEV", 18, 18),
    ("ENODEV", 19, 19),
    ("ENOTDIR", 20, 20),
    ("EISDIR", 21, 21),
    ("EINVAL", 22, 22),
    ("ENFILE", 23, 23),
    ("EMFILE", 24, 24),
    ("ENOTTY", 25, 25),
    ("ETXTBSY", 26, 26),
    ("EFBIG", 27, 27),
    ("ENOSPC", 28, 28),
    ("ESPIPE", 29, 29),
    ("EROFS", 30, 30),
    ("EMLINK", 31, 31),
    ("EPIPE", 32, 32),
    ("EDOM", 33, 33),
    ("ERANGE", 34, 34),
    ("EAGAIN", 11, 11),
    ("EINPROGRESS", 115, 150),
    ("EALREADY", 114, 149),
    ("ENOTSOCK", 88, 95),
    ("EDESTADDRREQ", 89, 96),
    ("EMSGSIZE", 90, 97),
    ("EPROTOTYPE", 91, 98),
    ("ENOPROTOOPT", 92, 99),
    ("EPROTONOSUPPORT", 93, 120),
    ("ESOCKTNOSUPPORT", 94, 121),
    ("EOPNOTSUPP", 95, 122),
    ("EPFNOSUPPORT", 96, 123),
    ("EAFNOSUPPORT", 97, 124),
    ("EADDRINUSE", 98, 125),
    ("EADDRNOTAVAIL", 99, 126),
    ("ENETDOWN", 100, 127),
    ("ENETUNREACH", 101, 128),
    ("ENETRESET", 102, 129),
    ("ECONNABORTED", 103, 130),
    ("ECONNRESET", 104, 131),
    ("ENOBUFS", 105, 132),
    ("EISCONN", 106, 133),
    ("ENOTCONN", 107, 134),
    ("ESHUTDOWN", 108, 143),
    ("ETOOMANYREFS", 109, 144),
    ("ETIMEDOUT", 110, 145),
    ("ECONNREFUSED", 111, 146),
    ("ELOOP", 40, 90),
    ("ENAMETOOLONG", 36, 78),
    ("EHOSTDOWN", 112, 147),
    ("EHOSTUNREACH", 113, 148),
    ("ENOTEMPTY", 39, 93),
    ("EUSERS", 87, 94),
    ("EDQUOT", 122, 1133),
    ("ESTALE", 116, 151),
    ("EREMOTE", 66, 66),
    ("ENOLCK", 37, 46),
    ("ENOSYS", 38, 89),
    ("EILSEQ", 84, 88),
    ("ENOMEDIUM", 123, 159),
    ("EMEDIUMTYPE", 124, 160),
    ("EOVERFLOW", 75, 79),
    ("ECANCELED", 125, 158),
    ("EIDRM", 43, 36),
    ("ENOMSG", 42, 35),
    ("ENOTSUP", 95, 122),
    ("EBADMSG", 74, 77),
    ("ENOTRECOVERABLE", 131, 166),
    ("EOWNERDEAD", 130, 165),
];

/// How a machine numbers its errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Numbering {
    Generic,
    Mips,
}

impl Numbering {
    /// The machine that batten was built for.
    pub(super) const NATIVE: Self = if cfg!(any(
        target_arch = "mips",
        target_arch = "mips32r6",
        target_arch = "mips64",
        target_arch = "mips64r6"
    )) {
        Self::Mips
    } else {
        Self::Generic
    };

    const fn number_in(self, entry: &Entry) -> u32 {
        match self {
            Self::Generic => entry.1,
            Self::Mips => entry.2,
        }
    }
}

/// The number of the error that container-libs knows as `name`.
pub(super) fn number(name: &str, numbering: Numbering) -> Option<u32> {
    ERRNOS.iter().find(|entry| entry.0 == name).map(|entry| numbering.number_in(entry))
}
