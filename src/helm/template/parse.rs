//! Items to trees, as Go's text/template/parse/parse.go, whose messages it gives.
//!
//! Functions are looked up here, so an unknown one is an error of the text, wherever it stands.

use super::lex::{Item, ItemKind, Lexer, narrow};
use super::literal::{character, number, unquote};
use super::set::meant_word;
use super::tree::{Branch, Command, List, Name, Node, Numeral, Operand, Pipe, Source, Template};
use crate::diag::did_you_mean;
use crate::helm::funcs::Registry;
use crate::helm::stack;
use crate::helm::strconv::{append_quote, shown};
use crate::helm::value::Str;
use indexmap::{IndexMap, IndexSet};
use std::sync::Arc;

/// Why a text is no template: Go's message, without "template: NAME:LINE: ".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The line it names, from 1.
    pub line: usize,
    /// The message.
    pub message: Vec<u8>,
    /// The name that is wrong, where it is one.
    pub name: Option<WrongName>,
}

/// A name in a text that nothing has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongName {
    /// Where it begins in the text.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// What was perhaps meant.
    pub meant: Option<&'static str>,
}

impl ParseError {
    /// The whole text as Go prints it.
    pub fn text(&self, name: &[u8]) -> Vec<u8> {
        [b"template: ", name, format!(":{}: ", self.line).as_bytes(), &self.message].concat()
    }
}

type Result<T> = std::result::Result<T, ParseError>;

/// Parentheses nest this deep at most (10,000 in Go, which has no stack to mind).
const MAX_PARENTHESES: usize = 2000;
/// Control structures nest this deep at most (Go has no limit).
const MAX_CONTROLS: usize = 2000;

/// Parses a text into the templates it defines; the one of the text itself comes last.
///
/// # Errors
/// The first fault, as Go finds it.
pub(crate) fn parse(source: &Arc<Source>, functions: &Registry) -> Result<Vec<Arc<Template>>> {
    let mut parser = Parser {
        source: Arc::clone(source),
        text: &source.text,
        lexer: Lexer::new(&source.text),
        functions,
        tree: Tree::new(),
        controls: 0,
        done: IndexMap::new(),
        names: IndexSet::from([Str::from("$")]),
        scratch: Vec::new(),
    };
    let root = parser.file()?;
    parser.add(source.name.clone(), root)?;
    Ok(parser.done.into_values().collect())
}

/// What Go keeps in a `Tree` while parsing: a define has its own.
struct Tree {
    token: [Item; 3],
    peeked: usize,
    /// Numbers of the variables in scope, and how often each number is among them.
    variables: Vec<u32>,
    in_scope: Vec<u32>,
    action_line: u32,
    range_depth: usize,
    parentheses: usize,
}

impl Tree {
    fn new() -> Self {
        Self {
            token: [Item { kind: ItemKind::Error, start: 0, end: 0, line: 0 }; 3],
            peeked: 0,
            variables: vec![0],
            in_scope: vec![1],
            action_line: 0,
            range_depth: 0,
            parentheses: 0,
        }
    }
}

impl Tree {
    fn declare(&mut self, id: u32) {
        self.variables.push(id);
        let at = id as usize;
        if self.in_scope.len() <= at {
            self.in_scope.resize(at + 1, 0);
        }
        self.in_scope[at] += 1;
    }

    fn forget(&mut self, to: usize) {
        for id in self.variables.drain(to.min(self.variables.len())..) {
            self.in_scope[id as usize] -= 1;
        }
    }

    fn knows(&self, id: u32) -> bool {
        self.in_scope.get(id as usize).is_some_and(|count| *count > 0)
    }
}

/// What ended a list of nodes.
enum End {
    End,
    Else,
}

impl End {
    fn text(&self) -> &'static [u8] {
        match self {
            Self::End => b"{{end}}",
            Self::Else => b"{{else}}",
        }
    }
}

enum Action {
    Node(Node),
    End(End),
}

#[derive(Copy, Clone, PartialEq, Eq)]
enum Control {
    If,
    With,
    Range,
}

struct Parser<'t> {
    source: Arc<Source>,
    text: &'t [u8],
    lexer: Lexer<'t>,
    functions: &'t Registry,
    tree: Tree,
    controls: usize,
    done: IndexMap<Str, Arc<Template>>,
    /// Every variable name of the text; a name's id is its place.
    names: IndexSet<Str>,
    /// Empty between two uses.
    scratch: Vec<Str>,
}

