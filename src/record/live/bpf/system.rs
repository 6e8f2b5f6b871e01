//! bpf(2): maps, programs, and what they are attached to. Each goes with its descriptor, so nothing outlives batten.
#![allow(unsafe_code, reason = "bpf(2) takes structures full of addresses")]

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use nix::libc;

/// `include/uapi/linux/bpf.h`, `enum bpf_cmd`.
#[derive(Clone, Copy)]
enum Command {
    MapCreate = 0,
    MapLookup = 1,
    MapUpdate = 2,
    MapNextKey = 4,
    ProgramLoad = 5,
    RawTracePointOpen = 17,
}

/// `enum bpf_map_type`.
#[derive(Debug, Clone, Copy)]
pub(super) enum MapKind {
    Hash = 1,
    Array = 2,
    ArrayPerCpu = 6,
}

/// A map that programs and batten share.
#[derive(Debug)]
pub(super) struct Map {
    descriptor: OwnedFd,
    key: usize,
    /// Of one value, or of those of all processors together.
    value: usize,
}

#[repr(C)]
#[derive(Default)]
struct MapCreate {
    kind: u32,
    key_size: u32,
    value_size: u32,
    max_entries: u32,
    flags: u32,
    inner_map: u32,
    numa_node: u32,
    name: [u8; 16],
}

#[repr(C)]
struct MapElement {
    map: u32,
    unused: u32,
    key: u64,
    value: u64,
    flags: u64,
}

#[repr(C)]
#[derive(Default)]
struct ProgramLoad {
    kind: u32,
    count: u32,
    instructions: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log: u64,
    kernel_version: u32,
    flags: u32,
    name: [u8; 16],
    interface: u32,
    attach_kind: u32,
    types: u32,
    function_size: u32,
    functions: u64,
    function_count: u32,
    line_size: u32,
    lines: u64,
    line_count: u32,
    attach_type: u32,
    attach_program: u32,
}

#[repr(C)]
struct RawTracePointOpen {
    name: u64,
    program: u32,
    unused: u32,
}

/// Where a program is to run.
#[derive(Debug, Clone, Copy)]
pub(super) enum Hook {
    /// A trace point, by the type of its arguments.
    TracePoint(u32),
    /// The end of a function of the kernel's.
    Return(u32),
}

/// The helpers that read the current task are for programs under the GPL only. The instructions that
/// `programs.rs` writes are therefore offered under the GPL, version 2, as well as under batten's own licence.
const LICENSE: &CStr = c"Dual MIT/GPL";
/// `BPF_PROG_TYPE_TRACING`
const TRACING: u32 = 26;
/// The kernel's own `ENOTSUPP` (`include/linux/errno.h`), which has no name in user space.
pub(super) const UNSUPPORTED: i32 = 524;
/// How much of the verifier's reasons is read.
const LOG: usize = 1 << 20;

impl Map {
    pub(super) fn create(kind: MapKind, key: u32, value: u32, entries: u32) -> io::Result<Self> {
        let mut attribute = MapCreate {
            kind: kind as u32,
            key_size: key,
            value_size: value,
            max_entries: entries,
            name: name(b"batten_record"),
            ..MapCreate::default()
        };
        // SAFETY: the structure holds no address.
        let descriptor = unsafe { open(Command::MapCreate, &mut attribute) }?;
        let values = if matches!(kind, MapKind::ArrayPerCpu) { possible_cpus()? } else { 1 };
        Ok(Self { descriptor, key: key as usize, value: value.next_multiple_of(8) as usize * values })
    }

    /// For instructions.
    pub(super) fn descriptor(&self) -> i32 {
        self.descriptor.as_raw_fd()
    }

