//! Every way through a stack of programs for one system call, and the arguments that lead down it.

use super::super::arch::Arch;
use super::super::bpf::{Arithmetic, Comparison, MEMORY, Operand, Program, Step};
use super::super::domain::Width;
use super::halves::{Half, Halves};
use super::{rank, verdict_of};
use crate::seccomp::Verdict;

/// How many steps over all paths of one call are taken. libseccomp's programs need a few hundred.
const BUDGET: usize = 200_000;

/// Behind the last program.
const END: usize = usize::MAX;

/// A system call whose arguments are open.
#[derive(Clone, Copy)]
pub(super) struct Call {
    pub(super) arch: Arch,
    pub(super) number: u32,
    pub(super) big_endian: bool,
}

/// A word that a program holds.
#[derive(Clone, Copy)]
enum Word {
    Known(u32),
    /// The bits of half of an argument that are under a mask.
    Argument {
        index: u32,
        high: bool,
        mask: u32,
    },
    /// Something that is not followed.
    Open,
}

/// Where a program stands on one path.
#[derive(Clone)]
struct State {
    program: usize,
    at: usize,
    word: Word,
    index: Word,
    memory: [Word; MEMORY],
    arguments: Halves,
    /// The strictest answer of the programs before this one.
    answer: Option<u32>,
}

/// The ways through some programs.
pub(super) struct Paths<'p> {
    programs: &'p [Program],
    call: Call,
    budget: usize,
    open: Vec<State>,
}

impl<'p> Paths<'p> {
    pub(super) fn new(programs: &'p [Program], call: Call) -> Self {
        let first = State {
            program: 0,
            at: 0,
            word: Word::Known(0),
            index: Word::Known(0),
            memory: [Word::Known(0); MEMORY],
            arguments: Halves::new(Width::of(call.arch)),
            answer: None,
        };
        Self { programs, call, budget: BUDGET, open: vec![first] }
    }

    /// Gives the answer at the end of each path, and the arguments that lead there, to `end`. False when there are too many
    /// paths.
    pub(super) fn each(mut self, mut end: impl FnMut(u32, &Halves)) -> bool {
        while let Some(mut state) = self.open.pop() {
            loop {
                if self.budget == 0 {
                    return false;
                }
                self.budget -= 1;
                let Some(program) = self.programs.get(state.program) else {
                    let answer = state.answer.or((state.program != END).then(|| Verdict::ALLOW.to_kernel()));
                    if let Some(answer) = answer {
                        end(answer, &state.arguments);
                    }
                    break;
                };
                // The kernel took the program, so batten is at fault; what it cannot run restricts nothing.
                let step = program.step(state.at).unwrap_or(Step::Return(Verdict::ALLOW.to_kernel()));
                state.at += 1;
                self.take(step, &mut state);
            }
        }
        true
    }

    fn take(&mut self, step: Step, state: &mut State) {
        match step {
            Step::Load(offset) => state.word = self.call.load(offset),
            Step::Number(number) => state.word = Word::Known(number),
            Step::NumberX(number) => state.index = Word::Known(number),
            Step::Memory(slot) => state.word = state.memory[slot],
            Step::MemoryX(slot) => state.index = state.memory[slot],
            Step::Store(slot) => state.memory[slot] = state.word,
            Step::StoreX(slot) => state.memory[slot] = state.index,
            Step::ToX => state.index = state.word,
            Step::FromX => state.word = state.index,
            Step::Compute(arithmetic, operand) => state.compute(arithmetic, operand),
            Step::Jump(skip) => state.at += skip,
            Step::Return(value) => state.answer_with(value),
            Step::ReturnWord => state.answer_with(match state.word {
                Word::Known(value) => value,
                _ => Verdict::ALLOW.to_kernel(),
            }),
            Step::Branch { comparison, with, holds, fails } => self.branch(comparison, with, holds, fails, state),
        }
    }

    /// Goes on where the comparison is decided; else every way is left for later.
    fn branch(&mut self, comparison: Comparison, with: Operand, holds: usize, fails: usize, state: &mut State) {
        let (left, right) = (state.word, state.operand(with));
        if let (Word::Known(left), Word::Known(right)) = (left, right) {
            state.at += if comparison.holds(left, right) { holds } else { fails };
            return;
        }
        for (wanted, skip) in [(false, fails), (true, holds)] {
            let parts = match (left, right) {
                (Word::Argument { index, high, mask }, Word::Known(right)) => {
                    state.arguments.narrowed(Half { index, high, mask }, comparison, right, wanted)
                }
                _ => vec![state.arguments.clone()],
            };
            let at = state.at + skip;
            self.open.extend(parts.into_iter().map(|arguments| State { at, arguments, ..state.clone() }));
        }
        (state.program, state.answer) = (END, None);
    }
}

impl Call {
    /// `struct seccomp_data`: number, architecture, instruction pointer, six arguments of eight bytes.
    fn load(self, offset: u32) -> Word {
        match offset {
            0 => Word::Known(self.number),
            4 => Word::Known(self.arch.audit()),
            8 | 12 => Word::Open,
            _ => {
                let (index, second) = ((offset - 16) / 8, offset % 8 == 4);
                let high = second != self.big_endian;
                match (high, self.arch) {
                    // The registers are as wide as x86_64's, and libseccomp looks at their lower halves only.
                    (true, Arch::X32) => Word::Open,
                    (true, arch) if Width::of(arch) == Width::Half => Word::Known(0),
                    _ => Word::Argument { index, high, mask: u32::MAX },
                }
            }
        }
    }
}

impl State {
    const fn operand(&self, operand: Operand) -> Word {
        match operand {
            Operand::Number(number) => Word::Known(number),
            Operand::X => self.index,
        }
    }

    fn compute(&mut self, arithmetic: Arithmetic, operand: Operand) {
        match (self.word, self.operand(operand)) {
            (Word::Known(left), Word::Known(right)) => match arithmetic.apply(left, right) {
                Some(result) => self.word = Word::Known(result),
                None => self.answer_with(0),
            },
            (Word::Argument { index, high, mask }, Word::Known(right)) if arithmetic == Arithmetic::And => {
                self.word = Word::Argument { index, high, mask: mask & right };
            }
            _ => self.word = Word::Open,
        }
    }

    /// The next program begins; what counts of the answers so far is the strictest.
    fn answer_with(&mut self, value: u32) {
        let known = self.answer.filter(|known| rank(*known) <= rank(value));
        self.answer = Some(known.unwrap_or(value));
        self.program += 1;
        self.at = 0;
        (self.word, self.index, self.memory) = (Word::Known(0), Word::Known(0), [Word::Known(0); MEMORY]);
        // What nothing can loosen again need not be asked further.
        if verdict_of(value) >= Verdict::KILL_THREAD {
            self.program = END;
        }
    }
}
