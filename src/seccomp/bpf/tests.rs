use super::instruction::*;
use super::*;

const fn op(code: u16, operand: u32, jump_true: u8, jump_false: u8) -> Instruction {
    Instruction { code, jump_true, jump_false, operand }
}

fn data(number: u32, first: u64, big_endian: bool) -> Data {
    Data { number, arch: 7, instruction_pointer: 0, args: [first, 0, 0, 0, 0, 0], big_endian }
}

#[test]
fn jumps_count_from_the_next_instruction() {
    let program = Program::new(vec![op(LOAD, 0, 0, 0), op(0x15, 41, 1, 0), op(RETURN, 1, 0, 0), op(RETURN, 2, 0, 0)]);
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
    assert_eq!(run(&[op(TO_X, 0, 0, 0), op(STORE_X, 3, 0, 0), op(LOAD_X_MEMORY, 3, 0, 0), op(FROM_X, 0, 0, 0)]), 41);
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
