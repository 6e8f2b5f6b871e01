//! What a program reads.

/// What a filter sees of a call (`struct seccomp_data`, `include/uapi/linux/seccomp.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Data {
    /// The call's number, with bit 30 for x32.
    pub number: u32,
    /// `AUDIT_ARCH_*`.
    pub arch: u32,
    /// Where it is made from.
    pub instruction_pointer: u64,
    /// Its arguments.
    pub args: [u64; 6],
    /// Whether the machine's words begin with their big end.
    pub big_endian: bool,
}

impl Data {
    pub(super) fn bytes(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        let mut put = |at: usize, word: &[u8]| bytes[at..at + word.len()].copy_from_slice(word);
        let wide = |value: u64| if self.big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        let narrow = |value: u32| if self.big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        put(0, &narrow(self.number));
        put(4, &narrow(self.arch));
        put(8, &wide(self.instruction_pointer));
        for (position, arg) in self.args.iter().enumerate() {
            put(16 + 8 * position, &wide(*arg));
        }
        bytes
    }

    pub(super) fn load(&self, bytes: &[u8; 64], offset: u32) -> Option<u32> {
        let offset = offset as usize;
        let word: [u8; 4] = bytes.get(offset..offset + 4)?.try_into().ok().filter(|_| offset.is_multiple_of(4))?;
        Some(if self.big_endian { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) })
    }
}
