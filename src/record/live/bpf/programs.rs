//! The programs that count, written for the kernel that runs.
//!
//! A process is a *member* when it is the container's: the first one from its execve on, every child of a member, and
//! whoever starts a program in the container's mount namespace (`runc exec`). That needs no control group of version 2 and
//! holds on any host. Everything else on the machine costs one look-up per call.
//!
//! `sys_enter` comes after seccomp, which hides what that refuses; `sys_exit` still sees the refused call's number and
//! error (`kernel/entry/common.c`).

use super::assembler::{Assembler, Helper, R0, R1, R6, R7, R8, R9, Register, Size, When};
use super::maps::{Maps, NUMBERS};
use super::offsets::Offsets;
use super::scope::Scope;

/// `CAP_OPT_NOAUDIT` (`include/linux/security.h`): the kernel only asks itself, and does without where the answer is no.
const NO_AUDIT: i32 = 2;

/// Larger negative results have the kernel make the call again and are never seen by the program.
const FIRST_INTERNAL_ERROR: i32 = -512;
const EPERM: i32 = -1;
const ENOSYS: i32 = -38;

/// Where in the frame: the member's number, a key, a pair as a key, a value.
const MEMBER: i16 = -4;
const KEY: i16 = -8;
const PAIR: i16 = -16;
const VALUE: i16 = -24;

/// Counts a call of a member, and what its kept argument was.
pub(super) fn enter(maps: &Maps, offsets: &Offsets, arguments: bool) -> Vec<u64> {
    let mut code = Assembler::default();
    code.mov(R6, R1);
    only_members(&mut code, maps);
    code.load(Size::Double, R7, R6, 8);
    code.narrow(R7);
    interface(&mut code, offsets, R8);
    code.jump_when(When::AtLeast, R7, NUMBERS, "strange");
    index(&mut code, R7, R8);
    code.look_up(&maps.counts, KEY);
    code.jump_when(When::Equal, R0, 0, "out");
    code.count(R0, 0, R1);
    if arguments {
        keep_argument(&mut code, maps, offsets);
    }
    code.jump("out");
    code.label("strange");
    code.keep(Size::Word, PAIR, R7);
    code.keep(Size::Word, PAIR + 4, R8);
    code.look_up(&maps.strange, PAIR);
    code.jump_when(When::Unequal, R0, 0, "known stranger");
    code.keep_value(Size::Double, VALUE, 1);
    code.insert(&maps.strange, PAIR, VALUE);
    code.jump_when(When::Equal, R0, 0, "out");
    lose(&mut code, maps);
    code.jump("out");
    code.label("known stranger");
    code.count(R0, 0, R1);
    code.end()
}

/// The index of the call is in R7, the context in R6.
fn keep_argument(code: &mut Assembler, maps: &Maps, offsets: &Offsets) {
    const NEXT: [&str; 4] = ["second", "third", "fourth", "out"];
    code.look_up(&maps.kept, KEY);
    code.jump_when(When::Equal, R0, 0, "out");
    code.load(Size::Word, R8, R0, 0);
    code.jump_when(When::Equal, R8, 0, "out");
    code.load(Size::Word, R9, R0, 4);
    code.load(Size::Double, R6, R6, 0);
    for ((register, offset), next) in (1..).zip(offsets.arguments).zip(NEXT) {
        code.jump_when(When::Unequal, R8, register, next);
        code.load(Size::Double, R1, R6, offset);
        code.jump("argument");
        if next != "out" {
            code.label(next);
        }
    }
    code.label("argument");
    code.and_register(R1, R9);
    code.keep(Size::Word, PAIR, R7);
    code.keep(Size::Word, PAIR + 4, R1);
    code.look_up(&maps.values, PAIR);
    code.jump_when(When::Unequal, R0, 0, "known value");
    code.keep_value(Size::Double, VALUE, 1);
    code.insert(&maps.values, PAIR, VALUE);
    code.jump_when(When::Equal, R0, 0, "out");
    lose(code, maps);
    code.jump("out");
    code.label("known value");
    code.count(R0, 0, R1);
}

