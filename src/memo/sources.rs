//! Which sources an answer was worked out by: two builds of one version may answer differently. The build script reads this
//! file as well.

use std::io;
use std::path::Path;

/// FNV-1a over what decides: every Rust file of the library and the built-in profile, by name, in the order of names. The
/// same sources give the same number wherever, whenever and for whomever they are built.
pub(super) fn fingerprint(root: &Path) -> io::Result<u64> {
    let mut files = vec!["profiles/seccomp/default.toml".to_owned()];
    let mut folders = vec!["src".to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if Path::new(&path).extension().is_some_and(|ending| ending == "rs") {
                files.push(path);
            }
        }
    }
    files.sort_unstable();
    let mut hash = 0xcbf2_9ce4_8422_2325;
    for path in files {
        let text = std::fs::read(root.join(&path))?;
        // Lengths, so that no byte can move from one text to the next.
        for bytes in [&path.len().to_le_bytes()[..], path.as_bytes(), &text.len().to_le_bytes(), &text] {
            hash = bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3));
        }
    }
    Ok(hash)
}
