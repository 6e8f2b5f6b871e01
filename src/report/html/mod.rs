//! One page to open in a browser: no network, no assets. Everything that a bundle brought is escaped, and the page's
//! own policy lets only the script and style run that batten wrote.

mod document;
mod hunks;

use std::collections::BTreeMap;
use std::fmt::Write;

pub(super) use self::document::document;
use self::hunks::Hunks;
pub(super) use self::hunks::hunks;
use super::markup::escaped;
use crate::finding::Disposition;
use crate::fleet::Summary;
use crate::fleet::Verdict;
use crate::policy::Policy;
use crate::validity::{self, Force};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The SHA-256 of [`SCRIPT`] and [`STYLE`] in base64: the content security policy runs these and nothing else. The
/// browser test fails where they are not right; `tests/report/hashes.sh` writes them.
const SCRIPT_HASH: &str = "lk0TMgjAaphqJBf6wWpZwydGeQcv+HXFCsUKfE4cBs4=";
const STYLE_HASH: &str = "GpOTAteqCZh1yeSBC+XrQJw2wgMbAqYnf3X4QLtbQJ0=";

/// The worst first: the order of the page.
const VERDICTS: [Verdict; 4] = [Verdict::Unreadable, Verdict::Denied, Verdict::WouldFix, Verdict::Clean];

/// A page that is being gathered: it begins with its counts and the worst documents, so all wait here for the last one.
#[derive(Debug, Default)]
pub struct Page {
    kept: BTreeMap<Option<Verdict>, String>,
    hunks: Hunks,
}

impl Page {
    /// Takes one document's piece and the pieces of its diff.
    pub fn add(&mut self, verdict: Option<Verdict>, piece: &str, hunks: Vec<String>) {
        let kept = self.kept.entry(verdict).or_default();
        kept.push_str(piece);
        kept.push_str(&self.hunks.shared(hunks));
        kept.push_str(document::END);
    }

    /// The whole page.
    pub fn end(self, summary: &Summary, policy: &Policy) -> String {
        let worst_first: String = self.kept.into_values().rev().collect();
        page(summary, policy, &worst_first, &self.hunks)
    }
}

fn page(summary: &Summary, policy: &Policy, documents: &str, hunks: &Hunks) -> String {
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'sha256-{SCRIPT_HASH}'; style-src 'sha256-{STYLE_HASH}'; \
         base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>batten check</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#documents\">To the containers</a>\n\
         <header>\n<h1>What the policy does to {} {}</h1>\n<p class=\"dim\">A dry run of batten {}, {}. Nothing was changed.<br>Policy: {}{}</p>\n",
        summary.documents(),
        if summary.documents() == 1 { "container" } else { "containers" },
        env!("CARGO_PKG_VERSION"),
        crate::settings::Day::today(),
        sources(policy),
        known(summary),
    );
    counts(&mut out, summary);
    out.push_str("</header>\n<main>\n<div class=\"tables\">\n");
    by_rule(&mut out, summary);
    by_image(&mut out, summary);
    out.push_str(
        "</div>\n<section aria-labelledby=\"documents\">\n<h2 id=\"documents\" tabindex=\"-1\">Containers</h2>\n",
    );
    filter(&mut out, summary);
    let _ = write!(out, "{documents}<p id=\"none\" hidden>No container fits these filters.</p>\n</section>\n");
    let _ = write!(
        out,
        "</main>\n<template id=\"hunks\">{}</template>\n<script>{SCRIPT}</script>\n</body>\n</html>\n",
        hunks.html()
    );
    out
}

fn known(summary: &Summary) -> String {
    if summary.known == 0 { String::new() } else { format!("<br>Left out, being in the baseline: {}", summary.known) }
}

fn sources(policy: &Policy) -> String {
    let named: Vec<String> = policy
        .sources()
        .iter()
        .map(|source| format!("<code>{}</code>", escaped(&source.path.display().to_string())))
        .collect();
    if named.is_empty() { "built in".to_owned() } else { named.join(", ") }
}

/// A card per verdict, each a button that filters by it, over a bar of their shares.
fn counts(out: &mut String, summary: &Summary) {
    out.push_str("<ul class=\"counts\">\n");
    for verdict in VERDICTS {
        let (word, words, count) = (verdict.as_str(), verdict.words(summary.known > 0), summary.count(verdict));
        let _ = writeln!(
            out,
            "<li><button type=\"button\" class=\"card {word}\" data-verdict=\"{word}\" aria-pressed=\"false\"><b>{count}</b>{words}</button></li>"
        );
    }
    if summary.invalid > 0 {
        let _ = writeln!(
            out,
            "<li><button type=\"button\" class=\"card invalid\" data-rule=\"{}\" aria-pressed=\"false\"><b>{}</b>not valid by the runtime-spec</button></li>",
            validity::NAME,
            summary.invalid
        );
    }
    out.push_str("</ul>\n");
    let shares = VERDICTS.map(|verdict| (verdict.as_str(), summary.count(verdict)));
    bar(out, "verdicts", &shares, summary.documents());
}