/// Counts a call of a member that failed.
pub(super) fn leave(maps: &Maps, offsets: &Offsets) -> Vec<u64> {
    let mut code = Assembler::default();
    code.mov(R6, R1);
    code.load(Size::Double, R7, R6, 8);
    code.jump_when(When::SignedAtLeast, R7, 0, "out");
    code.jump_when(When::SignedAtMost, R7, FIRST_INTERNAL_ERROR, "out");
    only_members(&mut code, maps);
    code.load(Size::Double, R6, R6, 0);
    code.load(Size::Word, R8, R6, offsets.number);
    interface(&mut code, offsets, R9);
    code.jump_when(When::AtLeast, R8, NUMBERS, "out");
    index(&mut code, R8, R9);
    code.look_up(&maps.counts, KEY);
    code.jump_when(When::Equal, R0, 0, "out");
    code.count(R0, 8, R1);
    code.jump_when(When::Equal, R7, EPERM, "not permitted");
    code.jump_when(When::Unequal, R7, ENOSYS, "out");
    code.count(R0, 24, R1);
    code.jump("out");
    code.label("not permitted");
    code.count(R0, 16, R1);
    code.end()
}

/// A member's child is one.
pub(super) fn fork(maps: &Maps, offsets: &Offsets) -> Vec<u64> {
    let mut code = Assembler::default();
    code.mov(R6, R1);
    code.load(Size::Double, R7, R6, 8);
    code.load(Size::Word, R8, R7, offsets.process);
    code.load(Size::Word, R9, R7, offsets.thread);
    code.jump_when_registers(When::Unequal, R8, R9, "out");
    code.load(Size::Double, R7, R6, 0);
    code.load(Size::Word, R9, R7, offsets.process);
    code.keep(Size::Word, KEY, R9);
    code.look_up(&maps.members, KEY);
    code.jump_when(When::Equal, R0, 0, "out");
    code.keep(Size::Word, MEMBER, R8);
    join(&mut code, maps);
    code.end()
}

/// The first process becomes a member by its execve, and later whoever starts a program in the container.
pub(super) fn exec(maps: &Maps, offsets: &Offsets) -> Vec<u64> {
    let mut code = Assembler::default();
    code.mov(R6, R1);
    code.call(Helper::CurrentPidTgid);
    code.shift_right(R0, 32);
    code.mov(R7, R0);
    code.keep(Size::Word, MEMBER, R7);
    code.look_up(&maps.members, MEMBER);
    code.jump_when(When::Unequal, R0, 0, "out");
    scope(&mut code, maps);
    code.mov(R8, R0);
    code.load(Size::Word, R9, R8, Scope::FIRST);
    code.jump_when_registers(When::Equal, R7, R9, "start");
    code.load(Size::Word, R9, R8, Scope::STARTED);
    code.jump_when(When::Equal, R9, 0, "out");
    code.load(Size::Word, R9, R8, Scope::MOUNTS);
    code.jump_when(When::Equal, R9, 0, "out");
    code.load(Size::Double, R6, R6, 0);
    code.load(Size::Double, R6, R6, offsets.namespaces);
    code.load(Size::Double, R6, R6, offsets.mounts);
    code.load(Size::Word, R6, R6, offsets.mounts_number);
    code.jump_when_registers(When::Unequal, R6, R9, "out");
    code.jump("join");
    code.label("start");
    code.store_value(R8, Scope::STARTED, 1);
    code.label("join");
    join(&mut code, maps);
    code.end()
}

/// A process is no member any more once its last thread ends: its number will be another's. With the container's first process
/// nobody joins any more: the number of its mount namespace is soon another container's.
pub(super) fn exit(maps: &Maps, offsets: &Offsets) -> Vec<u64> {
    let mut code = Assembler::default();
    code.load(Size::Double, R6, R1, 0);
    code.load(Size::Double, R7, R6, offsets.signal);
    code.load(Size::Word, R7, R7, offsets.live_threads);
    code.jump_when(When::Unequal, R7, 0, "out");
    code.load(Size::Word, R7, R6, offsets.process);
    code.keep(Size::Word, MEMBER, R7);
    code.delete(&maps.members, MEMBER);
    scope(&mut code, maps);
    code.load(Size::Word, R8, R0, Scope::INIT);
    code.jump_when_registers(When::Unequal, R7, R8, "out");
    code.store_value(R0, Scope::FIRST, 0);
    code.store_value(R0, Scope::MOUNTS, 0);
    code.end()
}

