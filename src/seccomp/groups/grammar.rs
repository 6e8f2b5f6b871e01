//! How rules are written in TOML, in the built-in profile and in profiles of our own. The build reads it as well.

use serde::Deserialize;

/// A call under conditions, on some machines.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Rule {
    pub(crate) calls: Vec<String>,
    /// What happens: only profiles of our own say so, the built-in one opens.
    pub(crate) action: Option<String>,
    #[serde(default)]
    pub(crate) when: Vec<When>,
    /// The oldest kernel.
    pub(crate) kernel: Option<String>,
    /// `compat`: only where 32-bit interfaces are kept.
    pub(crate) abis: Option<String>,
    pub(crate) archs: Option<Vec<String>>,
    pub(crate) not_archs: Option<Vec<String>>,
    /// Only for containers that hold one of these.
    pub(crate) caps: Option<Vec<String>>,
}

/// One condition: an argument compared with a value, under a mask if there is one, or with each of several.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct When {
    pub(crate) arg: u32,
    pub(crate) op: Option<String>,
    pub(crate) mask: Option<u64>,
    pub(crate) value: Option<u64>,
    pub(crate) any: Option<Vec<u64>>,
}

/// An argument's index, the operator's name in [`Op`](crate::seccomp::Op), `value` and `valueTwo`.
pub(crate) type Compared = (u32, &'static str, u64, u64);

/// The conditions that must all hold, once for each value of an `any`.
///
/// # Errors
/// What is wrong, in one clause.
pub(crate) fn alternatives(when: &[When]) -> Result<Vec<Vec<Compared>>, String> {
    let mut alternatives = vec![Vec::new()];
    let mut seen = [false; 6];
    for condition in when {
        let place = usize::try_from(condition.arg).ok().and_then(|arg| seen.get_mut(arg));
        let place = place.ok_or_else(|| format!("arg = {}: a call has arguments 0 to 5", condition.arg))?;
        if std::mem::replace(place, true) {
            return Err(format!("two conditions are on argument {}: write two rules, or `any`", condition.arg));
        }
        let next = compared(condition)?;
        alternatives = alternatives
            .iter()
            .flat_map(|so_far| next.iter().map(move |next| [so_far.as_slice(), std::slice::from_ref(next)].concat()))
            .collect();
    }
    Ok(alternatives)
}

fn compared(when: &When) -> Result<Vec<Compared>, String> {
    if let Some(values) = &when.any {
        return match (when.op.as_deref(), when.mask, when.value) {
            (None | Some("=="), None, None) if !values.is_empty() => {
                Ok(values.iter().map(|value| (when.arg, "Eq", *value, 0)).collect())
            }
            _ => Err("`any` lists values to be equal to: it takes no mask and no value, and is not empty".to_owned()),
        };
    }
    let value = when.value.ok_or("a condition has neither `value` nor `any`")?;
    let (op, value, value_two) = match (when.op.as_deref(), when.mask) {
        (Some("=="), Some(mask)) if value & !mask == 0 => ("MaskedEq", mask, value),
        (Some("=="), Some(_)) => {
            return Err("the value has bits outside the mask: the condition never holds".to_owned());
        }
        (Some("=="), None) => ("Eq", value, 0),
        (Some("!="), None) => ("Ne", value, 0),
        (Some("<"), None) => ("Lt", value, 0),
        (Some("<="), None) => ("Le", value, 0),
        (Some(">"), None) => ("Gt", value, 0),
        (Some(">="), None) => ("Ge", value, 0),
        (Some("!=" | "<" | "<=" | ">" | ">="), Some(_)) => return Err("a mask goes with == only".to_owned()),
        (Some(op), _) => return Err(format!("op = {op:?}: write ==, !=, <, <=, > or >=")),
        (None, _) => return Err("a condition with a value has an `op`: ==, !=, <, <=, > or >=".to_owned()),
    };
    Ok(vec![(when.arg, op, value, value_two)])
}

/// `4.8`: two numbers.
///
/// # Errors
/// What is wrong, in one clause.
pub(crate) fn kernel(text: Option<&str>) -> Result<(u64, u64), String> {
    let Some(text) = text else { return Ok((0, 0)) };
    let numbers = text.split_once('.').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    numbers.ok_or_else(|| format!("kernel = {text:?}: write two numbers, as in \"4.8\""))
}

/// Whether the rule is for machines that keep 32-bit interfaces.
///
/// # Errors
/// What is wrong, in one clause.
pub(crate) fn compat(abis: Option<&str>) -> Result<bool, String> {
    match abis {
        None => Ok(false),
        Some("compat") => Ok(true),
        Some(other) => Err(format!("abis = {other:?}: write \"compat\" or leave it out")),
    }
}
