//! Columns of text under their heads, as wide as what is in them.

/// Rows of cells under heads; columns in which nothing stands are left out.
pub(super) fn table(heads: &[String], rows: &[Vec<String>], indent: &str) -> String {
    let used: Vec<usize> =
        (0..heads.len()).filter(|column| rows.iter().any(|row| !row[*column].is_empty())).collect();
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .chain(std::iter::once(heads[column].chars().count()))
            .max()
            .unwrap_or(0)
    };
    let mut out = String::new();
    let mut line = |cells: &[String]| {
        let mut text = String::from(indent);
        for (index, column) in used.iter().enumerate() {
            text.push_str(&cells[*column]);
            if index + 1 < used.len() {
                let gap = width(*column) + 2 - cells[*column].chars().count();
                text.push_str(&" ".repeat(gap));
            }
        }
        out.push_str(text.trim_end());
        out.push('\n');
    };
    line(heads);
    for row in rows {
        line(row);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_empty_ones_go() {
        let cells = |row: &[&str]| row.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>();
        let text = table(
            &cells(&["NAME", "ID", "WHY"]),
            &[cells(&["k3s-mgr", "", "servers"]), cells(&["w", "", ""])],
            "  ",
        );
        assert_eq!(text, "  NAME     WHY\n  k3s-mgr  servers\n  w\n");
    }
}