impl<'t> Parser<'t> {
    fn next(&mut self) -> Item {
        if self.tree.peeked > 0 {
            self.tree.peeked -= 1;
        } else {
            self.tree.token[0] = self.lexer.next_item();
        }
        self.tree.token[self.tree.peeked]
    }

    fn backup(&mut self) {
        self.tree.peeked += 1;
    }

    fn backup2(&mut self, first: Item) {
        self.tree.token[1] = first;
        self.tree.peeked = 2;
    }

    fn backup3(&mut self, first: Item, second: Item) {
        self.tree.token[1] = second;
        self.tree.token[2] = first;
        self.tree.peeked = 3;
    }

    fn peek(&mut self) -> Item {
        if self.tree.peeked > 0 {
            return self.tree.token[self.tree.peeked - 1];
        }
        self.tree.peeked = 1;
        self.tree.token[0] = self.lexer.next_item();
        self.tree.token[0]
    }

    fn next_non_space(&mut self) -> Item {
        loop {
            let token = self.next();
            if token.kind != ItemKind::Space {
                return token;
            }
        }
    }

    fn peek_non_space(&mut self) -> Item {
        let token = self.next_non_space();
        self.backup();
        token
    }

    fn name(&mut self, token: Item) -> Name {
        let text = self.lexer_bytes(token);
        let id = match self.names.get_index_of(text) {
            Some(id) => id,
            None => self.names.insert_full(Str::new(text)).0,
        };
        Name { id: narrow(id), start: token.start, end: token.end }
    }

    fn fail<T>(&self, message: impl Into<Vec<u8>>) -> Result<T> {
        let line = self.tree.token[0].line as usize;
        Err(ParseError { line, message: shown(&message.into()).into_owned(), name: None })
    }

    fn unexpected<T>(&self, token: Item, context: &str) -> Result<T> {
        let what = self.lexer.describe(token);
        if token.kind == ItemKind::Error {
            let mut message = what;
            if self.tree.action_line != 0 && self.tree.action_line != token.line {
                let place = [
                    b" started at ",
                    &self.source.name[..],
                    format!(":{}", self.tree.action_line).as_bytes(),
                ]
                .concat();
                if !message.ends_with(b" action") {
                    message.extend_from_slice(b" in action");
                }
                message.extend(place);
            }
            return self.fail(message);
        }
        self.fail([b"unexpected ", &what[..], b" in ", context.as_bytes()].concat())
    }

    fn expect(&mut self, kind: ItemKind, context: &str) -> Result<Item> {
        let token = self.next_non_space();
        if token.kind == kind { Ok(token) } else { self.unexpected(token, context) }
    }

    /// Adds a definition, as Go does within one text: an empty one gives way, two that are not are an error.
    fn add(&mut self, name: Str, root: List) -> Result<()> {
        let template = Template { name, source: Arc::clone(&self.source), root };
        if let Some(old) = self.done.get_mut(template.name.as_bytes()) {
            if old.is_empty() {
                *old = Arc::new(template);
            } else if !template.is_empty() {
                let mut message = b"template: multiple definition of template ".to_vec();
                append_quote(&mut message, &template.name, false);
                return self.fail(message);
            }
        } else {
            self.done.insert(template.name.clone(), Arc::new(template));
        }
        Ok(())
    }

    fn file(&mut self) -> Result<List> {
        let pos = self.peek().start;
        let mut nodes = Vec::new();
        while self.peek().kind != ItemKind::Eof {
            if self.peek().kind == ItemKind::LeftDelim {
                let delim = self.next();
                if self.next_non_space().kind == ItemKind::Define {
                    let outer = std::mem::replace(&mut self.tree, Tree::new());
                    self.definition()?;
                    self.tree = outer;
                    continue;
                }
                self.backup2(delim);
            }
            match self.text_or_action()? {
                Action::End(end) => return self.fail([b"unexpected ", end.text()].concat()),
                Action::Node(node) => nodes.push(node),
            }
        }
        Ok(List { pos, nodes: nodes.into() })
    }

