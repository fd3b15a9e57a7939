//! Tables aligned like kubectl's.

use flux_core::printable::printable;

/// Between two columns.
const GAP: usize = 3;

/// Rows under a header.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    header: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Starts a table.
    pub(crate) fn new(header: Vec<&'static str>) -> Self {
        Self {
            header,
            rows: Vec::new(),
        }
    }

    /// Adds a row; a cell keeps only its first line.
    pub(crate) fn push(&mut self, row: Vec<String>) {
        let cells = row.into_iter().map(one_line);
        self.rows
            .push(cells.map(|cell| printable(&cell).into_owned()).collect());
    }

    /// Adds a row that goes on with the one above; what is empty stays so.
    pub(crate) fn push_more(&mut self, row: Vec<String>) {
        let cells = row.into_iter().map(|cell| printable(&cell).into_owned());
        self.rows.push(cells.collect());
    }

    /// Returns the width of each column.
    pub(crate) fn widths(&self) -> Vec<usize> {
        let width_of = |column: usize, name: &str| {
            let cells = self
                .rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count());
            cells.chain([name.len()]).max().unwrap_or_default()
        };
        self.header
            .iter()
            .enumerate()
            .map(|(column, name)| width_of(column, name))
            .collect()
    }

    /// Returns the table as text.
    pub(crate) fn render(&self) -> String {
        let widths = self.widths();
        let header: Vec<_> = self.header.iter().map(|&name| name.to_owned()).collect();
        std::iter::once(&header)
            .chain(&self.rows)
            .map(|row| line(row, &widths))
            .collect()
    }

    /// Returns the rows alone, aligned to the columns of an earlier table.
    pub(crate) fn render_rows(&self, widths: &[usize]) -> String {
        self.rows.iter().map(|row| line(row, widths)).collect()
    }
}

fn line(row: &[String], widths: &[usize]) -> String {
    let mut line = String::new();
    let last = row.len().saturating_sub(1);
    for (column, cell) in row.iter().enumerate() {
        line.push_str(cell);
        if column < last {
            let width = widths.get(column).copied().unwrap_or_default();
            let padding = width.saturating_sub(cell.chars().count()) + GAP;
            line.extend(std::iter::repeat_n(' ', padding));
        }
    }
    line.truncate(line.trim_end().len());
    line.push('\n');
    line
}

fn one_line(cell: String) -> String {
    match cell.split_once('\n') {
        Some((first, _)) => format!("{} …", first.trim_end()),
        None if cell.is_empty() => "-".into(),
        None => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(vec!["NAME", "READY", "MESSAGE"]);
        table.push(vec!["fleet".into(), "True".into(), "stored".into()]);
        table.push(vec![
            "überlang-name".into(),
            String::new(),
            "first\nsecond".into(),
        ]);
        insta::assert_snapshot!(table.render(), @r"
        NAME            READY   MESSAGE
        fleet           True    stored
        überlang-name   -       first …
        ");
    }
}
