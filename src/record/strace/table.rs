//! The tables of `-c` and `-C`, with whatever columns `-U` asked for.

use super::line::decimal;

/// The columns of the table that is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Columns {
    count: usize,
    name: usize,
    calls: Option<usize>,
    /// Blank where there were none, so that a row may be one word short.
    errors: Option<usize>,
}

/// A row of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Row<'l> {
    /// A call.
    Call {
        /// Its name.
        name: &'l [u8],
        /// How often, where the table has that column.
        calls: u64,
        /// How often it failed.
        errors: u64,
    },
    /// The line of dashes under the header and above the total.
    Rule,
    /// The last row.
    Total,
}

impl Columns {
    /// Reads the header, if `line` is one: `% time     seconds  usecs/call     calls    errors syscall`.
    pub(super) fn header(line: &[u8]) -> Option<Self> {
        let mut columns = Self { count: 0, name: usize::MAX, calls: None, errors: None };
        let mut words = words(line).peekable();
        while let Some(word) = words.next() {
            let index = columns.count;
            match word {
                b"%" if words.next_if_eq(&b"time".as_slice()).is_some() => {}
                b"syscall" => columns.name = index,
                b"calls" => columns.calls = Some(index),
                b"errors" => columns.errors = Some(index),
                b"seconds" | b"usecs/call" | b"shortest" | b"longest" => {}
                _ => return None,
            }
            columns.count += 1;
        }
        (columns.name != usize::MAX).then_some(columns)
    }

    /// Reads a row; `None` when it is none of this table's.
    pub(super) fn row<'l>(&self, line: &'l [u8]) -> Option<Row<'l>> {
        let mut cells = [b"".as_slice(); 9];
        let mut found = 0;
        for word in words(line) {
            *cells.get_mut(found)? = word;
            found += 1;
        }
        if found > 0 && cells[..found].iter().all(|cell| cell.iter().all(|b| *b == b'-')) {
            return Some(Row::Rule);
        }
        let missing = match self.errors {
            _ if found == self.count => None,
            // A table that knows no time leaves usecs/call of the total out as well.
            Some(errors) if found + 1 == self.count => Some(errors),
            _ => return None,
        };
        let cell = |column: usize| match missing {
            Some(gap) if column == gap => None,
            Some(gap) if column > gap => Some(cells[column - 1]),
            _ => Some(cells[column]),
        };
        let name = cell(self.name)?;
        if name == b"total" {
            return Some(Row::Total);
        }
        let number = |column: Option<usize>| match column.and_then(cell) {
            Some(word) => decimal(word).map(u64::from),
            None => Some(0),
        };
        let count = if self.calls.is_some() { number(self.calls)? } else { 1 };
        Some(Row::Call { name, calls: count, errors: number(self.errors)? })
    }
}

fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|b| *b == b' ').filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_by_the_columns_of_their_header() {
        let plain = Columns::header(b"% time     seconds  usecs/call     calls    errors syscall").unwrap();
        let call = |name: &'static str, calls, errors| Some(Row::Call { name: name.as_bytes(), calls, errors });
        assert_eq!(plain.row(b"------ ----------- ----------- --------- --------- ----------------"), Some(Row::Rule));
        assert_eq!(plain.row(b" 37.10    0.000105           5        20           mmap"), call("mmap", 20, 0));
        assert_eq!(plain.row(b"  7.10    0.000020          20         1         1 access"), call("access", 1, 1));
        assert_eq!(plain.row(b"100.00    0.000463           8        56         2 total"), Some(Row::Total));
        assert_eq!(plain.row(b"hello"), None);
        let own = Columns::header(b"syscall              calls    errors  longest").unwrap();
        assert_eq!(own.row(b"read                     7           0.000000"), call("read", 7, 0));
        assert_eq!(own.row(b"access                   2         2 0.000000"), call("access", 2, 2));
        let names = Columns::header(b"syscall").unwrap();
        assert_eq!(names.row(b"mmap"), call("mmap", 1, 0));
        assert_eq!(Columns::header(b"% of nothing"), None);
        assert_eq!(Columns::header(b""), None);
    }
}