    fn definition(&mut self) -> Result<()> {
        let context = "define clause";
        let token = self.next_non_space();
        if !matches!(token.kind, ItemKind::String | ItemKind::RawString) {
            return self.unexpected(token, context);
        }
        let name = self.unquoted(token)?;
        self.expect(ItemKind::RightDelim, context)?;
        let (root, end) = self.item_list()?;
        if let End::Else = end {
            return self.fail([b"unexpected ", end.text(), b" in ", context.as_bytes()].concat());
        }
        self.add(name, root)
    }

    fn unquoted(&self, token: Item) -> Result<Str> {
        match unquote(self.lexer_bytes(token)) {
            Ok(text) => Ok(Str::new(&text)),
            Err(message) => self.fail(message),
        }
    }

    fn lexer_bytes(&self, token: Item) -> &'t [u8] {
        self.text.get(token.span()).unwrap_or_default()
    }

    fn item_list(&mut self) -> Result<(List, End)> {
        let pos = self.peek_non_space().start;
        let mut nodes = Vec::new();
        while self.peek_non_space().kind != ItemKind::Eof {
            match self.text_or_action()? {
                Action::Node(node) => nodes.push(node),
                Action::End(end) => return Ok((List { pos, nodes: nodes.into() }, end)),
            }
        }
        self.fail("unexpected EOF")
    }

    fn text_or_action(&mut self) -> Result<Action> {
        let token = self.next_non_space();
        match token.kind {
            ItemKind::Text => {
                let Item { start, end, .. } = token;
                Ok(Action::Node(Node::Text { pos: start, start, end }))
            }
            ItemKind::LeftDelim => {
                self.tree.action_line = token.line;
                let action = self.action();
                if action.is_ok() {
                    self.tree.action_line = 0;
                }
                action
            }
            _ => self.unexpected(token, "input"),
        }
    }

    fn action(&mut self) -> Result<Action> {
        let token = self.next_non_space();
        let node = match token.kind {
            ItemKind::Block => self.block()?,
            ItemKind::Break | ItemKind::Continue => {
                let context = if token.kind == ItemKind::Break { "{{break}}" } else { "{{continue}}" };
                let after = self.next_non_space();
                if after.kind != ItemKind::RightDelim {
                    return self.unexpected(after, context);
                }
                if self.tree.range_depth == 0 {
                    return self.fail(format!("{context} outside {{{{range}}}}"));
                }
                let pos = token.start;
                if token.kind == ItemKind::Break { Node::Break(pos) } else { Node::Continue(pos) }
            }
            ItemKind::Else => {
                let next = self.peek_non_space();
                if !matches!(next.kind, ItemKind::If | ItemKind::With) {
                    self.expect(ItemKind::RightDelim, "else")?;
                }
                return Ok(Action::End(End::Else));
            }
            ItemKind::End => {
                self.expect(ItemKind::RightDelim, "end")?;
                return Ok(Action::End(End::End));
            }
            ItemKind::If => self.control(Control::If)?,
            ItemKind::Range => self.control(Control::Range)?,
            ItemKind::With => self.control(Control::With)?,
            ItemKind::Template => {
                let token = self.next_non_space();
                let name = self.template_name(token, "template clause")?;
                let mut pipe = None;
                if self.next_non_space().kind != ItemKind::RightDelim {
                    self.backup();
                    pipe = Some(Box::new(self.pipeline("template clause", ItemKind::RightDelim)?));
                }
                Node::Template { pos: token.start, name, pipe }
            }
            _ => {
                self.backup();
                Node::Action(Box::new(self.pipeline("command", ItemKind::RightDelim)?))
            }
        };
        Ok(Action::Node(node))
    }

    fn template_name(&mut self, token: Item, context: &str) -> Result<Str> {
        if matches!(token.kind, ItemKind::String | ItemKind::RawString) {
            self.unquoted(token)
        } else {
            self.unexpected(token, context)
        }
    }

    fn block(&mut self) -> Result<Node> {
        let context = "block clause";
        let token = self.next_non_space();
        let name = self.template_name(token, context)?;
        let pipe = self.pipeline(context, ItemKind::RightDelim)?;
        self.enter()?;
        let outer = std::mem::replace(&mut self.tree, Tree::new());
        let (root, end) = self.item_list()?;
        let inner = std::mem::replace(&mut self.tree, outer);
        if let End::Else = end {
            return self.fail([b"unexpected ", end.text(), b" in ", context.as_bytes()].concat());
        }
        // The definition is added by its own tree, whose line a message names.
        let outer = std::mem::replace(&mut self.tree, inner);
        self.add(name.clone(), root)?;
        self.tree = outer;
        self.controls -= 1;
        Ok(Node::Template { pos: token.start, name, pipe: Some(Box::new(pipe)) })
    }

    fn enter(&mut self) -> Result<()> {
        self.controls += 1;
        if self.controls > MAX_CONTROLS || stack::is_low() {
            return self.fail("control structures are nested too deep");
        }
        Ok(())
    }

    fn control(&mut self, control: Control) -> Result<Node> {
        self.enter()?;
        let context = match control {
            Control::If => "if",
            Control::With => "with",
            Control::Range => "range",
        };
        let variables = self.tree.variables.len();
        let pipe = self.pipeline(context, ItemKind::RightDelim)?;
        if control == Control::Range {
            self.tree.range_depth += 1;
        }
        let (list, end) = self.item_list()?;
        if control == Control::Range {
            self.tree.range_depth -= 1;
        }
        let mut otherwise = None;
        if let End::Else = end {
            let next = self.peek().kind;
            let pos = list.pos;
            if control == Control::If && next == ItemKind::If {
                self.next();
                otherwise = Some(List { pos, nodes: Box::new([self.control(Control::If)?]) });
            } else if control == Control::With && next == ItemKind::With {
                self.next();
                otherwise = Some(List { pos, nodes: Box::new([self.control(Control::With)?]) });
            } else {
                let (list, end) = self.item_list()?;
                if let End::Else = end {
                    return self.fail([b"expected end; found ", end.text()].concat());
                }
                otherwise = Some(list);
            }
        }
        self.tree.forget(variables);
        self.controls -= 1;
        let branch = Box::new(Branch { pipe, list, otherwise });
        Ok(match control {
            Control::If => Node::If(branch),
            Control::With => Node::With(branch),
            Control::Range => Node::Range(branch),
        })
    }

    fn pipeline(&mut self, context: &str, end: ItemKind) -> Result<Pipe> {
        let start = self.peek_non_space();
        let mut assign = false;
        let mut declares = Vec::new();
        loop {
            let variable = self.peek_non_space();
            if variable.kind != ItemKind::Variable {
                break;
            }
            self.next();
            let after = self.peek();
            let next = self.peek_non_space();
            let name = self.name(variable);
            match next.kind {
                ItemKind::Assign | ItemKind::Declare => {
                    assign = next.kind == ItemKind::Assign;
                    self.next_non_space();
                    self.tree.declare(name.id);
                    declares.push(name);
                }
                ItemKind::Char if self.lexer_bytes(next) == b"," => {
                    self.next_non_space();
                    self.tree.declare(name.id);
                    declares.push(name);
                    if context == "range" && declares.len() < 2 {
                        let third = self.peek_non_space().kind;
                        if matches!(third, ItemKind::Variable | ItemKind::RightDelim | ItemKind::RightParen) {
                            continue;
                        }
                        return self.fail("range can only initialize variables");
                    }
                    return self.fail(format!("too many declarations in {context}"));
                }
                _ if after.kind == ItemKind::Space => self.backup3(variable, after),
                _ => self.backup2(variable),
            }
            break;
        }
        let mut commands = Vec::new();
        let mut last = start.end;
        loop {
            let token = self.next_non_space();
            match token.kind {
                kind if kind == end => break,
                ItemKind::Bool
                | ItemKind::CharConstant
                | ItemKind::Complex
                | ItemKind::Dot
                | ItemKind::Field
                | ItemKind::Identifier
                | ItemKind::Number
                | ItemKind::Nil
                | ItemKind::RawString
                | ItemKind::String
                | ItemKind::Variable
                | ItemKind::LeftParen => {
                    self.backup();
                    commands.push(self.command()?);
                }
                _ => return self.unexpected(token, context),
            }
            last = self.tree.token[0].start;
        }
        if commands.is_empty() {
            return self.fail(format!("missing value for {context}"));
        }
        for (at, command) in commands.iter().enumerate().skip(1) {
            if let Some(
                Operand::Bool(..)
                | Operand::Dot(_)
                | Operand::Nil(_)
                | Operand::Number { .. }
                | Operand::String { .. },
            ) = command.operands.first()
            {
                return self.fail(format!("non executable command in pipeline stage {}", at + 1));
            }
        }
        Ok(Pipe { pos: start.start, end: last, assign, declares: declares.into(), commands: commands.into() })
    }

    fn command(&mut self) -> Result<Command> {
        let pos = self.peek_non_space().start;
        let mut operands = Vec::with_capacity(3);
        loop {
            self.peek_non_space();
            if let Some(operand) = self.operand()? {
                operands.push(operand);
            }
            let token = self.next();
            match token.kind {
                ItemKind::Space => continue,
                ItemKind::RightDelim | ItemKind::RightParen => self.backup(),
                ItemKind::Pipe => {}
                _ => return self.unexpected(token, "operand"),
            }
            break;
        }
        if operands.is_empty() {
            return self.fail("empty command");
        }
        Ok(Command { pos, operands: operands.into() })
    }

    fn operand(&mut self) -> Result<Option<Operand>> {
        let Some(operand) = self.term()? else { return Ok(None) };
        let first = self.peek();
        if first.kind != ItemKind::Field {
            return Ok(Some(operand));
        }
        let pos = first.start;
        Ok(Some(match operand {
            Operand::Bool(_, b) => return self.after_term(if b { b"true" } else { b"false" }),
            Operand::String { pos, end, .. } => {
                return self.after_term(self.text.get(pos as usize..end as usize).unwrap_or_default());
            }
            Operand::Number { numeral, .. } => return self.after_term(&numeral.text),
            Operand::Nil(_) => return self.after_term(b"nil"),
            Operand::Dot(_) => return self.after_term(b"."),
            inner => Operand::Chain { pos, inner: Box::new(inner), fields: self.fields() },
        }))
    }

    /// The fields that follow at once.
    fn fields(&mut self) -> Box<[Str]> {
        let mut fields = std::mem::take(&mut self.scratch);
        while self.peek().kind == ItemKind::Field {
            let token = self.next();
            fields.push(Str::new(&self.lexer_bytes(token)[1..]));
        }
        let exact = fields.drain(..).collect();
        self.scratch = fields;
        exact
    }

    fn after_term<T>(&self, term: &[u8]) -> Result<T> {
        let mut message = b"unexpected . after term ".to_vec();
        append_quote(&mut message, term, false);
        self.fail(message)
    }

    fn term(&mut self) -> Result<Option<Operand>> {
        let token = self.next_non_space();
        let pos = token.start;
        let bytes = self.lexer_bytes(token);
        Ok(Some(match token.kind {
            ItemKind::Identifier => {
                let function = std::str::from_utf8(bytes).ok().and_then(|name| self.functions.get(name));
                let Some(function) = function else {
                    let mut message = b"function ".to_vec();
                    append_quote(&mut message, bytes, false);
                    message.extend_from_slice(b" not defined");
                    let meant = meant_word(bytes).and_then(|word| did_you_mean(word, self.functions.names()));
                    let start = token.start as usize;
                    let name = WrongName { start, end: start + bytes.len(), meant };
                    return self.fail(message).map_err(|error| ParseError { name: Some(name), ..error });
                };
                Operand::Function { pos, function }
            }
            ItemKind::Dot => Operand::Dot(pos),
            ItemKind::Nil => Operand::Nil(pos),
            ItemKind::Variable => {
                let name = self.name(token);
                if !self.tree.knows(name.id) {
                    let mut message = b"undefined variable ".to_vec();
                    append_quote(&mut message, bytes, false);
                    return self.fail(message);
                }
                // Go puts a chain where its first link is.
                let link = self.peek();
                let pos = if link.kind == ItemKind::Field { link.start } else { pos };
                Operand::Variable { pos, name, fields: self.fields() }
            }
            ItemKind::Field => {
                let link = self.peek();
                let pos = if link.kind == ItemKind::Field { link.start } else { pos };
                self.scratch.push(Str::new(&bytes[1..]));
                Operand::Field { pos, fields: self.fields() }
            }
            ItemKind::Bool => Operand::Bool(pos, bytes == b"true"),
            ItemKind::CharConstant | ItemKind::Complex | ItemKind::Number => {
                let number =
                    if token.kind == ItemKind::CharConstant { character(bytes) } else { number(bytes) };
                match number {
                    Ok(number) => {
                        Operand::Number { pos, numeral: Box::new(Numeral { number, text: Str::new(bytes) }) }
                    }
                    Err(message) => return self.fail(message),
                }
            }
            ItemKind::LeftParen => {
                if self.tree.parentheses >= MAX_PARENTHESES || stack::is_low() {
                    return self.fail("max expression depth exceeded");
                }
                self.tree.parentheses += 1;
                let pipe = self.pipeline("parenthesized pipeline", ItemKind::RightParen)?;
                self.tree.parentheses -= 1;
                Operand::Pipe(Box::new(pipe))
            }
            ItemKind::String | ItemKind::RawString => {
                Operand::String { pos, end: token.end, text: self.unquoted(token)? }
            }
            _ => {
                self.backup();
                return Ok(None);
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::helm::profile::HELM_4_2;

    fn fault(text: &str) -> String {
        let source = Arc::new(Source { name: "t".into(), text: Arc::from(text.as_bytes()) });
        match parse(&source, Registry::of(&HELM_4_2)) {
            Ok(_) => String::new(),
            Err(error) => String::from_utf8_lossy(&error.text(b"t")).into_owned(),
        }
    }

    /// Each text was given to Go 1.26's text/template, whose message stands beside it.
    #[test]
    fn faults_have_gos_words() {
        for (text, want) in [
            ("{{", "template: t:1: unclosed action"),
            ("a\n{{ .x", "template: t:2: unclosed action"),
            ("{{ foo }}", "template: t:1: function \"foo\" not defined"),
            ("{{ $x }}", "template: t:1: undefined variable \"$x\""),
            ("{{ if }}{{ end }}", "template: t:1: missing value for if"),
            ("{{ if . }}", "template: t:1: unexpected EOF"),
            ("{{ end }}", "template: t:1: unexpected {{end}}"),
            ("{{ if . }}{{ else }}{{ else }}{{ end }}", "template: t:1: expected end; found {{else}}"),
            ("{{ . | 1 }}", "template: t:1: non executable command in pipeline stage 2"),
            ("{{ (1 }}", "template: t:1: unclosed left paren"),
            ("{{ 1) }}", "template: t:1: unexpected right paren"),
            ("{{ \"a }}", "template: t:1: unterminated quoted string"),
            ("{{ 08 }}", "template: t:1: integer overflow: \"08\""),
            ("{{ 1.a }}", "template: t:1: bad number syntax: \"1.a\""),
            ("{{ nil.a }}", "template: t:1: unexpected . after term \"nil\""),
            ("{{ break }}", "template: t:1: {{break}} outside {{range}}"),
            ("{{ range $a, $b, $c := . }}{{ end }}", "template: t:1: too many declarations in range"),
            ("{{ $x, $y := . }}", "template: t:1: too many declarations in command"),
            ("{{/* a }}", "template: t:1: unclosed comment"),
            ("{{/* a */ b }}", "template: t:1: comment ends before closing delimiter"),
            ("{{ template }}", "template: t:1: unexpected \"}}\" in template clause"),
            (
                "{{ define \"a\" }}x{{ end }}{{ define \"a\" }}y{{ end }}",
                "template: t:1: template: multiple definition of template \"a\"",
            ),
            ("{{ .a,b }}", "template: t:1: unexpected \",\" in operand"),
            ("{{ print \"a\"\n\n}}{{ if\n. ", "template: t:4: unclosed action started at t:3"),
            ("{{ define \"x\" }}{{ else }}{{ end }}", "template: t:1: unexpected {{else}} in define clause"),
            ("{{ | print }}", "template: t:1: unexpected \"|\" in command"),
            ("{{ print | }}", ""),
            ("{{ \u{1} }}", "template: t:1: unrecognized character in action: U+0001"),
            ("{{ .x.1 }}", "template: t:1: unexpected \".1\" in operand"),
            ("{{ if . }}{{ end", "template: t:1: unclosed action"),
        ] {
            assert_eq!(fault(text), want, "{text}");
        }
    }
}
