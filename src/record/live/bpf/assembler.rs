//! Instructions of BPF programs (`Documentation/bpf/standardization/instruction-set.rst`), written down with labels.
//!
//! Only what the recorder's programs need. The kernel's verifier is the judge of what is put together here.

use super::system::Map;

/// A register; R0 takes results, R1 to R5 arguments, R6 to R9 outlive calls, R10 is the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Register(u8);

pub(super) const R0: Register = Register(0);
pub(super) const R1: Register = Register(1);
pub(super) const R2: Register = Register(2);
pub(super) const R3: Register = Register(3);
pub(super) const R4: Register = Register(4);
pub(super) const R6: Register = Register(6);
pub(super) const R7: Register = Register(7);
pub(super) const R8: Register = Register(8);
pub(super) const R9: Register = Register(9);
const FRAME: Register = Register(10);

/// How many bytes a load or a store moves.
#[derive(Debug, Clone, Copy)]
pub(super) enum Size {
    Word = 0x00,
    Double = 0x18,
}

/// When a jump is taken.
#[derive(Debug, Clone, Copy)]
pub(super) enum When {
    Equal = 0x10,
    AtLeast = 0x30,
    AnyBit = 0x40,
    Unequal = 0x50,
    SignedAtLeast = 0x70,
    SignedAtMost = 0xd0,
}

/// What the kernel does for a program (`include/uapi/linux/bpf.h`, `enum bpf_func_id`).
#[derive(Debug, Clone, Copy)]
pub(super) enum Helper {
    MapLookup = 1,
    MapUpdate = 2,
    MapDelete = 3,
    CurrentPidTgid = 14,
    /// Linux 5.11.
    CurrentTask = 158,
}

const LOAD_IMMEDIATE: u8 = 0x18;
const LOAD: u8 = 0x61;
const STORE_IMMEDIATE: u8 = 0x62;
const STORE: u8 = 0x63;
const ATOMIC: u8 = 0xc3;
const ADD: u8 = 0x07;
const AND: u8 = 0x57;
const SHIFT_RIGHT: u8 = 0x77;
const SHIFT_RIGHT_BY_REGISTER: u8 = 0x7f;
const AND_WORD: u8 = 0x54;
const MOVE: u8 = 0xbf;
const MOVE_WORD: u8 = 0xbc;
const MOVE_IMMEDIATE: u8 = 0xb7;
const JUMP: u8 = 0x05;
const BY_REGISTER: u8 = 0x08;
const CALL: u8 = 0x85;
const EXIT: u8 = 0x95;
/// The immediate of the first half is a map's descriptor (`BPF_PSEUDO_MAP_FD`).
const MAP_DESCRIPTOR: u8 = 1;

