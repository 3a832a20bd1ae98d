//! Semicolon-separated rows with quoting, as loosely as the published files are written.

/// A row with the number of its first line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) line: usize,
    pub(super) fields: Vec<String>,
}

/// Splits a text into rows. Empty lines are left out; a byte order mark and carriage returns are dropped.
///
/// A field is quoted if it begins with `"` and the quote is closed right before a semicolon or the end of a line; within,
/// `""` stands for one quote and line breaks are kept. Any other quote is an ordinary character: files contain names
/// like `"Odkupmy" i my`, and single quotes that nobody closes.
pub(super) fn rows(text: &str) -> Vec<Row> {
    let text = text.trim_start_matches('\u{feff}');
    let mut rows = Vec::new();
    let mut line = 1;
    let mut rest = text;
    while !rest.is_empty() {
        let first_line = line;
        let mut fields = Vec::new();
        loop {
            let (field, length, ended) = field(rest);
            line += rest[..length].matches('\n').count();
            rest = &rest[length..];
            fields.push(field);
            if ended {
                break;
            }
        }
        if fields.iter().any(|field| !field.is_empty()) {
            rows.push(Row { line: first_line, fields });
        }
    }
    rows
}

/// The first field of `text`, how many bytes it takes with its separator, and whether it ends the row.
fn field(text: &str) -> (String, usize, bool) {
    if let Some((content, length)) = quoted(text) {
        let (separator, ended) = separator(&text[length..]);
        return (content, length + separator, ended);
    }
    let length = text.find([';', '\n']).unwrap_or(text.len());
    let (separator, ended) = separator(&text[length..]);
    (text[..length].trim().to_owned(), length + separator, ended)
}

/// Length of the separator at the start of `text`, and whether it ends the row.
fn separator(text: &str) -> (usize, bool) {
    match text.find([';', '\n']) {
        Some(at) => (at + 1, text[at..].starts_with('\n')),
        None => (text.len(), true),
    }
}

/// A properly quoted field at the start of `text`: its content and length with the quotes.
fn quoted(text: &str) -> Option<(String, usize)> {
    /// A quoted text that is longer than this is a quote that nobody closed.
    const LONGEST: usize = 100_000;
    let body = text.strip_prefix('"')?;
    let mut content = String::new();
    let mut at = 0;
    loop {
        let quote = at + body[at..].find('"')?;
        content.push_str(&body[at..quote]);
        let after = &body[quote + 1..];
        if after.starts_with('"') {
            content.push('"');
            at = quote + 2;
            continue;
        }
        let tail = &after[..after.find([';', '\n']).unwrap_or(after.len())];
        let closed = tail.trim().is_empty() && quote <= LONGEST && !spans_section(&content);
        return closed.then(|| (content.replace("\r\n", "\n"), quote + 2));
    }
}

/// Whether a text contains a section's title on a line of its own.
fn spans_section(content: &str) -> bool {
    content.contains('\n') && content.lines().any(|line| matches!(line.trim(), "PROJECTS" | "VOTES"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Vec<Vec<String>> {
        rows(text).into_iter().map(|row| row.fields).collect()
    }

    #[test]
    fn quotes_are_read_as_they_are_meant() {
        assert_eq!(fields("1;\"a;b\";c"), [["1", "a;b", "c"]]);
        assert_eq!(fields("1;\"say \"\"hi\"\"\";c"), [["1", "say \"hi\"", "c"]]);
        assert_eq!(fields("1;\"Odkupmy\" i my;c"), [["1", "\"Odkupmy\" i my", "c"]]);
        assert_eq!(fields("1;boisko \"Orlik\";c"), [["1", "boisko \"Orlik\"", "c"]]);
        assert_eq!(fields("1;\"never closed;c\n2;b;d"), [["1", "\"never closed", "c"], ["2", "b", "d"]]);
        assert_eq!(fields("1;„quote”;c"), [["1", "„quote”", "c"]]);
        assert_eq!(fields("1;\"\";c"), [["1", "", "c"]]);
    }

    #[test]
    fn lines_are_counted_through_quoted_breaks() {
        let rows = rows("\u{feff}a;\"x\r\ny\"\r\n\r\nb;c\n");
        assert_eq!(rows[0], Row { line: 1, fields: vec!["a".into(), "x\ny".into()] });
        assert_eq!(rows[1], Row { line: 4, fields: vec!["b".into(), "c".into()] });
        assert_eq!(rows.len(), 2);
    }

    #[test]
    fn a_quote_left_open_does_not_swallow_the_next_section() {
        let text = "1;\"open\nVOTES\nv;\"x\"\n";
        assert_eq!(fields(text), [vec!["1", "\"open"], vec!["VOTES"], vec!["v", "x"]]);
    }

    #[test]
    fn empty_last_fields_are_kept() {
        assert_eq!(fields("a;b;\n;;\n"), [["a", "b", ""]]);
    }
}
