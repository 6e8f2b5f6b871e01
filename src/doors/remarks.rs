//! Remarks as a person or a program reads them.

use std::path::Path;

use serde_json::json;

use super::format::Format;
use crate::escape::escape;
use crate::remark::Remark;

/// Remarks on files, one after another.
pub(super) fn printed(found: &[(&Path, Remark)], format: Format) -> String {
    match format {
        Format::Text => found.iter().map(|(file, remark)| text(file, remark)).collect(),
        Format::Json => {
            let list: Vec<_> = found.iter().map(|(file, remark)| object(file, remark)).collect();
            format!("{:#}\n", serde_json::Value::Array(list))
        }
    }
}

/// `FILE:LINE: LEVEL: MESSAGE [CODE]`, and the hint below.
fn text(file: &Path, remark: &Remark) -> String {
    let Remark { code, level, line, message, hint } = remark;
    let file = escape(&file.display().to_string()).into_owned();
    format!("{file}:{line}: {}: {} [{code}]\n    hint: {hint}\n", level.as_str(), escape(message))
}

/// The same as an object.
fn object(file: &Path, remark: &Remark) -> serde_json::Value {
    let Remark { code, level, line, message, hint } = remark;
    json!({ "file": file.display().to_string(), "line": line, "level": level.as_str(), "code": code, "message": message, "hint": hint })
}
