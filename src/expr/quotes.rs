//! Expressions that YAML cut apart because they lack quotes.
//!
//! In a plain scalar `: ` starts a value and ` #` a comment; inside `{}` and `[]` the braces and commas of an
//! expression are YAML's. What is left then is an odd YAML error or half an expression; this says what happened.

use super::lexer::end_of_expression;
use crate::diag::{Diagnostic, codes};
use crate::source::{Sources, Span};

/// An expression on the line of `span` that stands without the quotes it needs, as a finding in place of a YAML
/// error there.
pub fn needs_quotes(sources: &Sources, span: Span) -> Option<Diagnostic> {
    let file = sources.get(span.file);
    let text = file.text();
    let mut end =
        text.get(span.start as usize..)?.find('\n').map_or(text.len(), |at| span.start as usize + at);
    // the parser often notices only on the next line
    for _ in 0..2 {
        let base = text[..end].rfind('\n').map_or(0, |at| at + 1);
        let line = &text[base..end];
        if let Some((from, to)) = unquoted(line) {
            return Some(finding(&line[from..to], Span::new(span.file, base + from, base + to)));
        }
        end = base.checked_sub(1)?;
    }
    None
}

/// For a scalar whose expression has no end: whether the file goes on after it as YAML, not as the expression.
pub(super) fn cut_apart(text: &str, span: Option<Span>, sources: &Sources) -> Option<Diagnostic> {
    let span = span?;
    let file = sources.get(span.file);
    let raw = file.text().get(span.start as usize..span.end as usize)?;
    if raw.starts_with(['"', '\'', '|', '>']) || !text.contains("${") {
        return None;
    }
    needs_quotes(sources, span)
}

/// The range of an expression in a line that is in no quotes and has something in it that YAML takes for itself.
fn unquoted(line: &str) -> Option<(usize, usize)> {
    let bytes = line.as_bytes();
    let mut flow = 0_usize;
    let mut at = 0;
    let mut fresh = true;
    while at < bytes.len() {
        match bytes[at] {
            quote @ (b'"' | b'\'') if fresh => {
                at += 1;
                while at < bytes.len() && bytes[at] != quote {
                    at += if quote == b'"' && bytes[at] == b'\\' { 2 } else { 1 };
                }
                fresh = false;
            }
            b'$' if bytes.get(at + 1) == Some(&b'{') => {
                let end = end_of_expression(line, at + 2).map_or(line.len(), |end| end + 1);
                let inner = &line[at + 2..end];
                if flow > 0 || inner.contains(": ") || inner.contains(" #") {
                    return Some((at, end));
                }
                at = end;
                fresh = false;
                continue;
            }
            b'{' | b'[' if fresh || flow > 0 => {
                flow += 1;
                fresh = true;
            }
            b'}' | b']' => flow = flow.saturating_sub(1),
            b' ' | b'\t' => {}
            b':' | b',' | b'-' => fresh = true,
            b'#' if at == 0 || bytes[at - 1] == b' ' => return None,
            _ => fresh = false,
        }
        at += 1;
    }
    None
}

fn finding(expression: &str, span: Span) -> Diagnostic {
    let quote = if expression.contains('"') && !expression.contains('\'') { '\'' } else { '"' };
    let quoted = if quote == '"' && expression.contains('"') {
        format!("\"{}\"", expression.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        format!("{quote}{expression}{quote}")
    };
    Diagnostic::error(codes::EXPRESSION_NEEDS_QUOTES, "YAML cuts this expression apart")
        .at(span, "not in quotes")
        .note(
            "`: ` starts a value, ` #` a comment, and inside `{}` and `[]` braces and commas are YAML's own",
        )
        .help(format!("write it in quotes: {quoted}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_yaml_would_cut() {
        let part = |line: &str| unquoted(line).map(|(start, end)| line[start..end].to_owned());
        assert_eq!(part("  a: ${x ? 1 : 2}").as_deref(), Some("${x ? 1 : 2}"));
        assert_eq!(part("  a: {b: ${x}}").as_deref(), Some("${x}"));
        assert_eq!(part("- [${x}, 1]").as_deref(), Some("${x}"));
        assert_eq!(part("a: ${x #y}").as_deref(), Some("${x #y}"));
        for fine in ["a: ${x}", "a: \"${x ? 1 : 2}\"", "a: {b: \"${x}\"}", "a: 1 # ${x ? 1 : 2}", "a: b-${x}"]
        {
            assert_eq!(part(fine), None, "{fine}");
        }
    }
}
