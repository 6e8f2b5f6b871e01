//! What the running kernel's types look like: `/sys/kernel/btf/vmlinux` (`Documentation/bpf/btf.rst`).
//!
//! Where a member lies differs from kernel to kernel, so the programs are written for the one that runs.

use std::collections::HashMap;

/// The kernel's own description.
pub(super) const PLACE: &str = "/sys/kernel/btf/vmlinux";

const MAGIC: u16 = 0xeb9f;
/// Members of members without a name are looked at this deep.
const MAX_DEPTH: u32 = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Struct,
    Union,
    Other(u32),
}

/// A type: where its description begins in the text.
#[derive(Debug, Clone, Copy)]
struct Type {
    kind: Kind,
    /// How many members follow.
    members: u32,
    /// Whether member offsets share their word with a bit field's width.
    has_bit_fields: bool,
    /// What it refers to, for those that do.
    refers: u32,
    at: usize,
}

/// The description, indexed by the names that are asked for.
#[derive(Debug)]
pub(super) struct Btf {
    text: Vec<u8>,
    strings: usize,
    types: Vec<Type>,
    structs: HashMap<String, u32>,
    functions: HashMap<String, u32>,
    typedefs: HashMap<String, u32>,
}

const INT: u32 = 1;
const ARRAY: u32 = 3;
const STRUCT: u32 = 4;
const UNION: u32 = 5;
const ENUM: u32 = 6;
const TYPEDEF: u32 = 8;
const VOLATILE: u32 = 9;
const RESTRICT: u32 = 11;
const FUNCTION: u32 = 12;
const PROTOTYPE: u32 = 13;
const VARIABLE: u32 = 14;
const SECTION: u32 = 15;
const DECLARATION_TAG: u32 = 17;
const TYPE_TAG: u32 = 18;
const ENUM64: u32 = 19;

impl Btf {
    /// Reads a description; none where it is damaged or of another byte order.
    pub(super) fn parse(text: Vec<u8>) -> Option<Self> {
        let (header, types) = (word(&text, 4)? as usize, word(&text, 8)? as usize);
        let (length, strings) = (word(&text, 12)? as usize, word(&text, 16)? as usize);
        if u16::from_ne_bytes(text.get(..2)?.try_into().ok()?) != MAGIC {
            return None;
        }
        let (mut at, end, strings) = (header.checked_add(types)?, header + types + length, header + strings);
        // Type 0 is void.
        let void = Type { kind: Kind::Other(0), members: 0, has_bit_fields: false, refers: 0, at: 0 };
        let mut found = Self {
            text,
            strings,
            types: vec![void],
            structs: HashMap::new(),
            functions: HashMap::new(),
            typedefs: HashMap::new(),
        };
        while at < end {
            at = found.take(at)?;
        }
        Some(found)
    }

    /// Reads the type at `at`, and gives where the next one is.
    fn take(&mut self, at: usize) -> Option<usize> {
        let (name, info, refers) = (word(&self.text, at)?, word(&self.text, at + 4)?, word(&self.text, at + 8)?);
        let (members, number) = (info & 0xffff, info >> 24 & 0x1f);
        let id = u32::try_from(self.types.len()).ok()?;
        let index = match number {
            STRUCT if members > 0 => Some(&mut self.structs),
            FUNCTION => Some(&mut self.functions),
            TYPEDEF => Some(&mut self.typedefs),
            _ => None,
        };
        if let Some(index) = index {
            let name = string(&self.text, self.strings, name)?;
            if !name.is_empty() {
                index.entry(name.to_owned()).or_insert(id);
            }
        }
        let kind = match number {
            STRUCT => Kind::Struct,
            UNION => Kind::Union,
            other => Kind::Other(other),
        };
        self.types.push(Type { kind, members, has_bit_fields: info >> 31 == 1, refers, at: at + 12 });
        let extra = match number {
            INT | VARIABLE | DECLARATION_TAG => 4,
            ARRAY => 12,
            STRUCT | UNION | SECTION | ENUM64 => 12 * members as usize,
            ENUM | PROTOTYPE => 8 * members as usize,
            _ => 0,
        };
        Some(at + 12 + extra)
    }