/// A program in the making.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    code: Vec<u64>,
    labels: Vec<(&'static str, usize)>,
    jumps: Vec<(usize, &'static str)>,
}

impl Assembler {
    /// `to = from`
    pub(super) fn mov(&mut self, to: Register, from: Register) {
        self.emit(MOVE, to, from, 0, 0);
    }

    /// `to = value`
    pub(super) fn set(&mut self, to: Register, value: i32) {
        self.emit(MOVE_IMMEDIATE, to, R0, 0, value);
    }

    /// Keeps the low 32 bits.
    pub(super) fn narrow(&mut self, register: Register) {
        self.emit(MOVE_WORD, register, register, 0, 0);
    }

    /// `to += value`
    pub(super) fn add(&mut self, to: Register, value: i32) {
        self.emit(ADD, to, R0, 0, value);
    }

    /// `to &= value`
    pub(super) fn and(&mut self, to: Register, value: i32) {
        self.emit(AND, to, R0, 0, value);
    }

    /// `to &= mask`, both of 32 bits.
    pub(super) fn and_register(&mut self, to: Register, mask: Register) {
        self.emit(AND_WORD | BY_REGISTER, to, mask, 0, 0);
    }

    /// `to >>= bits`
    pub(super) fn shift_right(&mut self, to: Register, bits: i32) {
        self.emit(SHIFT_RIGHT, to, R0, 0, bits);
    }

    /// `to >>= bits`
    pub(super) fn shift_right_by(&mut self, to: Register, bits: Register) {
        self.emit(SHIFT_RIGHT_BY_REGISTER, to, bits, 0, 0);
    }

    /// `to = *(from + offset)`
    pub(super) fn load(&mut self, size: Size, to: Register, from: Register, offset: i16) {
        self.emit(LOAD | size as u8, to, from, offset, 0);
    }

    /// `frame[offset] = from`
    pub(super) fn keep(&mut self, size: Size, offset: i16, from: Register) {
        self.emit(STORE | size as u8, FRAME, from, offset, 0);
    }

    /// `frame[offset] = value`
    pub(super) fn keep_value(&mut self, size: Size, offset: i16, value: i32) {
        self.emit(STORE_IMMEDIATE | size as u8, FRAME, R0, offset, value);
    }

    /// `*(to + offset) = value`, of 32 bits.
    pub(super) fn store_value(&mut self, to: Register, offset: i16, value: i32) {
        self.emit(STORE_IMMEDIATE, to, R0, offset, value);
    }

    /// `*(to + offset) += 1`, at once, of 64 bits; `scratch` is lost.
    pub(super) fn count(&mut self, to: Register, offset: i16, scratch: Register) {
        self.set(scratch, 1);
        self.emit(ATOMIC | Size::Double as u8, to, scratch, offset, 0);
    }

    /// `r1 = map; r2 = &frame[key]; r0 = lookup(r1, r2)`
    pub(super) fn look_up(&mut self, map: &Map, key: i16) {
        self.map(map);
        self.point(R2, key);
        self.call(Helper::MapLookup);
    }

    /// `r0 = update(map, &frame[key], &frame[value], BPF_ANY)`
    pub(super) fn insert(&mut self, map: &Map, key: i16, value: i16) {
        self.map(map);
        self.point(R2, key);
        self.point(R3, value);
        self.set(R4, 0);
        self.call(Helper::MapUpdate);
    }

    /// `delete(map, &frame[key])`
    pub(super) fn delete(&mut self, map: &Map, key: i16) {
        self.map(map);
        self.point(R2, key);
        self.call(Helper::MapDelete);
    }

    pub(super) fn call(&mut self, helper: Helper) {
        self.emit(CALL, R0, R0, 0, helper as i32);
    }

    /// Goes on at `label`.
    pub(super) fn jump(&mut self, label: &'static str) {
        self.jumps.push((self.code.len(), label));
        self.emit(JUMP, R0, R0, 0, 0);
    }

    /// Goes on at `label` when `register` compares so with `value`.
    pub(super) fn jump_when(&mut self, when: When, register: Register, value: i32, label: &'static str) {
        self.jumps.push((self.code.len(), label));
        self.emit(JUMP | when as u8, register, R0, 0, value);
    }

    /// Goes on at `label` when the two compare so.
    pub(super) fn jump_when_registers(&mut self, when: When, one: Register, other: Register, label: &'static str) {
        self.jumps.push((self.code.len(), label));
        self.emit(JUMP | BY_REGISTER | when as u8, one, other, 0, 0);
    }

    /// The next instruction is at `name`.
    pub(super) fn label(&mut self, name: &'static str) {
        self.labels.push((name, self.code.len()));
    }

    /// `return 0`, at the label `out`; and the instructions as the kernel takes them.
    pub(super) fn end(mut self) -> Vec<u64> {
        self.label("out");
        self.set(R0, 0);
        self.emit(EXIT, R0, R0, 0, 0);
        for (at, label) in self.jumps {
            let target = self.labels.iter().find(|(name, _)| *name == label).map_or(0, |(_, target)| *target);
            // A jump counts from the instruction after it. One backwards, or to no label, the verifier refuses.
            let distance = i16::try_from(target).unwrap_or(0) - i16::try_from(at).unwrap_or(0) - 1;
            self.code[at] |= u64::from(distance.cast_unsigned()) << 16;
        }
        self.code
    }

    fn map(&mut self, map: &Map) {
        self.emit(LOAD_IMMEDIATE, R1, Register(MAP_DESCRIPTOR), 0, map.descriptor());
        self.code.push(0);
    }

    fn point(&mut self, to: Register, offset: i16) {
        self.mov(to, FRAME);
        self.add(to, offset.into());
    }

    /// `struct bpf_insn` of a little-endian machine.
    fn emit(&mut self, code: u8, to: Register, from: Register, offset: i16, value: i32) {
        let registers = u64::from(to.0 | from.0 << 4);
        let (offset, value) = (u64::from(offset.cast_unsigned()), u64::from(value.cast_unsigned()));
        self.code.push(u64::from(code) | registers << 8 | offset << 16 | value << 32);
    }
}
