//! One page to open in a browser: no network, no assets. Everything that a bundle brought is escaped, and the page's
//! own policy lets only the script and style run that batten wrote.

use std::fmt::Write;

use super::judged::{Judged, Verdict};
use super::markup::escaped;
use super::patch::unified;
use crate::finding::{Disposition, Finding};
use crate::fleet::Summary;
use crate::policy::Policy;

const STYLE: &str = include_str!("html.css");
const SCRIPT: &str = include_str!("html.js");

/// The SHA-256 of [`SCRIPT`] and [`STYLE`] in base64: the content security policy runs these and nothing else. The
/// browser test fails where they are not right; `tests/report/hashes.sh` prints them.
const SCRIPT_HASH: &str = "rgC1RyrQwjvuZHnxbLBF2+AO2R2nVBfAlpxaCG0q8GE=";
const STYLE_HASH: &str = "s9d3Z31CtaAJdC6q2wD/kvoGuoIXTy05vdj/5+sbt0w=";

/// A diff longer than this is cut: `batten diff` shows it whole.
const LONGEST_DIFF: usize = 400;

/// The page around the documents.
pub fn page(summary: &Summary, documents: &str) -> String {
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'sha256-{SCRIPT_HASH}'; style-src 'sha256-{STYLE_HASH}'; \
         base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>batten check</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>What the policy does to {} {}</h1>\n\
         <p class=\"dim\">A dry run of batten {}: nothing was changed.</p>\n",
        summary.documents(),
        if summary.documents() == 1 { "container" } else { "containers" },
        env!("CARGO_PKG_VERSION"),
    );
    counts(&mut out, summary);
    out.push_str("</header>\n<main>\n<div class=\"tables\">\n");
    by_rule(&mut out, summary);
    by_image(&mut out, summary);
    out.push_str("</div>\n");
    filter(&mut out, summary);
    let _ = write!(
        out,
        "<section aria-labelledby=\"documents\">\n<h2 id=\"documents\">Containers</h2>\n{documents}</section>\n"
    );
    let _ = write!(out, "</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n");
    out
}

const VERDICTS: [(Verdict, &str); 4] = [
    (Verdict::Denied, "denied"),
    (Verdict::Unreadable, "unreadable"),
    (Verdict::WouldFix, "would be fixed"),
    (Verdict::Clean, "within the policy"),
];

fn counts(out: &mut String, summary: &Summary) {
    out.push_str("<ul class=\"counts\">\n");
    for (verdict, words) in VERDICTS {
        let _ = writeln!(out, "<li class=\"{}\"><b>{}</b>{words}</li>", verdict.as_str(), summary.count(verdict));
    }
    out.push_str("</ul>\n");
}

