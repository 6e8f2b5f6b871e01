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

// The codes that the kernel's seccomp_check_filter takes (kernel/seccomp.c): a class, then an operation or a mode.
const LOAD: u16 = 0x20;
const LOAD_LENGTH: u16 = 0x80;
const LOAD_X_LENGTH: u16 = 0x81;
const LOAD_NUMBER: u16 = 0x00;
const LOAD_X_NUMBER: u16 = 0x01;
const LOAD_MEMORY: u16 = 0x60;
const LOAD_X_MEMORY: u16 = 0x61;
const STORE: u16 = 0x02;
const STORE_X: u16 = 0x03;
const TO_X: u16 = 0x07;
const FROM_X: u16 = 0x87;
const JUMP: u16 = 0x05;
const RETURN: u16 = 0x06;
const RETURN_WORD: u16 = 0x16;

/// `sizeof(struct seccomp_data)`.
const LENGTH: u32 = 64;

/// What arithmetic and comparisons take as their second operand: the instruction's number, or the index register.
const OPERAND_X: u16 = 0x08;

/// How many words of memory a program has (`BPF_MEMWORDS`).
pub const MEMORY: usize = 16;

/// What an instruction does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Loads the four bytes of the data at an offset.
    Load(u32),
    /// Loads a number.
    Number(u32),
    /// Loads a number into the index register.
    NumberX(u32),
    /// Loads a word of memory.
    Memory(usize),
    /// Loads a word of memory into the index register.
    MemoryX(usize),
    /// Stores the accumulator.
    Store(usize),
    /// Stores the index register.
    StoreX(usize),
    /// Copies the accumulator to the index register.
    ToX,
    /// Copies the index register to the accumulator.
    FromX,
    /// Works on the accumulator.
    Compute(Arithmetic, Operand),
    /// Skips some instructions.
    Jump(usize),
    /// Skips some where the accumulator compares, some others where it does not.
    Branch {
        /// How it is compared.
        comparison: Comparison,
        /// With what.
        with: Operand,
        /// How many to skip where it holds.
        holds: usize,
        /// And where not.
        fails: usize,
    },
    /// Ends with a number.
    Return(u32),
    /// Ends with the accumulator.
    ReturnWord,
}

/// A second operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operand {
    /// The instruction's own.
    Number(u32),
    /// The index register.
    X,
}

/// `BPF_ALU`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "their names are what they are")]
pub enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Or,
    And,
    ShiftLeft,
    ShiftRight,
    Negate,
    Xor,
}

impl Arithmetic {
    /// The result; none for a division by zero, which ends the program with 0.
    pub const fn apply(self, left: u32, right: u32) -> Option<u32> {
        Some(match self {
            Self::Add => left.wrapping_add(right),
            Self::Subtract => left.wrapping_sub(right),
            Self::Multiply => left.wrapping_mul(right),
            Self::Divide if right == 0 => return None,
            Self::Divide => left / right,
            Self::Or => left | right,
            Self::And => left & right,
            Self::ShiftLeft => left.wrapping_shl(right),
            Self::ShiftRight => left.wrapping_shr(right),
            Self::Negate => left.wrapping_neg(),
            Self::Xor => left ^ right,
        })
    }
}

/// `BPF_JMP`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "their names are what they are")]
pub enum Comparison {
    Equal,
    Greater,
    GreaterOrEqual,
    AnyBit,
}

impl Comparison {
    /// Whether it holds.
    pub const fn holds(self, left: u32, right: u32) -> bool {
        match self {
            Self::Equal => left == right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
            Self::AnyBit => left & right != 0,
        }
    }
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
        let instruction = self.0.get(at).ok_or(BpfError::PastEnd { at })?;
        let unknown = || BpfError::Code { at, code: instruction.code };
        let number = instruction.operand;
        let memory = || usize::try_from(number).ok().filter(|word| *word < MEMORY).ok_or_else(unknown);
        Ok(match instruction.code {
            LOAD if number.is_multiple_of(4) && number < LENGTH => Step::Load(number),
            LOAD => return Err(BpfError::Load { at, offset: number }),
            LOAD_LENGTH => Step::Number(LENGTH),
            LOAD_X_LENGTH => Step::NumberX(LENGTH),
            LOAD_NUMBER => Step::Number(number),
            LOAD_X_NUMBER => Step::NumberX(number),
            LOAD_MEMORY => Step::Memory(memory()?),
            LOAD_X_MEMORY => Step::MemoryX(memory()?),
            STORE => Step::Store(memory()?),
            STORE_X => Step::StoreX(memory()?),
            TO_X => Step::ToX,
            FROM_X => Step::FromX,
            JUMP => Step::Jump(number as usize),
            RETURN => Step::Return(number),
            RETURN_WORD => Step::ReturnWord,
            code => instruction.with_operand(code).ok_or_else(unknown)?,
        })
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
}

