//! Changes one value of a document and nothing else: comments, order, quotes and blank lines stay as they are.
//!
//! The edit is made on the text, then the text is read again: what comes out must be the old tree with the one value
//! changed, or the edit is refused. So a document can be refused, but never damaged.

use super::{Options, read};
use crate::source::{FileId, Span};
use crate::value::{Entry, Node, Origin, Path, Segment, Value};
use std::fmt;
use std::sync::Arc;

/// Why a value was not set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EditError {
    /// The new value is not YAML of one value.
    Value(String),
    /// A path goes through something that is no map or list, or past a list's end; how much of it exists.
    NoSuchPlace(String),
    /// The value stands elsewhere: it is behind an alias or a merge.
    Shared(Span),
    /// The document's form is one that this editor cannot change safely.
    Form(Span),
}

impl fmt::Display for EditError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(words) => write!(out, "the value is not YAML: {words}"),
            Self::NoSuchPlace(path) => write!(out, "`{path}` holds no value that could be set"),
            Self::Shared(_) => out.write_str("the value is shared through an anchor; change it by hand"),
            Self::Form(_) => out.write_str("the document is written in a form that cannot be edited safely"),
        }
    }
}

impl std::error::Error for EditError {}

/// The text with the value at `path` set to `value`, a YAML value; keys that are missing are added.
pub fn set(file: FileId, text: &str, path: &Path, value: &str) -> Result<String, EditError> {
    let root = read(file, text, Options::STRICT).map_err(|error| EditError::Value(error.go_message()))?;
    let value = value.trim();
    let new = read(file, value, Options::STRICT).map_err(|error| EditError::Value(error.go_message()))?;
    let flow = value.lines().count() <= 1;
    if !flow {
        return Err(EditError::Value(
            "it has several lines; write it as `{...}` or `[...]` in one".to_owned(),
        ));
    }
    let expected =
        expect(&root, path.segments(), &new).ok_or_else(|| EditError::NoSuchPlace(path.to_string()))?;
    let edited = change(text, &root, path, value)?;
    match read(file, &edited, Options::STRICT) {
        Ok(got) if got == expected => Ok(edited),
        _ => Err(EditError::Form(root.span().unwrap_or(Span::new(file, 0, 0)))),
    }
}

/// The tree as it should be afterwards; `None` where the path cannot exist.
fn expect(node: &Node, path: &[Segment], new: &Node) -> Option<Node> {
    let Some((first, rest)) = path.split_first() else { return Some(new.clone()) };
    let mut node = node.clone();
    match (first, &mut node.value) {
        (Segment::Key(key), Value::Map(map)) => {
            let old = map.get(key).map_or(Value::Null, |entry| entry.node.value.clone());
            let inner = expect(&Node::new(old, Origin::Compiler), rest, new)?;
            map.insert(Arc::clone(key), Entry { key: Origin::Compiler, node: inner });
        }
        (Segment::Key(key), null @ Value::Null) => {
            let inner = expect(&Node::new(Value::Null, Origin::Compiler), rest, new)?;
            let entry = Entry { key: Origin::Compiler, node: inner };
            *null = Value::Map(std::iter::once((Arc::clone(key), entry)).collect());
        }
        (Segment::Index(index), Value::List(items)) => {
            let item = items.get_mut(*index)?;
            *item = expect(item, rest, new)?;
        }
        _ => return None,
    }
    Some(node)
}

fn change(text: &str, root: &Node, path: &Path, value: &str) -> Result<String, EditError> {
    let mut node = root;
    let mut key = None;
    for (depth, segment) in path.segments().iter().enumerate() {
        let found = match (segment, &node.value) {
            (Segment::Key(name), Value::Map(map)) => {
                map.get(name).map(|entry| (entry.key.span(), &entry.node))
            }
            (Segment::Index(index), Value::List(items)) => items.get(*index).map(|item| (None, item)),
            _ => None,
        };
        let Some((at, next)) = found else { return add(text, node, key, &path.segments()[depth..], value) };
        let (outer, inner) = (span(node)?, span(next)?);
        let beyond = inner.end > outer.end && inner.start < inner.end;
        if inner.start < outer.start || beyond || at.is_some_and(|at| at.start > inner.start) {
            return Err(EditError::Shared(inner));
        }
        (node, key) = (next, at);
    }
    replace(text, node, key, value)
}

fn span(node: &Node) -> Result<Span, EditError> {
    node.span().ok_or_else(|| EditError::NoSuchPlace(String::new()))
}

/// Puts `value` where the node stands.
fn replace(text: &str, node: &Node, key: Option<Span>, value: &str) -> Result<String, EditError> {
    let at = span(node)?;
    let (start, end) = (at.start as usize, at.end as usize);
    let old = &text[start..end];
    // A block value starts on a line of its own: the new one goes behind the key.
    if let Some(key) = key
        && text[key.end as usize..start].contains('\n')
    {
        let colon = key.end as usize + text[key.end as usize..].find(':').map_or(0, |found| found + 1);
        return Ok(format!("{} {value}{}", &text[..colon], keep_break(old, &text[end..])));
    }
    if old.is_empty() {
        let gap = if text[..start].ends_with(' ') { "" } else { " " };
        return Ok(format!("{}{gap}{value}{}", &text[..start], &text[end..]));
    }
    Ok(format!("{}{value}{}", &text[..start], keep_break(old, &text[end..])))
}

/// Block values may own the break behind them; it belongs to the line.
fn keep_break(old: &str, rest: &str) -> String {
    if old.ends_with('\n') && !rest.starts_with('\n') { format!("\n{rest}") } else { rest.to_owned() }
}

