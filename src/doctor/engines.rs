//! Whether the engines on the machine start batten-runtime at all.

use super::{Check, Level};
use crate::engines::{Engine, Site};

const AREA: &str = "engines";

pub(super) fn checks(site: &Site) -> Vec<Check> {
    let checks: Vec<Check> = Engine::ALL.iter().filter_map(|engine| check(site, *engine)).collect();
    if checks.is_empty() {
        return vec![Check::fine(AREA, "engines", "none is on this machine")];
    }
    checks
}

fn check(site: &Site, engine: Engine) -> Option<Check> {
    let name = engine.as_str();
    Some(match engine.coverage_if_found(site) {
        Ok(None) => return None,
        Ok(Some(coverage)) if coverage.all_are_covered() => {
            Check::fine(AREA, name, "every container goes through batten-runtime")
        }
        Ok(Some(coverage)) if coverage.default_is_covered() => {
            let open: Vec<_> =
                coverage.handlers.iter().filter(|handler| !handler.is_covered && !handler.is_absent).collect();
            let names = open.iter().map(|handler| handler.name.as_str()).collect::<Vec<_>>().join(", ");
            let found = format!("the default is batten-runtime; these names lead around it: {names}");
            Check::new(AREA, name, Level::Warning, found, format!("batten status {name}"))
        }
        Ok(Some(coverage)) => {
            let found =
                format!("a container that names no runtime gets {:?}, which is not batten-runtime", coverage.default);
            Check::new(AREA, name, Level::Warning, found, format!("batten install {name} --default"))
        }
        Err(error) => Check::new(AREA, name, Level::Failure, error.to_string(), error.hint()),
    })
}