impl Program {
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

impl Instruction {
    /// Arithmetic and comparisons.
    fn with_operand(self, code: u16) -> Option<Step> {
        let operand = if code & OPERAND_X == 0 { Operand::Number(self.operand) } else { Operand::X };
        let compute = |arithmetic| Some(Step::Compute(arithmetic, operand));
        let branch = |comparison| {
            let (holds, fails) = (self.jump_true.into(), self.jump_false.into());
            Some(Step::Branch { comparison, with: operand, holds, fails })
        };
        match code & !OPERAND_X {
            0x04 => compute(Arithmetic::Add),
            0x14 => compute(Arithmetic::Subtract),
            0x24 => compute(Arithmetic::Multiply),
            0x34 => compute(Arithmetic::Divide),
            0x44 => compute(Arithmetic::Or),
            0x54 => compute(Arithmetic::And),
            0x64 => compute(Arithmetic::ShiftLeft),
            0x74 => compute(Arithmetic::ShiftRight),
            0x84 => compute(Arithmetic::Negate),
            0xa4 => compute(Arithmetic::Xor),
            0x15 => branch(Comparison::Equal),
            0x25 => branch(Comparison::Greater),
            0x35 => branch(Comparison::GreaterOrEqual),
            0x45 => branch(Comparison::AnyBit),
            _ => None,
        }
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
            Program::new(vec![op(LOAD, 0, 0, 0), op(0x15, 41, 1, 0), op(RETURN, 1, 0, 0), op(RETURN, 2, 0, 0)]);
        assert_eq!(program.run(&data(41, 0, false)), Ok((2, 3)));
        assert_eq!(program.run(&data(42, 0, false)), Ok((1, 3)));
    }

    #[test]
    fn the_lower_half_of_an_argument_is_where_the_machine_has_it() {
        let low = |offset| {
            Program::new(vec![op(LOAD, offset, 0, 0), op(0x15, 5, 0, 1), op(RETURN, 1, 0, 0), op(RETURN, 0, 0, 0)])
        };
        assert_eq!(low(16).run(&data(0, 5, false)), Ok((1, 3)));
        assert_eq!(low(20).run(&data(0, 5, true)), Ok((1, 3)));
        assert_eq!(low(20).run(&data(0, 5, false)), Ok((0, 3)));
    }

    #[test]
    fn every_instruction_that_seccomp_takes_does_what_the_kernel_s_does() {
        let run = |instructions: &[Instruction]| {
            let load = [op(LOAD, 0, 0, 0)];
            let end = [op(RETURN_WORD, 0, 0, 0)];
            let program = Program::new([&load[..], instructions, &end[..]].concat());
            program.run(&data(41, 0, false)).unwrap().0
        };
        for (code, operand, expected) in [
            (0x04, 1, 42),
            (0x14, 42, u32::MAX),
            (0x24, 2, 82),
            (0x34, 2, 20),
            (0x44, 6, 47),
            (0x54, 8, 8),
            (0x64, 1, 82),
            (0x74, 1, 20),
            (0x84, 0, 41u32.wrapping_neg()),
            (0xa4, 1, 40),
        ] {
            assert_eq!(run(&[op(code, operand, 0, 0)]), expected, "{code:#x}");
            let with_x = [op(LOAD_X_NUMBER, operand, 0, 0), op(code | OPERAND_X, 0, 0, 0)];
            assert_eq!(run(&with_x), expected, "{code:#x} with X");
        }
        assert_eq!(run(&[op(LOAD_X_NUMBER, 0, 0, 0), op(0x3c, 0, 0, 0)]), 0, "divided by zero");
        assert_eq!(run(&[op(LOAD_LENGTH, 0, 0, 0)]), 64);
        assert_eq!(run(&[op(STORE, 15, 0, 0), op(LOAD_NUMBER, 7, 0, 0), op(LOAD_MEMORY, 15, 0, 0)]), 41);
        assert_eq!(
            run(&[op(TO_X, 0, 0, 0), op(STORE_X, 3, 0, 0), op(LOAD_X_MEMORY, 3, 0, 0), op(FROM_X, 0, 0, 0)]),
            41
        );
        let branch = |code| run(&[op(LOAD_X_LENGTH, 0, 0, 0), op(code, 41, 0, 1), op(RETURN, 1, 0, 0)]);
        assert_eq!([0x15, 0x25, 0x35, 0x45, 0x1d, 0x2d, 0x3d, 0x4d].map(branch), [1, 41, 1, 1, 41, 41, 41, 41]);
    }

    #[test]
    fn only_what_no_argument_decides_is_answered_from_the_bitmap() {
        let end = [op(RETURN, ALLOW, 0, 0), op(RETURN, 0x0005_0001, 0, 0)];
        let by_number = Program::new([&[op(LOAD, 0, 0, 0), op(0x15, 41, 0, 1)], &end[..]].concat());
        assert!(by_number.is_constant_allow(41, 7) && !by_number.is_constant_allow(42, 7));
        let by_argument = Program::new([&[op(LOAD, 16, 0, 0), op(0x15, 41, 0, 1)], &end[..]].concat());
        assert!(!by_argument.is_constant_allow(41, 7));
        assert!(Program::new(vec![op(RETURN, ALLOW, 0, 0)]).is_constant_allow(0, 0));
        assert!(!Program::new(Vec::new()).is_constant_allow(0, 0));
    }

    #[test]
    fn broken_programs_are_errors() {
        let run = |code, operand| Program::new(vec![op(code, operand, 0, 0)]).run(&data(0, 0, false));
        assert_eq!(run(LOAD, 64), Err(BpfError::Load { at: 0, offset: 64 }));
        assert_eq!(run(LOAD, 2), Err(BpfError::Load { at: 0, offset: 2 }));
        assert_eq!(run(JUMP, 9), Err(BpfError::PastEnd { at: 10 }));
        assert_eq!(run(0x99, 0), Err(BpfError::Code { at: 0, code: 0x99 }));
        assert_eq!(run(LOAD_MEMORY, 16), Err(BpfError::Code { at: 0, code: LOAD_MEMORY }));
        assert_eq!(Program::parse(&[0; 9], false), Err(BpfError::Torn(9)));
    }
}
