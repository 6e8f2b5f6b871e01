//! The report as it goes out: each document's piece as it comes in, the counts, and what stands around them.

use std::io::{BufWriter, ErrorKind, Result, Write};

use super::progress::Bar;
use crate::fleet::{Summary, WaiverUse};
use crate::report::{Format, Page, Writer};

/// What one document came to: all that is kept of it.
pub(super) struct Row {
    /// Its piece of the report; may be nothing.
    pub(super) text: String,
    /// The pieces of its diff, where the format shows one.
    pub(super) hunks: Vec<String>,
    /// Its counts.
    pub(super) summary: Summary,
    /// Whether it makes the run exit with 1 by `--fail-on`.
    pub(super) fails: bool,
    /// The waivers that it needed.
    pub(super) used_waivers: Vec<usize>,
}

/// A report that is being written.
pub(super) struct Sheet<'p, W: Write> {
    writer: Writer<'p>,
    out: BufWriter<W>,
    /// The counts so far.
    pub(super) summary: Summary,
    /// The waivers so far.
    pub(super) waivers: WaiverUse,
    fails: bool,
    bar: Bar,
    page: Page,
    first: bool,
    failed: Result<()>,
}

impl<'p, W: Write> Sheet<'p, W> {
    pub(super) fn begin(writer: Writer<'p>, out: W) -> Result<Self> {
        let mut out = BufWriter::new(out);
        out.write_all(writer.head().as_bytes())?;
        Ok(Self {
            writer,
            out,
            summary: Summary::default(),
            waivers: WaiverUse::default(),
            fails: false,
            bar: Bar::new(),
            page: Page::default(),
            first: true,
            failed: Ok(()),
        })
    }

    /// Writes one document's piece; whether it makes sense to go on.
    pub(super) fn add(&mut self, row: Row) -> bool {
        let verdict = row.summary.worst();
        self.summary.merge(row.summary);
        self.fails |= row.fails;
        self.waivers.add(&row.used_waivers);
        self.bar.step(self.summary.documents());
        if row.text.is_empty() {
            return self.failed.is_ok();
        }
        if self.writer.format == Format::Html {
            self.page.add(verdict, &row.text, row.hunks);
        } else if self.failed.is_ok() {
            let between = if std::mem::take(&mut self.first) { "" } else { self.writer.between() };
            self.failed = self.out.write_all(between.as_bytes()).and_then(|()| self.out.write_all(row.text.as_bytes()));
        }
        self.failed.is_ok()
    }

    /// Writes what stands behind the documents; gives the counts, and whether any made the run fail.
    pub(super) fn end(mut self) -> Result<(Summary, bool)> {
        self.bar.end();
        self.failed?;
        let tail = if self.writer.format == Format::Html {
            self.page.end(&self.summary, self.writer.policy)
        } else {
            self.writer.tail(&self.summary)
        };
        match self.out.write_all(tail.as_bytes()).and_then(|()| self.out.flush()) {
            // All are judged: a reader that went away changes no verdict.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
            written => written?,
        }
        Ok((self.summary, self.fails))
    }
}
