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
        _ => Err(match anchor(text, &root, path) {
            Some(span) => EditError::Shared(span),
            None => EditError::Form(root.span().unwrap_or(Span::new(file, 0, 0))),
        }),
    }
}

/// `value` as YAML text of a string for the place at `path`: quoted as the value there is, or where it has to be.
///
/// A line that is a YAML string already is taken as that string; anything else is text as it stands: `1.10`, `off`.
pub fn text_value(file: FileId, text: &str, path: &Path, value: &str) -> String {
    let one_line = !value.contains(['\n', '\r']);
    let read_value = read(file, value, Options::STRICT).ok().filter(|_| one_line);
    let meant = read_value.as_ref().and_then(Node::as_str).map_or_else(|| value.to_owned(), str::to_owned);
    let root = read(file, text, Options::STRICT).ok();
    let old = root.as_ref().and_then(|root| root.lookup(path)).and_then(Node::span);
    let quote = old.and_then(|span| text.get(span.start as usize..span.end as usize)?.chars().next());
    match quote {
        Some('\'') if !meant.contains(|c: char| c.is_control()) => format!("'{}'", meant.replace('\'', "''")),
        Some('"') => double_quoted(&meant),
        _ if is_plain(&meant) => meant,
        _ => double_quoted(&meant),
    }
}

/// Whether a string needs no quotes, wherever it stands.
fn is_plain(text: &str) -> bool {
    let inner =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '+' | ':' | '@' | '%');
    !text.is_empty()
        && text.chars().all(inner)
        && !text.starts_with(['-', '@', '%', ':'])
        && !text.ends_with(':')
        && matches!(super::resolve(text), super::Resolved::String)
}

fn double_quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
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

/// The value on the way to `path` that carries an anchor, if one does.
fn anchor(text: &str, root: &Node, path: &Path) -> Option<Span> {
    let mut node = root;
    for segment in path.segments() {
        let (before, next) = match (segment, &node.value) {
            (Segment::Key(name), Value::Map(map)) => {
                let entry = map.get(name)?;
                (entry.key.span()?.end, &entry.node)
            }
            (Segment::Index(index), Value::List(items)) => (node.span()?.start, items.get(*index)?),
            _ => return None,
        };
        let at = next.span()?;
        let gap = text.get(before as usize..at.start as usize).unwrap_or("");
        if gap.contains('&') || text.get(at.start as usize..).is_some_and(|rest| rest.starts_with('&')) {
            return Some(at);
        }
        node = next;
    }
    None
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
    let end_of_line = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let block = block(&names, value, indent, end_of_line);
    // Behind the last line of the map: its comment stays with it.
    let tail = &text[end..];
    let line_end = if text[..end].ends_with('\n') {
        end
    } else {
        end + tail.find('\n').map_or(tail.len(), |found| found + 1)
    };
    let head = &text[..line_end];
    let gap = if head.ends_with('\n') { "" } else { end_of_line };
    Ok(format!("{head}{gap}{block}{}", &text[line_end..]))
}

fn block(names: &[String], value: &str, indent: usize, end_of_line: &str) -> String {
    let mut out = String::new();
    for (depth, name) in names.iter().enumerate() {
        out.push_str(&" ".repeat(indent + depth * 2));
        out.push_str(name);
        out.push(':');
        if depth + 1 == names.len() {
            out.push(' ');
            out.push_str(value);
        }
        out.push_str(end_of_line);
    }
    out
}

