//! Classic BPF as seccomp runs it: the programs that libseccomp writes and that the kernel shows of a running process.

mod data;
mod instruction;

pub use data::Data;
pub use instruction::{Arithmetic, Comparison, Instruction, MEMORY, Operand, Step};

/// A filter program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program(Vec<Instruction>);

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

    /// What the instruction at `at` does.
    ///
    /// # Errors
    /// [`BpfError`] where the kernel would not have taken it.
    pub fn step(&self, at: usize) -> Result<Step, BpfError> {
        self.0.get(at).ok_or(BpfError::PastEnd { at })?.step(at)
    }

    /// What the program returns for a call, and how many instructions that took.
    ///
    /// # Errors
    /// [`BpfError`] for programs that the kernel would have refused.
    pub fn run(&self, data: &Data) -> Result<(u32, usize), BpfError> {
        let bytes = data.bytes();
        let (mut at, mut steps, mut word, mut index) = (0usize, 0usize, 0u32, 0u32);
        let mut memory = [0u32; MEMORY];
        loop {
            let step = self.step(at)?;
            steps += 1;
            at += 1;
            let value = |operand| match operand {
                Operand::Number(number) => number,
                Operand::X => index,
            };
            match step {
                Step::Return(number) => return Ok((number, steps)),
                Step::ReturnWord => return Ok((word, steps)),
                Step::Load(offset) => word = data.load(&bytes, offset).ok_or(BpfError::Load { at, offset })?,
                Step::Number(number) => word = number,
                Step::NumberX(number) => index = number,
                Step::Memory(slot) => word = memory[slot],
                Step::MemoryX(slot) => index = memory[slot],
                Step::Store(slot) => memory[slot] = word,
                Step::StoreX(slot) => memory[slot] = index,
                Step::ToX => index = word,
                Step::FromX => word = index,
                Step::Compute(arithmetic, operand) => match arithmetic.apply(word, value(operand)) {
                    Some(result) => word = result,
                    None => return Ok((0, steps)),
                },
                Step::Jump(skip) => at += skip,
                Step::Branch { comparison, with, holds, fails } => {
                    at += if comparison.holds(word, value(with)) { holds } else { fails };
                }
            }
        }
    }

    /// Whether the kernel answers the call from its bitmap, without running the program: it does where the program allows it
    /// whatever its arguments are, and looks at nothing but number and architecture on the way (`seccomp_is_const_allow` in
    /// `kernel/seccomp.c`, since Linux 5.11).
    pub fn is_constant_allow(&self, number: u32, arch: u32) -> bool {
        let (mut at, mut word) = (0usize, 0u32);
        loop {
            let Ok(step) = self.step(at) else { return false };
            at += 1;
            match step {
                Step::Load(0) => word = number,
                Step::Load(4) => word = arch,
                Step::Return(value) => return value == ALLOW,
                Step::Jump(skip) => at += skip,
                Step::Branch { comparison, with: Operand::Number(with), holds, fails } => {
                    at += if comparison.holds(word, with) { holds } else { fails };
                }
                Step::Compute(Arithmetic::And, Operand::Number(mask)) => word &= mask,
                _ => return false,
            }
        }
    }
}

/// `SECCOMP_RET_ALLOW`.
const ALLOW: u32 = 0x7fff_0000;

#[cfg(test)]
mod tests;