/// A bar of shares of `whole`. Sizes are attributes: the page's own policy allows no style on an element.
fn bar(out: &mut String, class: &str, shares: &[(&str, usize)], whole: usize) {
    let _ = write!(
        out,
        "<svg class=\"bar {class}\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
    );
    let mut at = 0;
    for (word, count) in shares.iter().filter(|(_, count)| *count > 0) {
        let width = (count * 1000 / whole.max(1)).max(4);
        let _ = write!(out, "<rect class=\"{word}\" x=\"{at}\" width=\"{width}\" height=\"10\"/>");
        at += width;
    }
    out.push_str("</svg>\n");
}

fn by_rule(out: &mut String, summary: &Summary) {
    let columns = [Disposition::Denied, Disposition::Fixed, Disposition::Reported, Disposition::Waived];
    out.push_str("<section aria-labelledby=\"by-rule\">\n<h2 id=\"by-rule\">Findings by rule</h2>\n<table><thead><tr><th scope=\"col\">Rule</th>");
    for column in columns {
        let _ = write!(out, "<th scope=\"col\" class=\"n\">{}</th>", column.as_str());
    }
    out.push_str("</tr></thead><tbody>\n");
    let rules = summary.by_rule();
    let most = rules.values().copied().max().unwrap_or(1);
    for rule in rules.keys() {
        let counts =
            columns.map(|column| (column.as_str(), summary.rules.get(&(*rule, column)).copied().unwrap_or_default()));
        let name = escaped(rule);
        let _ = write!(
            out,
            "<tr><th scope=\"row\"><button type=\"button\" class=\"link\" data-rule=\"{name}\" aria-pressed=\"false\">{name}</button>"
        );
        bar(out, "row", &counts, most);
        out.push_str("</th>");
        for (word, count) in counts {
            let _ = write!(out, "<td class=\"n {}\">{count}</td>", if count == 0 { "zero" } else { word });
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table>\n");
    if rules.is_empty() {
        out.push_str("<p class=\"dim\">No rule has anything to say.</p>\n");
    }
    let breaches = |force| summary.breaches.get(&force).copied().unwrap_or_default();
    let (invalid, notes) = (breaches(Force::Must), breaches(Force::Note));
    if invalid + notes > 0 {
        let _ = writeln!(
            out,
            "<p><button type=\"button\" class=\"link\" data-rule=\"{}\" aria-pressed=\"false\">runtime-spec {}</button>, apart from the policy: {invalid} invalid, {notes} worth a note.</p>",
            validity::NAME,
            validity::VERSION
        );
    }
    out.push_str("</section>\n");
}

fn by_image(out: &mut String, summary: &Summary) {
    if summary.images.is_empty() {
        return;
    }
    out.push_str(
        "<section aria-labelledby=\"by-image\">\n<h2 id=\"by-image\">Findings by image</h2>\n<div class=\"scroll\" tabindex=\"0\"><table><thead><tr>\
         <th scope=\"col\">Image</th><th scope=\"col\" class=\"n\">containers</th><th scope=\"col\" class=\"n\">findings</th></tr></thead><tbody>\n",
    );
    let mut images: Vec<_> = summary.images.iter().collect();
    images.sort_by(|(a, (_, more)), (b, (_, less))| less.cmp(more).then_with(|| a.cmp(b)));
    for (image, (documents, findings)) in images {
        let image = escaped(image);
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\"><button type=\"button\" class=\"link\" data-image=\"{image}\" aria-pressed=\"false\">{image}</button></th>\
             <td class=\"n\">{documents}</td><td class=\"n\">{findings}</td></tr>"
        );
    }
    out.push_str("</tbody></table></div>\n</section>\n");
}

fn filter(out: &mut String, summary: &Summary) {
    out.push_str(
        "<form id=\"filter\" role=\"search\" hidden>\n<label class=\"wide\">Search <span class=\"key\">press / to begin</span><input id=\"search\" type=\"search\" autocomplete=\"off\" placeholder=\"name, image, message, pointer…\"></label>\n\
         <label>Verdict<select id=\"verdict\"><option value=\"\">all</option>",
    );
    for verdict in VERDICTS {
        let words = verdict.words(summary.known > 0);
        let _ = write!(out, "<option value=\"{}\">{words}</option>", verdict.as_str());
    }
    out.push_str("</select></label>\n<label>Rule<select id=\"rule\"><option value=\"\">all</option>");
    for rule in summary.by_rule().keys() {
        let rule = escaped(rule);
        let _ = write!(out, "<option value=\"{rule}\">{rule}</option>");
    }
    if !summary.breaches.is_empty() {
        let _ = write!(out, "<option value=\"{}\">runtime-spec</option>", validity::NAME);
    }
    out.push_str("</select></label>\n<label>Severity<select id=\"severity\"><option value=\"\">all</option>");
    for severity in ["critical", "high", "medium", "low"] {
        let _ = write!(out, "<option value=\"{severity}\">{severity}</option>");
    }
    out.push_str("</select></label>\n<label>Image<select id=\"image\"><option value=\"\">all</option>");
    for image in summary.images.keys() {
        let image = escaped(image);
        let _ = write!(out, "<option value=\"{image}\">{image}</option>");
    }
    out.push_str(
        "</select></label>\n<div class=\"buttons\"><button type=\"button\" id=\"open\">Open all</button><button type=\"button\" id=\"close\">Close all</button>\
         <button type=\"reset\">Reset</button></div>\n<output id=\"shown\" for=\"search verdict rule severity image\" aria-live=\"polite\"></output>\n</form>\n",
    );
}
