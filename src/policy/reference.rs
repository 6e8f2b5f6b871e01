//! What people read about the rules: `batten explain RULE` and docs/rules.md, from the prose that each file opens with and
//! the settings that it declares.

use std::fmt::Write;

use super::{Standard, standards};
use crate::rules::{RULES, Rule};
use crate::settings::{Kind, Level, Setting};

/// One rule, for a terminal.
pub fn explained(rule: &Rule) -> String {
    let mut out = format!("{} ({})\n\n{}\n\n", rule.id, rule.severity.as_str(), rule.summary);
    out.push_str(rule.prose().trim().replace("**", "").as_str());
    out.push('\n');
    let judged = if rule.judges_exec { "config.json, and the process file of an exec" } else { "config.json" };
    let _ = writeln!(out, "\njudges:  {judged}");
    let _ = writeln!(out, "policy:  [{}] violation = \"off\", \"report\", {} or \"deny\"", rule.table(), fix_of(rule));
    for setting in rule.section.iter().flat_map(|section| section.settings) {
        let _ = writeln!(out, "         {} = {}: {}", setting.name, unset(setting), setting.meaning);
    }
    for (standard, versions) in grouped(of_rule(rule)) {
        let versions = if versions.is_empty() { String::new() } else { format!(", {versions}") };
        let _ = writeln!(out, "asked:   {} (level = \"{}\"{versions})", standard.name, standard.level.as_str());
    }
    let fix = if rule.fixes {
        "batten diff BUNDLE shows the change, batten apply BUNDLE makes it"
    } else {
        "none that batten makes: `fix` refuses"
    };
    let _ = writeln!(out, "fix:     {fix}");
    let _ = writeln!(out, "waive:   [[waiver]] with rule = \"{}\", reason, owner and expires", rule.id);
    let _ = writeln!(out, "docs:    docs/rules.md#{}, docs/policy.md", rule.id);
    out
}

/// docs/rules.md.
pub fn markdown() -> String {
    let mut out = String::from(
        "# The rules\n\n\
         <!-- From the rules themselves: BATTEN_BLESS=1 cargo test --test judgement reference -->\n\n\
         Every control of batten, in the order of judgement. `batten explain RULE` says the same. Each has a table of its own in the\n\
         [policy](policy.md) with `violation = \"off\"`, `\"report\"`, `\"fix\"` or `\"deny\"`; where a rule fixes nothing, `\"fix\"` refuses.\n\
         Lists of paths and names are globs (`*`, `?`) where the setting says so.\n\n\
         | rule | severity | unasked | what it sees to |\n| --- | --- | --- | --- |\n",
    );
    for rule in RULES {
        let unset = rule.section.map_or("fix", |section| section.unset.as_str());
        let _ =
            writeln!(out, "| [{}](#{}) | {} | {unset} | {} |", rule.id, rule.id, rule.severity.as_str(), rule.summary);
    }
    out.push_str("\n## What the standards ask\n\n");
    for level in [Level::Baseline, Level::Restricted, Level::CisDocker] {
        let _ =
            writeln!(out, "### `level = \"{}\"`\n\n| control | rule | versions |\n| --- | --- | --- |", level.as_str());
        for (standard, versions) in grouped(standards().filter(|standard| standard.level == level)) {
            let control = standard.name.split_once(": ").map_or(standard.name, |(_, control)| control);
            let section = standard.name.strip_prefix("CIS Docker Benchmark ").and_then(|rest| rest.split_once(':'));
            let control = section.map_or(control.to_owned(), |(number, _)| format!("{number} {control}"));
            let rule = RULES.iter().find(|rule| rule.table() == standard.table).map_or("", |rule| rule.id.0);
            let _ = writeln!(out, "| {control} | [{rule}](#{rule}) | {versions} |");
        }
        out.push('\n');
    }
    out.push_str(NOT_SHOWN);
    for rule in RULES {
        section(&mut out, rule);
    }
    out
}