/// Adds the members of `path` to `parent`, a map or nothing yet.
fn add(
    text: &str,
    parent: &Node,
    key: Option<Span>,
    path: &[Segment],
    value: &str,
) -> Result<String, EditError> {
    let at = span(parent)?;
    let (start, end) = (at.start as usize, at.end as usize);
    let names: Vec<String> = path
        .iter()
        .map(|segment| match segment {
            Segment::Key(name) => Ok(written(name)),
            Segment::Index(index) => Err(EditError::NoSuchPlace(format!("[{index}]"))),
        })
        .collect::<Result<_, _>>()?;
    let inline = names[1..].iter().rev().fold(value.to_owned(), |inner, name| format!("{{{name}: {inner}}}"));
    let member = format!("{}: {inline}", names[0]);
    let Value::Map(map) = &parent.value else {
        return replace(text, parent, key, &format!("{{{member}}}"));
    };
    if text[start..end].starts_with('{') {
        let close = end - 1;
        let gap = if map.is_empty() { "" } else { ", " };
        let head = text[..close].trim_end();
        let head = head.strip_suffix(',').unwrap_or(head);
        return Ok(format!("{head}{gap}{member}{}", &text[close..]));
    }
    let first = map.values().next().and_then(|entry| entry.key.span()).ok_or(EditError::Form(at))?;
    let indent = text[..first.start as usize].rsplit('\n').next().map_or(0, |line| line.chars().count());
    let block = block(&names, value, indent);
    // Behind the last line of the map: its comment stays with it.
    let tail = &text[end..];
    let line_end = if text[..end].ends_with('\n') {
        end
    } else {
        end + tail.find('\n').map_or(tail.len(), |found| found + 1)
    };
    let head = &text[..line_end];
    let gap = if head.ends_with('\n') { "" } else { "\n" };
    Ok(format!("{head}{gap}{block}{}", &text[line_end..]))
}

fn block(names: &[String], value: &str, indent: usize) -> String {
    let mut out = String::new();
    for (depth, name) in names.iter().enumerate() {
        out.push_str(&" ".repeat(indent + depth * 2));
        out.push_str(name);
        out.push(':');
        if depth + 1 == names.len() {
            out.push(' ');
            out.push_str(value);
        }
        out.push('\n');
    }
    out
}

/// A key as it is written: quoted where it is more than a word.
fn written(key: &str) -> String {
    let plain = !key.is_empty()
        && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/'))
        && matches!(super::resolve(key), super::Resolved::String)
        && !key.starts_with('-');
    if plain { key.to_owned() } else { format!("\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\"")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    fn edit(text: &str, path: &str, value: &str) -> Result<String, EditError> {
        let file = Sources::new().add("overlay.yaml", text);
        set(file, text, &Path::parse(path).expect("a path"), value)
    }

    const TEXT: &str = "\
# head
spec:
  stacks:   # what runs
    a: {replicas: 2, tag: '1.0'}   # kept
    b:
      replicas: 3     # three
      image:
        tag: x

    c: {}
    d:
  end: true
";

    #[test]
    fn one_value_changes_and_the_rest_stays() {
        for (path, value, old, new) in [
            ("spec.stacks.a.tag", "\"1.4.2\"", "tag: '1.0'", "tag: \"1.4.2\""),
            ("spec.stacks.b.replicas", "5", "replicas: 3     # three", "replicas: 5     # three"),
            ("spec.stacks.b.image.tag", "y", "tag: x\n", "tag: y\n"),
            ("spec.stacks.a.extra.deep", "1", "'1.0'}   # kept", "'1.0', extra: {deep: 1}}   # kept"),
            ("spec.stacks.c.replicas", "1", "c: {}", "c: {replicas: 1}"),
            ("spec.stacks.d.replicas", "1", "d:\n", "d: {replicas: 1}\n"),
            ("spec.stacks.d", "{}", "d:\n", "d: {}\n"),
            ("spec.stacks.b.image.repo.name", "r", "tag: x\n", "tag: x\n        repo:\n          name: r\n"),
            ("spec.more", "[1, 2]", "  end: true\n", "  end: true\n  more: [1, 2]\n"),
            ("spec.stacks.b.image", "{tag: z}", "image:\n        tag: x\n", "image: {tag: z}\n"),
        ] {
            assert_eq!(edit(TEXT, path, value).as_deref(), Ok(TEXT.replacen(old, new, 1).as_str()), "{path}");
        }
    }

    #[test]
    fn lists_and_missing_ends_of_files_are_fine() {
        assert_eq!(edit("a: [1, 2]", "a[1]", "5").as_deref(), Ok("a: [1, 5]"));
        assert_eq!(edit("a:\n- x: 1\n- x: 2", "a[0].x", "5").as_deref(), Ok("a:\n- x: 5\n- x: 2"));
        assert_eq!(edit("a: 1", "b", "2").as_deref(), Ok("a: 1\nb: 2\n"));
        assert_eq!(edit("a: |\n  text\nb: 1\n", "a", "x").as_deref(), Ok("a: x\nb: 1\n"));
    }

    #[test]
    fn what_cannot_be_done_safely_is_refused() {
        assert!(matches!(edit("a: &x {b: 1}\nc: *x\n", "c.b", "2"), Err(EditError::Shared(_))));
        assert!(matches!(edit("a: 1\n", "a.b", "2"), Err(EditError::NoSuchPlace(_))));
        assert!(matches!(edit("a: [1]\n", "a[3]", "2"), Err(EditError::NoSuchPlace(_))));
        assert!(matches!(edit("a: 1\n", "a", "{"), Err(EditError::Value(_))));
        assert!(matches!(edit("a: 1\n", "a", "x: y: z"), Err(EditError::Value(_))));
        // An anchor's own value is shared with its aliases: the second would change along.
        assert!(edit("a: &x {b: 1}\nc: *x\n", "a.b", "2").is_err());
    }
}
