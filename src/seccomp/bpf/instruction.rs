//! Instructions, and what each does.

use super::BpfError;

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

// The codes that the kernel's seccomp_check_filter takes (kernel/seccomp.c): a class, then an operation or a mode.
pub(super) const LOAD: u16 = 0x20;
pub(super) const LOAD_LENGTH: u16 = 0x80;
pub(super) const LOAD_X_LENGTH: u16 = 0x81;
pub(super) const LOAD_NUMBER: u16 = 0x00;
pub(super) const LOAD_X_NUMBER: u16 = 0x01;
pub(super) const LOAD_MEMORY: u16 = 0x60;
pub(super) const LOAD_X_MEMORY: u16 = 0x61;
pub(super) const STORE: u16 = 0x02;
pub(super) const STORE_X: u16 = 0x03;
pub(super) const TO_X: u16 = 0x07;
pub(super) const FROM_X: u16 = 0x87;
pub(super) const JUMP: u16 = 0x05;
pub(super) const RETURN: u16 = 0x06;
pub(super) const RETURN_WORD: u16 = 0x16;

/// `sizeof(struct seccomp_data)`.
pub(super) const LENGTH: u32 = 64;

/// What arithmetic and comparisons take as their second operand: the instruction's number, or the index register.
pub(super) const OPERAND_X: u16 = 0x08;

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

impl Instruction {
    /// What it does at `at`.
    pub(super) fn step(self, at: usize) -> Result<Step, BpfError> {
        let unknown = || BpfError::Code { at, code: self.code };
        let number = self.operand;
        let memory = || usize::try_from(number).ok().filter(|word| *word < MEMORY).ok_or_else(unknown);
        Ok(match self.code {
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
            code => self.with_operand(code).ok_or_else(unknown)?,
        })
    }

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
