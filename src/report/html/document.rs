//! One container on the page: its verdict, its findings, where it is not as the runtime-spec says, what would change.

use std::fmt::Write;

use crate::finding::Finding;
use crate::fleet::Judged;
use crate::policy::Policy;
use crate::report::markup::escaped;
use crate::rules;
use crate::spec::Pointer;
use crate::validity::{self, Breach};

/// What stands behind a container's piece and its diff.
pub(in crate::report) const END: &str = "</div>\n</details>\n";

/// The piece of one container, open at its end for the diff.
pub(in crate::report) fn document(judged: &Judged, policy: &Policy) -> String {
    let class = if judged.is_policy() { "policy" } else { judged.verdict().as_str() };
    let words = judged.words();
    let labels = &judged.labels;
    let known = [labels.engine, labels.name.as_deref(), labels.image.as_deref(), labels.id.as_deref()];
    let known = known.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    let mut out = format!(
        "<details class=\"doc {class}\" data-verdict=\"{class}\" data-rules=\"{}\" data-severities=\"{}\" data-image=\"{}\">\n\
         <summary><span class=\"tag {class}\">{words}</span><code>{}</code> <span class=\"dim\">{}</span>{}</summary>\n<div class=\"body\">\n",
        escaped(&rules_of(judged)),
        severities(judged),
        escaped(labels.image.as_deref().unwrap_or_default()),
        escaped(&judged.name),
        escaped(&known),
        how_many(judged),
    );
    match &judged.result {
        Ok(_) => {
            findings(&mut out, judged, policy);
            breaches(&mut out, judged);
        }
        Err(error) => {
            let _ = writeln!(out, "<p>{}</p>\n<p class=\"dim\">{}</p>", escaped(&error.message), escaped(&error.hint));
            breaches(&mut out, judged);
        }
    }
    out
}

fn rules_of(judged: &Judged) -> String {
    let mut rules: Vec<&str> = judged.findings().iter().map(|finding| finding.rule.0).collect();
    if !judged.breaches.is_empty() {
        rules.push(validity::NAME);
    }
    rules.sort_unstable();
    rules.dedup();
    rules.join(" ")
}

fn severities(judged: &Judged) -> String {
    let mut words: Vec<&str> = judged.findings().iter().map(|finding| finding.severity.as_str()).collect();
    words.sort_unstable();
    words.dedup();
    words.join(" ")
}

fn how_many(judged: &Judged) -> String {
    match judged.findings().len() {
        0 => String::new(),
        1 => "<span class=\"many\">1 finding</span>".to_owned(),
        many => format!("<span class=\"many\">{many} findings</span>"),
    }
}

fn findings(out: &mut String, judged: &Judged, policy: &Policy) {
    if judged.findings().is_empty() {
        return out.push_str("<p class=\"dim\">Nothing for the policy to do.</p>\n");
    }
    out.push_str("<ol>\n");
    for finding in judged.findings() {
        one_finding(out, judged, finding, policy);
    }
    out.push_str("</ol>\n");
}

fn one_finding(out: &mut String, judged: &Judged, finding: &Finding, policy: &Policy) {
    let (word, severity) = (finding.disposition.as_str(), finding.severity.as_str());
    let why = rules::find(finding.rule.0).map_or(String::new(), |rule| format!(" title=\"{}\"", escaped(rule.summary)));
    let _ = write!(
        out,
        "<li class=\"f\"><span class=\"tag {word}\">{word}</span><span class=\"sev {severity}\">{severity}</span> <strong{why}>{}</strong><p>{}</p>\n<dl><dt>at</dt><dd>{}</dd><dt>policy</dt><dd>{}</dd>",
        escaped(finding.rule.0),
        escaped(&finding.message),
        place(judged, &finding.pointer),
        escaped(&policy.cite(finding.origin)),
    );
    if let Some(waiver) = &finding.waiver {
        let _ = write!(out, "<dt>waiver</dt><dd>{}</dd>", escaped(waiver));
    }
    if let Some(standard) = finding.standard() {
        let _ = write!(out, "<dt>standard</dt><dd>{}</dd>", escaped(standard));
    }
    let _ = writeln!(out, "<dt>hint</dt><dd>{}</dd></dl></li>", escaped(&finding.hint));
}

fn place(judged: &Judged, pointer: &Pointer) -> String {
    let line = judged.line(pointer).map_or(String::new(), |line| format!(" line {line}"));
    format!("<code>{}</code>{line}", escaped(&pointer.to_string()))
}

fn breaches(out: &mut String, judged: &Judged) {
    if judged.breaches.is_empty() {
        return;
    }
    let _ = writeln!(out, "<h3>By the runtime-spec {}, whatever the policy says</h3>\n<ol>", validity::VERSION);
    for Breach { force, section, pointer, message, hint } in &judged.breaches {
        let word = force.as_str();
        let _ = writeln!(
            out,
            "<li class=\"f\"><span class=\"tag {word}\">{word}</span><strong>{}</strong> <span class=\"dim\">{section}</span><p>{}</p>\n<dl><dt>at</dt><dd>{}</dd><dt>hint</dt><dd>{}</dd></dl></li>",
            validity::NAME,
            escaped(message),
            place(judged, pointer),
            escaped(hint),
        );
    }
    out.push_str("</ol>\n");
}