fn by_rule(out: &mut String, summary: &Summary) {
    let columns = [Disposition::Denied, Disposition::Fixed, Disposition::Reported, Disposition::Waived];
    out.push_str("<section aria-labelledby=\"by-rule\">\n<h2 id=\"by-rule\">By rule</h2>\n<table><thead><tr><th scope=\"col\">Rule</th>");
    for column in columns {
        let _ = write!(out, "<th scope=\"col\" class=\"n\">{}</th>", column.as_str());
    }
    out.push_str("</tr></thead><tbody>\n");
    for rule in summary.by_rule().keys() {
        let _ = write!(out, "<tr><th scope=\"row\">{}</th>", escaped(rule));
        for column in columns {
            let count = summary.rules.get(&(rule, column)).copied().unwrap_or_default();
            let _ = write!(out, "<td class=\"n\">{count}</td>");
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table>\n</section>\n");
}

fn by_image(out: &mut String, summary: &Summary) {
    if summary.images.is_empty() {
        return;
    }
    out.push_str("<section aria-labelledby=\"by-image\">\n<h2 id=\"by-image\">By image</h2>\n<table><thead><tr><th scope=\"col\">Image</th><th scope=\"col\" class=\"n\">containers</th><th scope=\"col\" class=\"n\">findings</th></tr></thead><tbody>\n");
    for (image, (documents, findings)) in &summary.images {
        let image = escaped(image);
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{image}</th><td class=\"n\">{documents}</td><td class=\"n\">{findings}</td></tr>"
        );
    }
    out.push_str("</tbody></table>\n</section>\n");
}

fn filter(out: &mut String, summary: &Summary) {
    out.push_str(
        "<form id=\"filter\" role=\"search\" hidden>\n<label class=\"wide\">Search<input id=\"search\" type=\"search\" autocomplete=\"off\" placeholder=\"name, image, message…\"></label>\n\
         <label>Verdict<select id=\"verdict\"><option value=\"\">all</option>",
    );
    for (verdict, words) in VERDICTS {
        let _ = write!(out, "<option value=\"{}\">{words}</option>", verdict.as_str());
    }
    out.push_str("</select></label>\n<label>Rule<select id=\"rule\"><option value=\"\">all</option>");
    for rule in summary.by_rule().keys() {
        let rule = escaped(rule);
        let _ = write!(out, "<option value=\"{rule}\">{rule}</option>");
    }
    out.push_str(
        "</select></label>\n<output id=\"shown\" for=\"search verdict rule\" aria-live=\"polite\"></output>\n</form>\n",
    );
}

/// One container: its verdict, its findings, what would change.
pub(super) fn document(judged: &Judged, policy: &Policy) -> String {
    let findings = judged.result.as_ref().map_or(&[][..], |outcome| &outcome.findings);
    let mut rules: Vec<&str> = findings.iter().map(|finding| finding.rule.0).collect();
    rules.sort_unstable();
    rules.dedup();
    let verdict = judged.verdict();
    let words = VERDICTS.iter().find(|(known, _)| *known == verdict).map_or("", |(_, words)| words);
    let labels = &judged.labels;
    let known = [labels.engine, labels.name.as_deref(), labels.image.as_deref(), labels.id.as_deref()];
    let known = known.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    let open = if verdict >= Verdict::Denied { " open" } else { "" };
    let mut out = format!(
        "<details class=\"doc\" data-verdict=\"{}\" data-rules=\"{}\"{open}>\n<summary><span class=\"tag {}\">{words}</span><code>{}</code> <span class=\"dim\">{}</span></summary>\n<div class=\"body\">\n",
        verdict.as_str(),
        escaped(&rules.join(" ")),
        verdict.as_str(),
        escaped(&judged.name),
        escaped(&known),
    );
    match &judged.result {
        Ok(outcome) => {
            if findings.is_empty() {
                out.push_str("<p>Nothing to say.</p>\n");
            } else {
                out.push_str("<ol>\n");
                for finding in findings {
                    one_finding(&mut out, judged, finding, policy);
                }
                out.push_str("</ol>\n");
            }
            change(&mut out, &unified(&judged.name, &judged.before, &outcome.text));
        }
        Err(error) => {
            let _ = writeln!(out, "<p>{}</p>\n<p class=\"dim\">{}</p>", escaped(&error.message), escaped(&error.hint));
        }
    }
    out.push_str("</div>\n</details>\n");
    out
}

fn one_finding(out: &mut String, judged: &Judged, finding: &Finding, policy: &Policy) {
    let word = finding.disposition.as_str();
    let line = judged.line(&finding.pointer).map_or(String::new(), |line| format!(" (line {line})"));
    let _ = write!(
        out,
        "<li class=\"f\"><span class=\"tag {word}\">{word}</span><strong>{}</strong> <span class=\"dim\">{}, {}</span><br>{}<br><code>{}</code>{line}<br><span class=\"dim\">policy: {}",
        escaped(finding.rule.0),
        finding.severity.as_str(),
        if finding.edits.is_empty() { "not edited" } else { "edited below" },
        escaped(&finding.message),
        escaped(finding.pointer.as_str()),
        escaped(&policy.cite(finding.origin)),
    );
    if let Some(waiver) = &finding.waiver {
        let _ = write!(out, "<br>waiver: {}", escaped(waiver));
    }
    let _ = writeln!(out, "<br>hint: {}</span></li>", escaped(&finding.hint));
}

fn change(out: &mut String, diff: &str) {
    if diff.is_empty() {
        return;
    }
    out.push_str("<details><summary>What would change</summary>\n<pre tabindex=\"0\">");
    for line in diff.lines().take(LONGEST_DIFF) {
        let text = escaped(line);
        let _ = match line.as_bytes().first() {
            Some(b'+') => writeln!(out, "<ins>{text}</ins>"),
            Some(b'-') => writeln!(out, "<del>{text}</del>"),
            _ => writeln!(out, "{text}"),
        };
    }
    let rest = diff.lines().count().saturating_sub(LONGEST_DIFF);
    if rest > 0 {
        let _ = writeln!(out, "… {rest} more lines: batten diff shows all");
    }
    out.push_str("</pre>\n</details>\n");
}
