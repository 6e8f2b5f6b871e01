//! What batten tells the programs.

/// What belongs to the container, as the programs find it: five words.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Scope {
    /// Its first process, whose next execve is the start; 0 where the start is now.
    pub(super) first: u32,
    /// Its mount namespace; 0 where that is the host's.
    pub(super) mounts: u32,
    /// Whether its program has started.
    pub(super) started: u32,
    /// Its user namespace.
    pub(super) users: u32,
    /// Its first process, with whose end it ends.
    pub(super) init: u32,
}

impl Scope {
    pub(super) const FIRST: i16 = 0;
    pub(super) const MOUNTS: i16 = 4;
    pub(super) const STARTED: i16 = 8;
    pub(super) const USERS: i16 = 12;
    pub(super) const INIT: i16 = 16;
    pub(super) const BYTES: u32 = 20;

    pub(super) fn bytes(self) -> [u8; Self::BYTES as usize] {
        let mut bytes = [0; Self::BYTES as usize];
        let words = [self.first, self.mounts, self.started, self.users, self.init];
        for (place, word) in bytes.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_ne_bytes());
        }
        bytes
    }
}
