//! Access lists (`acl(5)`): they can let others write where the mode shows no more than what looks like the group's bits.
#![allow(unsafe_code, reason = "no crate that the shim has asks for an attribute")]

use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::libc;

const ATTRIBUTE: &CStr = c"system.posix_acl_access";

/// Whether what is at `path`, a link itself and not its target, has one.
pub(super) fn has_access_list(path: &Path) -> bool {
    let Ok(path) = CString::new(path.as_os_str().as_bytes()) else { return true };
    // SAFETY: both names end with NUL, and a size of 0 asks for the length alone: nothing is written.
    let length = unsafe { libc::lgetxattr(path.as_ptr(), ATTRIBUTE.as_ptr(), std::ptr::null_mut(), 0) };
    length > 0
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Lets user 12345 do `rights` (rwx) with what is at `path`; `false` where the file system keeps no lists.
    pub(in super::super) fn grant(path: &Path, rights: u16) -> bool {
        // linux/posix_acl_xattr.h: the version, then tag, rights and id of each entry.
        const OWNER: u16 = 1;
        const USER: u16 = 2;
        const GROUP: u16 = 4;
        const MASK: u16 = 0x10;
        const OTHER: u16 = 0x20;
        let entries = [(OWNER, 7, u32::MAX), (USER, rights, 12_345), (GROUP, 5, u32::MAX)];
        let ends = [(MASK, 5 | rights, u32::MAX), (OTHER, 5, u32::MAX)];
        let mut list = 2u32.to_le_bytes().to_vec();
        for (tag, rights, id) in entries.into_iter().chain(ends) {
            list.extend(tag.to_le_bytes());
            list.extend(rights.to_le_bytes());
            list.extend(id.to_le_bytes());
        }
        let path = CString::new(path.as_os_str().as_bytes()).unwrap();
        // SAFETY: the names end with NUL, and the length is the list's.
        let set = unsafe { libc::setxattr(path.as_ptr(), ATTRIBUTE.as_ptr(), list.as_ptr().cast(), list.len(), 0) };
        set == 0
    }
}
