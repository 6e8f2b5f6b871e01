//! What a rule sees, and what becomes of what it finds.

use std::borrow::Cow;

use crate::finding::{Disposition, Finding};
use crate::host::Host;
use crate::settings::{Mode, Origin, Section, Settings, Sourced, Violation, Waiver, Waivers, Words};
use crate::spec::{Edit, Pointer, Value, Working};

use super::Rule;

/// Which document is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentKind {
    /// A bundle's config.json.
    Spec,
    /// The process file of an exec: what stands under `/process` in a config.json, on its own.
    Process,
}

/// One rule's view of one document.
#[derive(Debug)]
pub struct Case<'c> {
    /// The rule whose turn it is.
    pub rule: &'static Rule,
    /// Its place in the table.
    pub position: usize,
    /// Which document is judged.
    pub kind: DocumentKind,
    /// The document, with the edits of the rules before this one.
    pub working: &'c Working,
    /// The settings that hold for the container.
    pub settings: &'c Settings,
    /// The machine it is judged for.
    pub host: &'c Host,
    pub(crate) waivers: &'c Waivers<'c>,
}

/// What a control does with a violation, and which setting asks for what is violated.
#[derive(Debug, Clone, Copy)]
pub struct Control {
    /// From the policy.
    pub violation: Violation,
    /// Where the policy says what to do with a violation.
    pub decided_by: Origin,
    /// The setting that the document is out of.
    pub origin: Origin,
}

impl Control {
    /// The control whose `setting` is violated.
    pub fn new<T>(violation: &Sourced<Violation>, setting: &Sourced<T>) -> Self {
        Self { violation: violation.value, decided_by: violation.origin, origin: setting.origin }
    }
}

/// What is wrong in one place, for [`Case::found`] and [`Case::fixable`].
#[derive(Debug)]
pub struct Wrong {
    /// The setting that asks for something else, inside the rule's table: `allowed`; `violation` where there is none.
    pub setting: &'static str,
    /// Where.
    pub pointer: Pointer,
    /// What is there, in one clause without a full stop.
    pub message: String,
    /// What the person who owns the container can do.
    pub hint: &'static str,
}

/// The table of a rule whose settings are spelled out: it has none of its own to ask for.
static SPELLED_OUT: Section = Section { name: "", violation: "violation", unset: Violation::Off, settings: &[] };