    /// The value at `key`, or one for each processor.
    pub(super) fn look_up(&self, key: &[u8]) -> io::Result<Option<Vec<u8>>> {
        assert_eq!(key.len(), self.key);
        let mut value = vec![0; self.value];
        let mut element = self.element(key, value.as_mut_ptr() as u64);
        // SAFETY: the key has the map's length, and the value has room for what the kernel writes.
        match unsafe { call(Command::MapLookup, &mut element) } {
            Ok(_) => Ok(Some(value)),
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sets the value at `key`.
    pub(super) fn insert(&self, key: &[u8], value: &[u8]) -> io::Result<()> {
        assert!(key.len() == self.key && value.len() <= self.value);
        let mut whole = vec![0; self.value];
        whole[..value.len()].copy_from_slice(value);
        let mut element = self.element(key, whole.as_ptr() as u64);
        // SAFETY: key and value have the map's lengths; the kernel only reads them.
        unsafe { call(Command::MapUpdate, &mut element) }.map(drop)
    }

    /// All keys. While programs add to the map some may be left out.
    pub(super) fn keys(&self) -> io::Result<Vec<Vec<u8>>> {
        let mut keys: Vec<Vec<u8>> = Vec::new();
        loop {
            let mut next = vec![0; self.key];
            let mut element = self.element(&[], next.as_mut_ptr() as u64);
            element.key = keys.last().map_or(0, |key| key.as_ptr() as u64);
            // SAFETY: the key, where there is one, has the map's length, and the next one has room for it.
            match unsafe { call(Command::MapNextKey, &mut element) } {
                Ok(_) => keys.push(next),
                Err(error) if error.raw_os_error() == Some(libc::ENOENT) => return Ok(keys),
                Err(error) => return Err(error),
            }
        }
    }

    fn element(&self, key: &[u8], value: u64) -> MapElement {
        MapElement { map: self.descriptor().cast_unsigned(), unused: 0, key: key.as_ptr() as u64, value, flags: 0 }
    }
}

/// Loads a program and lets it run at `hook` for as long as the result is kept.
///
/// # Errors
/// The kernel's, with the last lines of the verifier's reasons where it is the one that refuses.
pub(super) fn attach(title: &[u8], code: &[u64], hook: Hook) -> io::Result<OwnedFd> {
    let program = load(title, code, hook, None).or_else(|error| {
        // With its reasons it takes far longer, so they are asked for only now.
        let mut log = vec![0u8; LOG];
        let again = load(title, code, hook, Some(&mut log));
        again.map_err(|_| io::Error::new(error.kind(), reasons(&error, &log)))
    })?;
    let mut attribute = RawTracePointOpen { name: 0, program: program.as_raw_fd().cast_unsigned(), unused: 0 };
    // SAFETY: the structure holds no address. The link holds the program from here on.
    unsafe { open(Command::RawTracePointOpen, &mut attribute) }
}

fn load(title: &[u8], code: &[u64], hook: Hook, log: Option<&mut Vec<u8>>) -> io::Result<OwnedFd> {
    let (attach_kind, attach_type) = match hook {
        Hook::TracePoint(id) => (23, id),
        Hook::Return(id) => (25, id),
    };
    let mut attribute = ProgramLoad {
        kind: TRACING,
        count: u32::try_from(code.len()).map_err(|_| io::Error::from_raw_os_error(libc::E2BIG))?,
        instructions: code.as_ptr() as u64,
        license: LICENSE.as_ptr() as u64,
        name: name(title),
        attach_kind,
        attach_type,
        ..ProgramLoad::default()
    };
    if let Some(log) = log {
        (attribute.log_level, attribute.log) = (1, log.as_mut_ptr() as u64);
        attribute.log_size = u32::try_from(log.len()).unwrap_or(0);
    }
    // SAFETY: instructions, licence and log live until the kernel has answered, and their lengths are theirs.
    unsafe { open(Command::ProgramLoad, &mut attribute) }
}

fn reasons(error: &io::Error, log: &[u8]) -> String {
    let text = String::from_utf8_lossy(&log[..log.iter().position(|byte| *byte == 0).unwrap_or(0)]).into_owned();
    let last: Vec<&str> = text.lines().rev().filter(|line| !line.starts_with("processed")).take(2).collect();
    let last: Vec<&str> = last.into_iter().rev().collect();
    if last.is_empty() { error.to_string() } else { format!("{error}: {}", last.join("; ")) }
}

/// SAFETY: as for [`call`]; the command gives a new descriptor.
unsafe fn open<A>(command: Command, attribute: &mut A) -> io::Result<OwnedFd> {
    // SAFETY: the caller's.
    let descriptor = unsafe { call(command, attribute) }?;
    // SAFETY: the kernel has just opened it for this process, which knows it nowhere else.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// SAFETY: every address in `attribute` points to as many bytes as the command reads or writes there.
unsafe fn call<A>(command: Command, attribute: &mut A) -> io::Result<i32> {
    // SAFETY: the structure is as long as it is said to be; what it points to is the caller's.
    let answer = unsafe { libc::syscall(libc::SYS_bpf, command as i32, std::ptr::from_mut(attribute), size_of::<A>()) };
    // nix knows no ENOTSUPP.
    if answer < 0 {
        return Err(io::Error::last_os_error());
    }
    i32::try_from(answer).map_err(|_| io::Error::from_raw_os_error(libc::EOVERFLOW))
}

fn name(text: &[u8]) -> [u8; 16] {
    let mut name = [0; 16];
    let length = text.len().min(15);
    name[..length].copy_from_slice(&text[..length]);
    name
}

/// A value per processor that there could be, not only per one that is on: `0-3`, `0,2-5`.
fn possible_cpus() -> io::Result<usize> {
    let text = std::fs::read_to_string("/sys/devices/system/cpu/possible")?;
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(last.parse::<usize>().ok()?.checked_sub(first.parse().ok()?)? + 1)
    };
    let count = text.trim().split(',').map(range).sum::<Option<usize>>();
    count.filter(|count| *count > 0).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
}