/// Counts a capability that a member had and used: asked for in earnest, granted, by its own credentials (overlayfs
/// borrows those of whoever mounted it), which are of the container's user namespace and hold it.
pub(super) fn capable(maps: &Maps, offsets: &Offsets, check: Check) -> Vec<u64> {
    let mut code = Assembler::default();
    code.mov(R6, R1);
    // Both hand the result over as the fifth.
    code.load(Size::Double, R7, R6, 32);
    code.narrow(R7);
    code.jump_when(When::Unequal, R7, 0, "out");
    match check {
        Check::Function => {
            code.load(Size::Double, R7, R6, 24);
            code.jump_when(When::AnyBit, R7, NO_AUDIT, "out");
            code.load(Size::Double, R8, R6, 16);
        }
        Check::TracePoint => code.load(Size::Double, R8, R6, 24),
    }
    code.narrow(R8);
    code.jump_when(When::AtLeast, R8, 64, "out");
    only_members(&mut code, maps);
    scope(&mut code, maps);
    code.load(Size::Word, R9, R0, Scope::USERS);
    code.load(Size::Double, R6, R6, 0);
    code.call(Helper::CurrentTask);
    code.load(Size::Double, R7, R0, offsets.own_credentials);
    code.jump_when_registers(When::Unequal, R6, R7, "out");
    code.load(Size::Double, R7, R6, offsets.users);
    code.load(Size::Word, R7, R7, offsets.users_number);
    code.jump_when_registers(When::Unequal, R7, R9, "out");
    code.load(Size::Double, R7, R6, offsets.effective);
    code.shift_right_by(R7, R8);
    code.and(R7, 1);
    code.jump_when(When::Equal, R7, 0, "out");
    code.keep(Size::Word, KEY, R8);
    code.look_up(&maps.capabilities, KEY);
    code.jump_when(When::Equal, R0, 0, "out");
    code.count(R0, 0, R1);
    code.end()
}

/// Where a capability check is seen.
#[derive(Debug, Clone, Copy)]
pub(super) enum Check {
    /// Behind `cap_capable(cred, ns, cap, opts)` (`security/commoncap.c`).
    Function,
    /// At its trace point `(cred, ns, ns, cap, ret)`, since Linux 6.14, which does not say whether it was in earnest.
    TracePoint,
}

/// Leaves unless the current process is a member.
fn only_members(code: &mut Assembler, maps: &Maps) {
    code.call(Helper::CurrentPidTgid);
    code.shift_right(R0, 32);
    code.keep(Size::Word, MEMBER, R0);
    code.look_up(&maps.members, MEMBER);
    code.jump_when(When::Equal, R0, 0, "out");
}

/// `to` is 0 for the machine's own interface.
fn interface(code: &mut Assembler, offsets: &Offsets, to: Register) {
    code.call(Helper::CurrentTask);
    code.load(Size::Word, to, R0, offsets.interface);
    code.and(to, offsets.compat);
}

/// Makes the number, which is in range, the index into the arrays.
fn index(code: &mut Assembler, number: Register, interface: Register) {
    code.jump_when(When::Equal, interface, 0, "native");
    code.add(number, NUMBERS);
    code.label("native");
    code.keep(Size::Word, KEY, number);
}

/// R0 points to the scope.
fn scope(code: &mut Assembler, maps: &Maps) {
    code.keep_value(Size::Word, KEY, 0);
    code.look_up(&maps.scope, KEY);
    code.jump_when(When::Equal, R0, 0, "out");
}

/// Makes the process a member.
fn join(code: &mut Assembler, maps: &Maps) {
    code.keep_value(Size::Word, KEY, 1);
    code.insert(&maps.members, MEMBER, KEY);
    code.jump_when(When::Equal, R0, 0, "out");
    lose(code, maps);
}

/// Counts what did not fit.
fn lose(code: &mut Assembler, maps: &Maps) {
    code.keep_value(Size::Word, KEY, 0);
    code.look_up(&maps.lost, KEY);
    code.jump_when(When::Equal, R0, 0, "out");
    code.count(R0, 0, R1);
}
