//! Which calls to ask about.

use batten::seccomp::{Arch, Condition, Multiplexer, Op, Profile, Syscall, X32_BIT};

/// One call to ask about.
#[derive(Debug, Clone, Copy)]
pub struct Probe {
    pub arch: Arch,
    pub call: Option<Syscall>,
    pub number: u32,
    pub args: [u64; 6],
}

/// A few numbers that look random and are the same in every run.
struct Shuffle(u64);

impl Shuffle {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 27)
    }

    fn pick(&mut self, values: &[u64]) -> u64 {
        values[usize::try_from(self.next()).unwrap_or(0) % values.len()]
    }
}

/// Numbers of every interface of `native`, and of one that no machine of its kind answers: those that `profiles` name, with
/// arguments around every boundary of every condition, and of the others every one or, `sparse`, a few.
pub fn probes(profiles: &[&Profile], native: Arch, sparse: bool) -> Vec<Probe> {
    let foreign = if native.is_big_endian() { Arch::M68k } else { Arch::Sh };
    let archs = std::iter::once(native).chain(native.compat().iter().copied()).chain([foreign]);
    archs.flat_map(|arch| probes_on(arch, profiles, arch == foreign, sparse)).collect()
}

fn probes_on(arch: Arch, profiles: &[&Profile], foreign: bool, sparse: bool) -> Vec<Probe> {
    let named = named(profiles, arch);
    let mut probes = Vec::new();
    for call in Syscall::all() {
        let Some(number) = call.number(arch) else { continue };
        let conditions = &named[call.index()];
        if conditions.is_empty() && sparse && call.index() % 29 != 0 {
            continue;
        }
        let vectors = if foreign { vec![[0; 6]] } else { vectors(conditions, call) };
        probes.extend(vectors.into_iter().map(|args| Probe { arch, call: Some(call), number, args }));
    }
    let bit = if arch == Arch::X32 { X32_BIT } else { 0 };
    for number in [399, 4399, 5399, 6399, 9999, 0x3fff_ffff].map(|number| number | bit) {
        if Syscall::from_number(arch, number).is_none() {
            probes.push(Probe { arch, call: None, number, args: [1; 6] });
        }
    }
    probes
}

/// For each call, every list of conditions that bears on it on `arch`.
fn named(profiles: &[&Profile], arch: Arch) -> Vec<Vec<Vec<Condition>>> {
    let mut named = vec![Vec::new(); Syscall::COUNT];
    for rule in profiles.iter().flat_map(|profile| &profile.syscalls) {
        for call in rule.names.iter().filter_map(|name| Syscall::from_name(name)) {
            named[call.index()].push(rule.args.clone());
            if let Some((through, number)) = Multiplexer::of(call.name()).filter(|_| Multiplexer::used_on(arch)) {
                let sub = Condition { index: 0, value: number, value_two: 0, op: Op::Eq };
                let others = rule.args.iter().filter(|condition| condition.index != 0).copied();
                let own = through.syscall().expect("a call like others");
                named[own.index()].push(std::iter::once(sub).chain(others).collect());
            }
        }
    }
    named
}

fn vectors(conditions: &[Vec<Condition>], call: Syscall) -> Vec<[u64; 6]> {
    let mut vectors = vec![[0; 6]];
    if conditions.iter().all(Vec::is_empty) {
        return vectors;
    }
    let mut values: [Vec<u64>; 6] = std::array::from_fn(|_| vec![0, u64::MAX]);
    for condition in conditions.iter().flatten() {
        values[condition.index as usize].extend(around(condition));
    }
    for values in &mut values {
        values.sort_unstable();
        values.dedup();
    }
    let mut shuffle = Shuffle(call.index() as u64);
    for clause in conditions {
        for _ in 0..2 {
            let mut args = std::array::from_fn(|index| shuffle.pick(&values[index]));
            for condition in clause {
                args[condition.index as usize] = satisfying(condition);
            }
            vectors.push(args);
        }
    }
    for (index, own) in values.iter().enumerate() {
        for value in own {
            let mut args: [u64; 6] = std::array::from_fn(|other| shuffle.pick(&values[other]));
            args[index] = *value;
            vectors.push(args);
        }
    }
    vectors
}

fn satisfying(condition: &Condition) -> u64 {
    match condition.op {
        Op::Ne | Op::Gt => condition.value.wrapping_add(1),
        Op::Lt => condition.value.wrapping_sub(1),
        Op::Le | Op::Eq | Op::Ge => condition.value,
        Op::MaskedEq => (condition.value & condition.value_two) | (!condition.value & 0x5555_5555_5555_5555),
    }
}

/// Values at which `condition` changes its mind, for 64 bits and for 32.
fn around(condition: &Condition) -> Vec<u64> {
    let value = condition.value;
    let mut values = vec![value, value.wrapping_add(1), value.wrapping_sub(1), value ^ (1 << 32), value & 0xffff_ffff];
    if condition.op == Op::MaskedEq {
        let datum = value & condition.value_two;
        let free = !value;
        values.extend([
            datum,
            datum | free,
            datum ^ (value & value.wrapping_neg()),
            condition.value_two,
            datum ^ (1 << 32),
        ]);
    }
    values
}
