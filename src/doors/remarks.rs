//! Remarks as a person or a program reads them.

use std::path::Path;

use serde_json::json;

use crate::remark::Remark;
use crate::report::escape;

/// `FILE:LINE: LEVEL: MESSAGE [CODE]`, and the hint below.
pub(super) fn text(file: &Path, remark: &Remark) -> String {
    let Remark { code, level, line, message, hint } = remark;
    let file = escape(&file.display().to_string()).into_owned();
    format!("{file}:{line}: {}: {} [{code}]\n    hint: {hint}\n", level.as_str(), escape(message))
}

/// The same as an object.
pub(super) fn object(file: &Path, remark: &Remark) -> serde_json::Value {
    let Remark { code, level, line, message, hint } = remark;
    json!({ "file": file.display().to_string(), "line": line, "level": level.as_str(), "code": code, "message": message, "hint": hint })
}