/// A key as it is written: quoted where it is more than a word.
fn written(key: &str) -> String {
    let plain = !key.is_empty()
        && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/'))
        && matches!(super::resolve(key), super::Resolved::String)
        && !key.starts_with('-');
    if plain { key.to_owned() } else { double_quoted(key) }
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
    fn text_is_written_as_the_value_there_is() {
        let file = Sources::new().add("overlay.yaml", TEXT);
        let text =
            |path: &str, value: &str| text_value(file, TEXT, &Path::parse(path).expect("a path"), value);
        assert_eq!(text("spec.stacks.a.tag", "1.10"), "'1.10'");
        assert_eq!(text("spec.stacks.a.tag", "it's"), "'it''s'");
        assert_eq!(text("spec.stacks.a.tag", "two\nlines"), "\"two\\nlines\"");
        assert_eq!(text("spec.stacks.b.image.tag", "1.10"), "\"1.10\"");
        assert_eq!(text("spec.stacks.b.image.tag", "v1.10"), "v1.10");
        assert_eq!(text("spec.stacks.b.image.new", "off"), "\"off\"");
        assert_eq!(text("spec.stacks.b.image.new", "{a: b}"), "\"{a: b}\"");
        assert_eq!(text("spec.stacks.b.image.new", "https://a.example.com/x"), "https://a.example.com/x");
        assert_eq!(text("spec.stacks.b.image.new", "a, b"), "\"a, b\"");
    }

    #[test]
    fn ends_of_lines_stay_as_they_are() {
        let text = "a: 1\r\nb:\r\n  c: 2   # two\r\n";
        assert_eq!(edit(text, "b.c", "3").as_deref(), Ok("a: 1\r\nb:\r\n  c: 3   # two\r\n"));
        assert_eq!(
            edit(text, "b.d.e", "3").as_deref(),
            Ok("a: 1\r\nb:\r\n  c: 2   # two\r\n  d:\r\n    e: 3\r\n")
        );
    }

    /// Documents in many styles: one value changes and every other byte stays.
    mod any {
        use super::*;
        use proptest::prelude::*;

        #[derive(Clone, Debug)]
        enum Tree {
            Scalar(&'static str),
            Map(Vec<(String, Tree)>, bool),
            List(Vec<Tree>, bool),
        }

        fn tree() -> impl Strategy<Value = Tree> {
            let scalars = vec!["1", "true", "~", "word", "'a b'", "\"c \\n\"", "a b", "1.5", "\"\"", "x:y"];
            prop::sample::select(scalars).prop_map(Tree::Scalar).prop_recursive(4, 24, 4, |inner| {
                prop_oneof![
                    (prop::collection::btree_map("[a-d]", inner.clone(), 1..4), any::<bool>())
                        .prop_map(|(map, flow)| Tree::Map(map.into_iter().collect(), flow)),
                    (prop::collection::vec(inner, 1..4), any::<bool>())
                        .prop_map(|(items, flow)| Tree::List(items, flow)),
                ]
            })
        }

        /// Writes a tree; `found` gets the path of every scalar and its bytes.
        struct Writer {
            out: String,
            end: &'static str,
            comments: bool,
            found: Vec<(Path, usize, usize)>,
        }

        impl Writer {
            fn of(tree: Tree, crlf: bool, comments: bool) -> Self {
                let end = if crlf { "\r\n" } else { "\n" };
                let mut writer = Self { out: String::new(), end, comments, found: Vec::new() };
                writer.block(&Tree::Map(vec![("root".to_owned(), tree)], false), &Path::default(), 0);
                writer
            }

            fn flow(&mut self, tree: &Tree, path: &Path) {
                match tree {
                    Tree::Scalar(text) => {
                        let start = self.out.len();
                        self.out.push_str(text);
                        self.found.push((path.clone(), start, self.out.len()));
                    }
                    Tree::Map(map, _) => {
                        self.out.push('{');
                        for (index, (key, value)) in map.iter().enumerate() {
                            self.out.push_str(if index == 0 { "" } else { ", " });
                            self.out.push_str(&format!("{key}: "));
                            self.flow(value, &path.key(key));
                        }
                        self.out.push('}');
                    }
                    Tree::List(items, _) => {
                        self.out.push('[');
                        for (index, value) in items.iter().enumerate() {
                            self.out.push_str(if index == 0 { "" } else { ", " });
                            self.flow(value, &path.index(index));
                        }
                        self.out.push(']');
                    }
                }
            }

            fn line_end(&mut self) {
                if self.comments {
                    self.out.push_str("   # kept: [as, it] is");
                }
                self.out.push_str(self.end);
            }

            fn member(&mut self, tree: &Tree, path: &Path, depth: usize) {
                if matches!(tree, Tree::Map(_, false) | Tree::List(_, false)) {
                    self.line_end();
                    self.block(tree, path, depth);
                } else {
                    self.out.push(' ');
                    self.flow(tree, path);
                    self.line_end();
                }
            }

            fn block(&mut self, tree: &Tree, path: &Path, depth: usize) {
                let pad = "  ".repeat(depth);
                match tree {
                    Tree::Map(map, _) => {
                        for (key, value) in map {
                            self.out.push_str(&format!("{pad}{key}:"));
                            self.member(value, &path.key(key), depth + 1);
                        }
                    }
                    Tree::List(items, _) => {
                        for (index, value) in items.iter().enumerate() {
                            self.out.push_str(&format!("{pad}-"));
                            self.member(value, &path.index(index), depth + 1);
                        }
                    }
                    Tree::Scalar(_) => {}
                }
            }
        }

        proptest! {
            #[test]
            fn only_the_value_changes(
                tree in tree(),
                crlf in any::<bool>(),
                comments in any::<bool>(),
                cut in any::<bool>(),
                pick in any::<prop::sample::Index>(),
                value in prop::sample::select(vec!["7", "\"x, y\"", "{m: [1, 2]}", "off", "null"]),
            ) {
                let writer = Writer::of(tree, crlf, comments);
                let mut text = writer.out;
                if cut {
                    text.truncate(text.trim_end().len());
                }
                let (path, start, stop) = writer.found[pick.index(writer.found.len())].clone();
                let file = Sources::new().add("o.yaml", text.as_str());
                let edited = set(file, &text, &path, value);
                let wanted = format!("{}{value}{}", &text[..start], &text[stop..]);
                prop_assert_eq!(edited.as_deref(), Ok(wanted.as_str()), "{} in\n{}", path, text);
            }

            #[test]
            fn a_new_key_leaves_everything_that_was_there(
                tree in tree(),
                crlf in any::<bool>(),
                comments in any::<bool>(),
                pick in any::<prop::sample::Index>(),
            ) {
                let writer = Writer::of(tree, crlf, comments);
                let text = writer.out;
                let (mut path, ..) = writer.found[pick.index(writer.found.len())].clone();
                let in_map = matches!(path.pop(), Some(Segment::Key(_)));
                prop_assume!(in_map);
                let path = path.key("new").key("deep");
                let file = Sources::new().add("o.yaml", text.as_str());
                let edited = set(file, &text, &path, "9").expect("a map takes a key");
                // One piece was put in: what is before it and behind it is the old text.
                let before = text.bytes().zip(edited.bytes()).take_while(|(a, b)| a == b).count();
                let behind = &text.as_bytes()[before..];
                prop_assert!(edited.as_bytes().ends_with(behind), "{}\nbecame\n{}", text, edited);
                if crlf {
                    prop_assert_eq!(edited.matches('\n').count(), edited.matches("\r\n").count());
                }
            }
        }
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
