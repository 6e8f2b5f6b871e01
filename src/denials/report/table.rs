//! The live table: the latest rows, as many as the terminal has room for.

use super::text::lost;
use super::{asked_by, interface, shown};
use crate::count::counted;
use crate::denials::ledger::{Ledger, Row};
use crate::escape::escape;

/// Draws the table for a terminal of `width` columns and `height` lines.
pub fn table(ledger: &Ledger, width: usize, height: usize) -> String {
    let mut rows: Vec<&Row> = ledger.rows().iter().collect();
    rows.sort_by_key(|row| std::cmp::Reverse((row.last, row.count)));
    let total: u64 = ledger.denials().map(|row| row.count).sum();
    let kinds = ledger.denials().count();
    let (total, kinds) = (counted(total, "refusal"), counted(kinds as u64, "kind"));
    let so_far = if rows.is_empty() { "nothing was refused so far".to_owned() } else { format!("{total} of {kinds}") };
    let mut lines = vec![format!("batten denials: {so_far}; ^C ends it")];
    lines.extend(lost(ledger));
    if rows.is_empty() {
        return fitted(&lines, width);
    }
    let header = ["last", "count", "outcome", "what", "container", "program", "policy"].map(str::to_owned);
    let room = height.saturating_sub(lines.len() + 2);
    let mut cells = vec![header];
    cells.extend(rows.iter().take(room).map(|row| columns(row)));
    let widths: Vec<usize> =
        (0..7).map(|column| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0).min(40)).collect();
    for row in &cells {
        let padded = row.iter().zip(&widths).map(|(cell, width)| fit(cell, *width));
        lines.push(padded.collect::<Vec<_>>().join("  ").trim_end().to_owned());
    }
    if rows.len() > room {
        lines.push(format!("and {} more", rows.len() - room));
    }
    fitted(&lines, width)
}

fn fitted(lines: &[String], width: usize) -> String {
    lines.iter().fold(String::new(), |out, line| out + line.chars().take(width).collect::<String>().as_str() + "\n")
}

fn columns(row: &Row) -> [String; 7] {
    let clean = |text: &str| escape(text).replace('\n', "\\n");
    [
        row.last.map_or_else(|| "?".to_owned(), super::super::moment::Moment::clock),
        row.count.to_string(),
        row.fate.as_str().to_owned(),
        clean(&(row.what.clone() + &interface(row))),
        clean(&shown(&row.who)),
        clean(&row.comm),
        clean(&asked_by(row)),
    ]
}

/// A cell of `width` characters, cut with an ellipsis where it is longer.
fn fit(cell: &str, width: usize) -> String {
    if cell.chars().count() <= width {
        return format!("{cell:<width$}");
    }
    cell.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::denials::{Event, Fate, Moment, Reason, What, Who};

    #[test]
    fn the_table_fits_the_terminal_whatever_names_are_in_it() {
        let mut ledger = Ledger::default();
        assert_eq!(super::table(&ledger, 80, 24), "batten denials: nothing was refused so far; ^C ends it\n");
        for number in 0..100 {
            let event = Event {
                at: Some(Moment(number * 1000)),
                serial: None,
                pid: None,
                comm: "\u{1b}[2J".to_owned(),
                exe: String::new(),
                what: What::Access {
                    operation: "open".to_owned(),
                    object: format!("/{}{number}", "ä".repeat(200)),
                    profile: "web".to_owned(),
                },
                access: None,
            };
            assert_eq!(event.what.fate(), Fate::Refused);
            ledger.add(&event, Who::default(), |_| Reason::default());
        }
        let table = table(&ledger, 80, 24);
        assert!(table.lines().count() <= 24 && table.lines().all(|line| line.chars().count() <= 80), "{table}");
        assert!(!table.contains('\u{1b}') && table.contains("and 79 more"), "{table}");
        assert!(table.lines().nth(2).unwrap().starts_with("00:01:39"), "the latest first\n{table}");
    }
}