/// What the standards ask and no config.json tells.
const NOT_SHOWN: &str = "### What a bundle does not show\n\n\
    - Pod Security Standards: host ports, probes and lifecycle handlers with a host (v1.34), Windows' HostProcess: none of it reaches config.json.\n\
    - `seccompProfile` and `appArmorProfile` that are `Unconfined` look like ones that are not set. A bundle without a filter gets \
    batten's; set `apparmor.required` where every node has AppArmor.\n\
    - CAP_NET_RAW that was added looks like the one that engines give by default, so `baseline` lets it through; \
    `capabilities.drop = [\"CAP_NET_RAW\"]` does not.\n\
    - A volume's type: `bind-mounts` goes by the folders in which the kubelet and engines keep volumes. NFS and the like may be a \
    claim's, which `restricted` allows, or inline, which it does not.\n\
    - The pause container is judged by `baseline` alone; what `restricted` adds is put right there where it can be.\n\
    - CIS: 5.1, 5.7 to 5.9, 5.14, 5.15, 5.27, 5.28 and 5.30 are about the engine, its network or the image. 5.19 (ulimits, \"if needed\") is \
    `rlimits`, with numbers of your own. 5.23 and 5.24 are about exec: `capabilities` and `user` judge each. 5.31: whether \
    `--userns=host` was said is not to be seen; `host-user` asks for a user namespace.\n";

fn section(out: &mut String, rule: &Rule) {
    let judged = if rule.judges_exec { ", an exec's process file as well" } else { "" };
    let _ = writeln!(
        out,
        "\n## {}\n\n{} *{}*{judged}\n\n{}",
        rule.id,
        rule.summary,
        rule.severity.as_str(),
        rule.prose().trim()
    );
    let settings = rule.section.map_or(&[][..], |section| section.settings);
    if !settings.is_empty() {
        out.push_str("\n| setting | unless set | meaning |\n| --- | --- | --- |\n");
    }
    for setting in settings {
        let _ = writeln!(out, "| `{}` | {} | {} |", setting.name, shortened(setting), setting.meaning);
    }
    let mut names: Vec<_> = of_rule(rule).map(|standard| standard.name).collect();
    names.dedup();
    if !names.is_empty() {
        let _ = writeln!(out, "\nAsked for by: {}.", names.join("; "));
    }
}

fn fix_of(rule: &Rule) -> &'static str {
    if rule.fixes { "\"fix\"" } else { "\"fix\" (which refuses)" }
}

fn of_rule(rule: &Rule) -> impl Iterator<Item = Standard> {
    let table = rule.table();
    standards().filter(move |standard| standard.table == table)
}

/// Each control of each rule once, with the Kubernetes versions in which it came or changed.
fn grouped(standards: impl Iterator<Item = Standard>) -> Vec<(Standard, String)> {
    let mut groups: Vec<(Standard, Vec<u8>)> = Vec::new();
    for standard in standards {
        match groups.iter_mut().find(|(own, _)| own.name == standard.name && own.table == standard.table) {
            Some((_, since)) => since.push(standard.since),
            None => groups.push((standard, vec![standard.since])),
        }
    }
    let listed = |minors: &[u8]| minors.iter().map(|minor| format!("v1.{minor}")).collect::<Vec<_>>().join(", ");
    let said = |since: Vec<u8>| match since.as_slice() {
        [0] => String::new(),
        [0, changed @ ..] => format!("changed in {}", listed(changed)),
        since => format!("from {}", listed(since)),
    };
    groups.into_iter().map(|(standard, since)| (standard, said(since))).collect()
}

fn unset(setting: &Setting) -> String {
    match setting.kind {
        Kind::Allow(words) | Kind::Ask(words) => format!("{words:?}"),
        Kind::Demand(flag) | Kind::Permit(flag) => flag.to_string(),
        Kind::Most(count) => count.to_string(),
    }
}

/// A long list is in policies/default.toml.
fn shortened(setting: &Setting) -> String {
    match setting.kind {
        Kind::Allow(words) | Kind::Ask(words) if words.len() > 5 => {
            let shown: Vec<_> = words.iter().take(3).map(|word| format!("`{word}`")).collect();
            format!("{}, … ([all {}](../policies/default.toml))", shown.join(", "), words.len())
        }
        _ => format!("`{}`", unset(setting)),
    }
}