impl<'c> Case<'c> {
    fn section(&self) -> &'static Section {
        debug_assert!(self.rule.section.is_some(), "{} declares nothing", self.rule.id);
        self.rule.section.unwrap_or(&SPELLED_OUT)
    }

    /// The words of one of the rule's own settings.
    pub fn words(&self, key: &str) -> Words {
        self.settings.words(self.position, self.section(), key).value
    }

    /// A flag among the rule's own settings.
    pub fn flag(&self, key: &str) -> bool {
        self.settings.flag(self.position, self.section(), key).value
    }

    /// A number among the rule's own settings; 0 stands for no bound.
    pub fn count(&self, key: &str) -> u64 {
        self.settings.count(self.position, self.section(), key).value
    }

    /// The control for one of the rule's own settings.
    fn declared(&self, key: &str) -> Control {
        let (position, section) = (self.position, self.section());
        let Sourced { value: violation, origin: decided_by } = self.settings.declared_violation(position, section);
        let origin = if key == "violation" { decided_by } else { self.settings.words(position, section, key).origin };
        Control { violation, decided_by, origin }
    }

    /// A violation that no edit can put right, unless a waiver for `value` lets it pass.
    pub fn found(&self, value: Option<&str>, wrong: Wrong) -> Finding {
        let control = self.declared(wrong.setting);
        match self.waiver(value) {
            Some(waiver) => self.waived(waiver, control, wrong.pointer, wrong.message),
            None => self.unfixable(control, wrong.pointer, wrong.message, wrong.hint),
        }
    }

    /// A violation that `edits` put right, unless a waiver for `value` lets it pass.
    pub fn fixable(&self, value: Option<&str>, wrong: Wrong, edits: impl FnOnce() -> Vec<Edit>) -> Finding {
        let control = self.declared(wrong.setting);
        match self.waiver(value) {
            Some(waiver) => self.waived(waiver, control, wrong.pointer, wrong.message),
            None => self.violation(control, wrong.pointer, wrong.message, wrong.hint, edits),
        }
    }

    /// The place of a member of `process`: `tail` starts with `/`.
    pub fn process_pointer(&self, tail: &'static str) -> Pointer {
        match self.kind {
            DocumentKind::Spec => Pointer::new("/process").join(&Pointer::new(tail)),
            DocumentKind::Process => Pointer::new(tail),
        }
    }

    /// Whether the document describes a process at all; a config.json for `create` alone need not.
    pub fn has_process(&self) -> bool {
        self.kind == DocumentKind::Process || self.at(&Pointer::new("/process")).is_some()
    }

    /// Whether it is a container of Linux's with something to run. A bundle for a virtual machine or for another system, or
    /// one without a process, need not have a section for it; else a missing one leaves everything to the host.
    pub fn is_linux(&self) -> bool {
        self.at(&Pointer::new("/linux")).is_some() || self.has_process()
    }

    /// The value at `pointer` as the rules before this one have left it.
    pub fn at(&self, pointer: &Pointer) -> Option<Value<'c>> {
        self.working.at(pointer)
    }

    /// The same, for who has in hand what is there without any edit.
    pub fn at_or(&self, pointer: &Pointer, unedited: Option<Value<'c>>) -> Option<Value<'c>> {
        self.working.at_or(pointer, || unedited)
    }

    /// Whether a rule before this one edits what is at `pointer`, below it, or all that it is in.
    pub fn is_edited_at(&self, pointer: &Pointer) -> bool {
        self.working.is_edited_at(pointer)
    }

    /// The waiver that lets `value` pass this rule today.
    pub fn waiver(&self, value: Option<&str>) -> Option<&'c Waiver> {
        self.waivers.find(self.rule.id.0, value)
    }

    /// What becomes of a violation that nobody waived.
    pub fn disposition(&self, violation: Violation) -> Disposition {
        match (self.settings.mode.value, violation) {
            (Mode::Audit, _) | (_, Violation::Off | Violation::Report) => Disposition::Reported,
            (Mode::Enforce, Violation::Fix) => Disposition::Fixed,
            (Mode::Enforce, Violation::Deny) => Disposition::Denied,
        }
    }

    /// A violation that `edits` put right.
    pub fn violation(
        &self,
        control: Control,
        pointer: Pointer,
        message: impl Into<String>,
        hint: impl Into<Cow<'static, str>>,
        edits: impl FnOnce() -> Vec<Edit>,
    ) -> Finding {
        let disposition = self.disposition(control.violation);
        let edits = if disposition == Disposition::Fixed { edits() } else { Vec::new() };
        self.finding(disposition, control, pointer, message.into(), hint.into(), edits)
    }

    /// A violation that no edit can put right: `fix` denies it.
    pub fn unfixable(
        &self,
        control: Control,
        pointer: Pointer,
        message: impl Into<String>,
        hint: impl Into<Cow<'static, str>>,
    ) -> Finding {
        let disposition = match self.disposition(control.violation) {
            Disposition::Fixed => Disposition::Denied,
            other => other,
        };
        self.finding(disposition, control, pointer, message.into(), hint.into(), Vec::new())
    }

    /// What a waiver lets pass; it stays visible.
    pub fn waived(&self, waiver: &Waiver, control: Control, pointer: Pointer, message: impl Into<String>) -> Finding {
        let hint = Cow::Borrowed("a waiver covers it; put it right before the waiver expires");
        let mut finding = self.finding(Disposition::Waived, control, pointer, message.into(), hint, Vec::new());
        finding.waiver = Some(waiver.describe());
        finding
    }

    fn finding(
        &self,
        disposition: Disposition,
        control: Control,
        pointer: Pointer,
        message: String,
        hint: Cow<'static, str>,
        edits: Vec<Edit>,
    ) -> Finding {
        Finding {
            rule: self.rule.id,
            severity: self.rule.severity,
            disposition,
            pointer,
            message,
            origin: control.origin,
            decided_by: control.decided_by,
            hint,
            edits,
            waiver: None,
        }
    }
}
