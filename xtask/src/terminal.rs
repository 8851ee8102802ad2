//! The one place that writes to the terminal: results to standard output, remarks to standard error.

use std::io::Write;

/// A line of result.
pub(crate) fn say(line: &str) {
    // A closed pipe is the reader's choice, not an error of the task.
    let _closed = writeln!(std::io::stdout().lock(), "{line}").is_err();
}

/// A line about what is going on.
pub(crate) fn remark(line: &str) {
    let _closed = writeln!(std::io::stderr().lock(), "xtask: {line}").is_err();
}

/// Prints a table.
pub(crate) fn table(rows: &[Vec<String>]) {
    table_lines(rows).iter().for_each(|line| say(line));
}

/// The lines of a table: the first row is the head; columns of numbers are aligned right, all others left.
pub(crate) fn table_lines(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cells = |column: usize| rows.iter().filter_map(move |row| row.get(column));
    let widths: Vec<usize> =
        (0..columns).map(|column| cells(column).map(|cell| cell.chars().count()).max().unwrap_or(0)).collect();
    let numbers: Vec<bool> = (0..columns)
        .map(|column| cells(column).skip(1).all(|cell| cell.starts_with(|c: char| c.is_ascii_digit())))
        .collect();
    let align = |row: &Vec<String>| {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let pad = " ".repeat(widths[column].saturating_sub(cell.chars().count()));
            line += if column == 0 { "" } else { "  " };
            line += &if numbers[column] { pad + cell } else { cell.clone() + &pad };
        }
        line.trim_end().to_owned()
    };
    rows.iter().map(align).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_under_each_other() {
        let rows = [["suite", "passed"], ["core", "7"], ["é", "12"]];
        let rows = rows.map(|row| row.map(String::from).to_vec());
        assert_eq!(table_lines(&rows), ["suite  passed", "core        7", "é          12"]);
    }
}