    /// The type of the arguments of the trace point `name` (`include/trace/bpf_probe.h`).
    pub(super) fn trace_point(&self, name: &str) -> Option<u32> {
        self.typedefs.get(&format!("btf_trace_{name}")).copied()
    }

    /// The function `name`.
    pub(super) fn function(&self, name: &str) -> Option<u32> {
        self.functions.get(name).copied()
    }

    /// How many bytes into `structure` its member is, or the member of a member: `thread_info.status`.
    pub(super) fn offset(&self, structure: &str, path: &str) -> Option<i16> {
        let mut id = *self.structs.get(structure)?;
        let mut bits = 0;
        for name in path.split('.') {
            let (offset, inner) = self.member(id, name, 0)?;
            bits += offset;
            id = inner;
        }
        i16::try_from(bits / 8).ok()
    }

    /// Where the member is, in bits, and of what type.
    fn member(&self, id: u32, name: &str, depth: u32) -> Option<(u32, u32)> {
        let outer = self.resolve(id)?;
        if depth == MAX_DEPTH || !matches!(outer.kind, Kind::Struct | Kind::Union) {
            return None;
        }
        for number in 0..outer.members as usize {
            let at = outer.at + 12 * number;
            let (named, kind, offset) = (word(&self.text, at)?, word(&self.text, at + 4)?, word(&self.text, at + 8)?);
            let offset = if outer.has_bit_fields { offset & 0xff_ffff } else { offset };
            let named = string(&self.text, self.strings, named)?;
            if named == name {
                return Some((offset, kind));
            }
            if let (true, Some((inside, kind))) = (named.is_empty(), self.member(kind, name, depth + 1)) {
                return Some((offset + inside, kind));
            }
        }
        None
    }

    /// The type behind typedefs and qualifiers.
    fn resolve(&self, mut id: u32) -> Option<Type> {
        for _ in 0..MAX_DEPTH * 4 {
            let found = *self.types.get(id as usize)?;
            match found.kind {
                Kind::Other(TYPEDEF..=RESTRICT | TYPE_TAG) => id = found.refers,
                _ => return Some(found),
            }
        }
        None
    }
}

const _: () = assert!(TYPEDEF < VOLATILE && VOLATILE < RESTRICT);

fn word(text: &[u8], at: usize) -> Option<u32> {
    text.get(at..at.checked_add(4)?).and_then(|bytes| bytes.try_into().ok()).map(u32::from_ne_bytes)
}

fn string(text: &[u8], strings: usize, offset: u32) -> Option<&str> {
    let text = text.get(strings + offset as usize..)?;
    std::str::from_utf8(&text[..text.iter().position(|byte| *byte == 0)?]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_description_is_none() {
        for text in [&b""[..], b"\x9f\xeb", &[0; 64]] {
            assert!(Btf::parse(text.to_vec()).is_none());
        }
    }

    #[test]
    fn the_running_kernel_s_types_are_found() {
        let Ok(text) = std::fs::read(PLACE) else {
            return eprintln!("\n*** SKIPPED: this kernel has no {PLACE} ***\n");
        };
        let cut = text[..text.len() / 2].to_vec();
        let btf = Btf::parse(text).unwrap();
        assert!(btf.offset("task_struct", "pid").unwrap() > 0);
        assert_eq!(btf.offset("task_struct", "tgid"), btf.offset("task_struct", "pid").map(|pid| pid + 4));
        assert_eq!(btf.offset("task_struct", "no_such_member"), None);
        assert!(btf.trace_point("sys_enter").is_some() && btf.trace_point("no_such_point").is_none());
        assert!(btf.function("cap_capable").is_some());
        assert!(Btf::parse(cut).is_none(), "half a description is refused");
    }
}
