//! Classic BPF as seccomp runs it: the programs that libseccomp writes and that the kernel shows of a running process.

/// One instruction (`struct sock_filter`, `include/uapi/linux/filter.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// What it does.
    pub code: u16,
    /// How many instructions to skip where a comparison holds.
    pub jump_true: u8,
    /// How many to skip where it does not.
    pub jump_false: u8,
    /// Its operand.
    pub operand: u32,
}

/// A filter program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program(Vec<Instruction>);

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

/// A program that the kernel would not have taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BpfError {
    /// Not a whole number of eight-byte instructions.
    #[error("{0} bytes are not a whole number of instructions")]
    Torn(usize),
    /// An instruction that seccomp does not allow.
    #[error("instruction {at} has the code {code:#06x}, which seccomp does not know")]
    Code {
        /// Its position.
        at: usize,
        /// Its code.
        code: u16,
    },
    /// A jump or a fall past the end.
    #[error("the program runs past its end at instruction {at}")]
    PastEnd {
        /// Where to.
        at: usize,
    },
    /// A load from outside the data, or not aligned.
    #[error("instruction {at} loads from offset {offset}")]
    Load {
        /// Its position.
        at: usize,
        /// The offset.
        offset: u32,
    },
}

// The codes that the kernel's seccomp_check_filter leaves (kernel/seccomp.c) and that libseccomp writes.
const LOAD: u16 = 0x20;
const AND: u16 = 0x54;
const JUMP: u16 = 0x05;
const JUMP_EQUAL: u16 = 0x15;
const JUMP_GREATER: u16 = 0x25;
const JUMP_GREATER_EQUAL: u16 = 0x35;
const JUMP_BITS: u16 = 0x45;
const RETURN: u16 = 0x06;

impl Program {
    /// A program of these instructions.
    pub fn new(instructions: Vec<Instruction>) -> Self {
        Self(instructions)
    }

    /// Reads a program as it lies in memory: eight bytes an instruction, words in the machine's order.
    ///
    /// # Errors
    /// [`BpfError::Torn`].
    pub fn parse(bytes: &[u8], big_endian: bool) -> Result<Self, BpfError> {
        let (words, rest) = bytes.as_chunks::<8>();
        if !rest.is_empty() {
            return Err(BpfError::Torn(bytes.len()));
        }
        let read = |[a, b, jump_true, jump_false, c, d, e, f]: &[u8; 8]| {
            let (code, operand) = ([*a, *b], [*c, *d, *e, *f]);
            Instruction {
                code: if big_endian { u16::from_be_bytes(code) } else { u16::from_le_bytes(code) },
                jump_true: *jump_true,
                jump_false: *jump_false,
                operand: if big_endian { u32::from_be_bytes(operand) } else { u32::from_le_bytes(operand) },
            }
        };
        Ok(Self(words.iter().map(read).collect()))
    }

    /// How many instructions it has; the kernel takes 4096.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What the program returns for a call, and how many instructions that took.
    ///
    /// # Errors
    /// [`BpfError`] for programs that the kernel would have refused.
    pub fn run(&self, data: &Data) -> Result<(u32, usize), BpfError> {
        let bytes = data.bytes();
        let (mut at, mut steps, mut word) = (0usize, 0usize, 0u32);
        loop {
            let instruction = self.0.get(at).ok_or(BpfError::PastEnd { at })?;
            steps += 1;
            let operand = instruction.operand;
            let skip = match instruction.code {
                RETURN => return Ok((operand, steps)),
                LOAD => {
                    word = data.load(&bytes, operand).ok_or(BpfError::Load { at, offset: operand })?;
                    0
                }
                AND => {
                    word &= operand;
                    0
                }
                JUMP => operand as usize,
                JUMP_EQUAL => instruction.branch(word == operand),
                JUMP_GREATER => instruction.branch(word > operand),
                JUMP_GREATER_EQUAL => instruction.branch(word >= operand),
                JUMP_BITS => instruction.branch(word & operand != 0),
                code => return Err(BpfError::Code { at, code }),
            };
            at += 1 + skip;
        }
    }
}

impl Instruction {
    fn branch(self, holds: bool) -> usize {
        if holds { self.jump_true.into() } else { self.jump_false.into() }
    }
}

impl Data {
    fn bytes(&self) -> [u8; 64] {
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

    fn load(&self, bytes: &[u8; 64], offset: u32) -> Option<u32> {
        let offset = offset as usize;
        let word: [u8; 4] = bytes.get(offset..offset + 4)?.try_into().ok().filter(|_| offset.is_multiple_of(4))?;
        Some(if self.big_endian { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn op(code: u16, operand: u32, jump_true: u8, jump_false: u8) -> Instruction {
        Instruction { code, jump_true, jump_false, operand }
    }

    fn data(number: u32, first: u64, big_endian: bool) -> Data {
        Data { number, arch: 7, instruction_pointer: 0, args: [first, 0, 0, 0, 0, 0], big_endian }
    }

    #[test]
    fn jumps_count_from_the_next_instruction() {
        let program =
            Program::new(vec![op(LOAD, 0, 0, 0), op(JUMP_EQUAL, 41, 1, 0), op(RETURN, 1, 0, 0), op(RETURN, 2, 0, 0)]);
        assert_eq!(program.run(&data(41, 0, false)), Ok((2, 3)));
        assert_eq!(program.run(&data(42, 0, false)), Ok((1, 3)));
    }

    #[test]
    fn the_lower_half_of_an_argument_is_where_the_machine_has_it() {
        let low = |offset| {
            Program::new(vec![
                op(LOAD, offset, 0, 0),
                op(JUMP_EQUAL, 5, 0, 1),
                op(RETURN, 1, 0, 0),
                op(RETURN, 0, 0, 0),
            ])
        };
        assert_eq!(low(16).run(&data(0, 5, false)), Ok((1, 3)));
        assert_eq!(low(20).run(&data(0, 5, true)), Ok((1, 3)));
        assert_eq!(low(20).run(&data(0, 5, false)), Ok((0, 3)));
    }

    #[test]
    fn broken_programs_are_errors() {
        let run = |code, operand| Program::new(vec![op(code, operand, 0, 0)]).run(&data(0, 0, false));
        assert_eq!(run(LOAD, 64), Err(BpfError::Load { at: 0, offset: 64 }));
        assert_eq!(run(LOAD, 2), Err(BpfError::Load { at: 0, offset: 2 }));
        assert_eq!(run(JUMP, 9), Err(BpfError::PastEnd { at: 10 }));
        assert_eq!(run(0x99, 0), Err(BpfError::Code { at: 0, code: 0x99 }));
        assert_eq!(Program::parse(&[0; 9], false), Err(BpfError::Torn(9)));
    }
}
