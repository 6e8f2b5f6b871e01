//! What the programs count into.

use std::collections::BTreeMap;
use std::io;

use super::scope::Scope;
use super::system::{Map, MapKind};
use crate::capability::{CapSet, Capability};
use crate::record::live::tally::{Count, Tally};
use crate::record::strace::kept_argument;
use crate::seccomp::{Arch, Syscall};

/// How many processes, values of arguments and strange numbers there is room for.
const MEMBERS: u32 = 1 << 16;
const VALUES: u32 = 1 << 14;
const STRANGERS: u32 = 1 << 12;
/// Numbers below this are counted in an array, those of the 32-bit interface behind the machine's own; others in a hash.
pub(super) const NUMBERS: i32 = 1024;
const CALLS: u32 = 2 * NUMBERS.cast_unsigned();

/// The maps of one recording.
#[derive(Debug)]
pub(super) struct Maps {
    /// One [`Scope`].
    pub(super) scope: Map,
    /// Processes.
    pub(super) members: Map,
    /// By call: made, failed, not permitted, not implemented.
    pub(super) counts: Map,
    /// By number and interface: made.
    pub(super) strange: Map,
    /// By call: which argument to keep, from 1, and its mask.
    pub(super) kept: Map,
    /// By call and value: made.
    pub(super) values: Map,
    /// By capability: used.
    pub(super) capabilities: Map,
    /// What did not fit.
    pub(super) lost: Map,
}

impl Maps {
    pub(super) fn create() -> io::Result<Self> {
        let maps = Self {
            scope: Map::create(MapKind::Array, 4, Scope::BYTES, 1)?,
            members: Map::create(MapKind::Hash, 4, 4, MEMBERS)?,
            counts: Map::create(MapKind::ArrayPerCpu, 4, 32, CALLS)?,
            strange: Map::create(MapKind::Hash, 8, 8, STRANGERS)?,
            kept: Map::create(MapKind::Array, 4, 8, CALLS)?,
            values: Map::create(MapKind::Hash, 8, 8, VALUES)?,
            capabilities: Map::create(MapKind::Array, 4, 8, 64)?,
            lost: Map::create(MapKind::Array, 4, 8, 1)?,
        };
        maps.choose_arguments()?;
        Ok(maps)
    }

    /// Says which argument of which call is worth keeping.
    fn choose_arguments(&self) -> io::Result<()> {
        for index in 0..CALLS {
            let (arch, number) = call_at(index);
            let kept = Syscall::from_number(arch, number).and_then(|call| kept_argument(Arch::NATIVE, call));
            if let Some(kept) = kept {
                // The 32-bit interface's registers come behind the machine's own.
                let register = kept.index + if arch == Arch::NATIVE { 1 } else { 3 };
                let value = [register.to_ne_bytes(), kept.mask.to_ne_bytes()].concat();
                self.kept.insert(&index.to_ne_bytes(), &value)?;
            }
        }
        Ok(())
    }

    /// Everything that was counted.
    pub(super) fn read(&self, arguments: bool, capabilities: bool) -> io::Result<Tally> {
        let mut tally = Tally::default();
        for index in 0..CALLS {
            let value = self.counts.look_up(&index.to_ne_bytes())?.unwrap_or_default();
            let of = |place: usize| value.chunks_exact(32).map(|cpu| word(&cpu[8 * place..])).sum::<u64>();
            let count = Count { made: of(0), failed: of(1), not_permitted: of(2), not_implemented: of(3) };
            if count.made + count.failed > 0 {
                tally.calls.insert(call_at(index), count);
            }
        }
        for (key, made) in counted(&self.strange)? {
            let (number, compat) = (half(&key), half(&key[4..]) != 0);
            tally.calls.insert((interface(number, compat), number), Count { made, ..Count::default() });
        }
        if arguments {
            let mut values: BTreeMap<(Arch, u32), Vec<u32>> = BTreeMap::new();
            for (key, _) in counted(&self.values)? {
                values.entry(call_at(half(&key))).or_default().push(half(&key[4..]));
            }
            tally.values = Some(values);
        }
        tally.capabilities = if capabilities { Some(self.used_capabilities()?) } else { None };
        tally.lost = word(&self.lost.look_up(&[0; 4])?.unwrap_or_default());
        Ok(tally)
    }

    fn used_capabilities(&self) -> io::Result<CapSet> {
        let mut used = CapSet::EMPTY;
        for capability in (0..64).filter_map(Capability::from_number) {
            let value = self.capabilities.look_up(&u32::from(capability.number()).to_ne_bytes())?;
            if word(&value.unwrap_or_default()) > 0 {
                used = used.union(CapSet::of(capability));
            }
        }
        Ok(used)
    }
}

/// The keys of a hash and how often each was counted.
fn counted(map: &Map) -> io::Result<Vec<(Vec<u8>, u64)>> {
    let mut found = Vec::new();
    for key in map.keys()? {
        let value = map.look_up(&key)?.unwrap_or_default();
        found.push((key, word(&value)));
    }
    Ok(found)
}

/// The call that is counted at `index`.
fn call_at(index: u32) -> (Arch, u32) {
    let numbers = NUMBERS.cast_unsigned();
    (interface(index % numbers, index >= numbers), index % numbers)
}

fn interface(number: u32, compat: bool) -> Arch {
    match (Arch::NATIVE.compat(), compat) {
        ([first, ..], true) => *first,
        ([_, x32], false) if Arch::NATIVE == Arch::X86_64 && number & crate::seccomp::X32_BIT != 0 => *x32,
        _ => Arch::NATIVE,
    }
}

fn word(bytes: &[u8]) -> u64 {
    bytes.get(..8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_ne_bytes)
}

fn half(bytes: &[u8]) -> u32 {
    bytes.get(..4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_ne_bytes)
}
