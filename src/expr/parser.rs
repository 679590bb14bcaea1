//! The grammar of CEL, by operator precedence.
//!
//! Refuses what an evaluation could not bound or does not know: deep nesting, messages (`T{a: 1}`), unknown
//! functions. Macros are resolved here, functions are looked up here, so a compiled expression holds no name
//! that can fail later except those of data.

use super::ast::{At, Expr, Kind, Literal, Macro, MacroKind, Name, Op, Style};
use super::fault::Fault;
use super::functions::{self, Function};
use super::lexer::{Token, tokens};
use crate::diag::{codes, did_you_mean};
use std::sync::Arc;

/// How deep expressions nest; evaluation uses a few kilobytes of stack for each level.
const MAX_DEPTH: usize = 64;

/// How high the tree gets, members of members included.
const MAX_HEIGHT: usize = 160;

/// How many tokens one expression has.
const MAX_TOKENS: usize = 20_000;

/// Words that CEL keeps for itself: no variable may be called so (members may).
pub(crate) const RESERVED: &[&str] = &[
    "as",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "namespace",
    "null",
    "package",
    "return",
    "true",
    "var",
    "void",
    "while",
];

/// Whose language is parsed.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// That of `${...}`.
    Stack,
    /// That of rules in an API server: its functions alone, optional values, no `omit`.
    Kubernetes,
}

/// Parses `text[start..end]`.
pub(super) fn parse(text: &str, start: usize, end: usize, dialect: Dialect) -> Result<Expr, Fault> {
    let tokens = tokens(text, start, end)?;
    if tokens.len() > MAX_TOKENS {
        return Err(Fault::limit("this expression is too long").at(At::new(start, end)));
    }
    let mut parser = Parser { text, tokens, next: 0, depth: 0, dialect };
    if matches!(parser.peek(), Token::End) {
        let fault = Fault::new(codes::EXPRESSION_SYNTAX, "this expression is empty").at(At::new(start, end));
        return Err(match dialect {
            Dialect::Stack => fault.help("write `$${` for a literal `${`"),
            Dialect::Kubernetes => fault,
        });
    }
    let expr = parser.expression()?;
    match parser.peek() {
        Token::End => {}
        _ => return Err(parser.unexpected("an operator or the end of the expression")),
    }
    if expr.height() > MAX_HEIGHT {
        return Err(
            Fault::limit(format!("this expression nests deeper than {MAX_HEIGHT} levels")).at(expr.at)
        );
    }
    check_omit(&expr, true)?;
    Ok(expr)
}

/// `omit` may only be a result: the whole, a branch of `?:`, the body of `cel.bind`.
fn check_omit(expr: &Expr, result: bool) -> Result<(), Fault> {
    match &expr.kind {
        Kind::Omit if result => Ok(()),
        Kind::Omit => Err(Fault::new(codes::EXPRESSION_OMIT, "`omit` is used as an operand or argument")
            .at(expr.at)
            .label("only the result of an expression can be `omit`")
            .help("let the whole expression decide: `${condition ? value : omit}`")),
        Kind::Conditional(parts) => {
            check_omit(&parts[0], false)?;
            check_omit(&parts[1], result)?;
            check_omit(&parts[2], result)
        }
        Kind::Bind(_, parts) => {
            check_omit(&parts[0], false)?;
            check_omit(&parts[1], result)
        }
        _ => expr.children().into_iter().try_for_each(|child| check_omit(child, false)),
    }
}

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<(Token, At)>,
    next: usize,
    depth: usize,
    dialect: Dialect,
}

impl Parser<'_> {
    fn peek(&self) -> &Token {
        &self.tokens[self.next].0
    }

    fn place(&self) -> At {
        self.tokens[self.next].1
    }

    fn advance(&mut self) -> (Token, At) {
        let token = self.tokens[self.next].clone();
        if self.next + 1 < self.tokens.len() {
            self.next += 1;
        }
        token
    }

    fn is(&self, sign: &str) -> bool {
        matches!(self.peek(), Token::Sign(found) if *found == sign)
    }

    fn eat(&mut self, sign: &str) -> Option<At> {
        self.is(sign).then(|| self.advance().1)
    }

    fn expect(&mut self, sign: &str, opened: Option<At>) -> Result<At, Fault> {
        if let Some(at) = self.eat(sign) {
            return Ok(at);
        }
        match (opened, self.peek()) {
            (Some(opened), Token::End) => {
                let open = &self.text[opened.start as usize..opened.end as usize];
                Err(Fault::new(codes::EXPRESSION_SYNTAX, format!("this `{open}` is not closed"))
                    .at(opened)
                    .label(format!("no `{sign}` follows")))
            }
            _ => Err(self.unexpected(&format!("`{sign}`"))),
        }
    }

    fn unexpected(&self, wanted: &str) -> Fault {
        let at = self.place();
        let found = &self.text[at.start as usize..at.end as usize];
        let fault = match self.peek() {
            Token::End => Fault::new(
                codes::EXPRESSION_SYNTAX,
                format!("the expression ends where {wanted} is expected"),
            ),
            _ => Fault::new(codes::EXPRESSION_SYNTAX, format!("`{found}` stands where {wanted} is expected")),
        };
        let before = self.next.checked_sub(1).and_then(|i| self.tokens.get(i));
        let fault = match (self.peek(), before) {
            (Token::Word(_) | Token::Literal(_), Some((Token::Word(_), _)))
                if matches!(found, "and" | "or" | "not") =>
            {
                fault.help("operators are written `&&`, `||` and `!`")
            }
            _ => fault,
        };
        match (self.peek(), before) {
            (Token::End, Some((_, before))) => fault.at(*before),
            _ => fault.at(at),
        }
    }

    fn enter(&mut self, at: At) -> Result<(), Fault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let fault = Fault::limit(format!("this expression nests deeper than {MAX_DEPTH} levels")).at(at);
            return Err(fault.help("split it: let an export or a chart value hold a part of it"));
        }
        Ok(())
    }

    fn expression(&mut self) -> Result<Expr, Fault> {
        self.enter(self.place())?;
        let condition = self.disjunction()?;
        let expr = if self.eat("?").is_some() {
            let then = self.expression()?;
            self.expect(":", None)?;
            let otherwise = self.expression()?;
            let at = condition.at.to(otherwise.at);
            Expr { at, kind: Kind::Conditional(Box::new([condition, then, otherwise])) }
        } else {
            condition
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn disjunction(&mut self) -> Result<Expr, Fault> {
        let first = self.conjunction()?;
        if !self.is("||") {
            return Ok(first);
        }
        let mut items = vec![first];
        while self.eat("||").is_some() {
            items.push(self.conjunction()?);
        }
        Ok(Expr { at: items[0].at.to(items[items.len() - 1].at), kind: Kind::Or(items) })
    }

    fn conjunction(&mut self) -> Result<Expr, Fault> {
        let first = self.fold(0)?;
        if !self.is("&&") {
            return Ok(first);
        }
        let mut items = vec![first];
        while self.eat("&&").is_some() {
            items.push(self.fold(0)?);
        }
        Ok(Expr { at: items[0].at.to(items[items.len() - 1].at), kind: Kind::And(items) })
    }

    fn operator(&self, rank: usize) -> Option<Op> {
        let word = match self.peek() {
            Token::Sign(sign) => sign,
            Token::Word(word) if word.as_ref() == "in" => "in",
            _ => return None,
        };
        let (found, op) = match word {
            "==" => (0, Op::Equal),
            "!=" => (0, Op::Unequal),
            "<" => (0, Op::Less),
            "<=" => (0, Op::LessEqual),
            ">" => (0, Op::Greater),
            ">=" => (0, Op::GreaterEqual),
            "in" => (0, Op::In),
            "+" => (1, Op::Add),
            "-" => (1, Op::Subtract),
            "*" => (2, Op::Multiply),
            "/" => (2, Op::Divide),
            "%" => (2, Op::Remainder),
            _ => return None,
        };
        (found == rank).then_some(op)
    }

    /// Relations, sums and products: ranks 0, 1 and 2.
    fn fold(&mut self, rank: usize) -> Result<Expr, Fault> {
        let first = if rank == 2 { self.unary()? } else { self.fold(rank + 1)? };
        let mut rest = Vec::new();
        while let Some(op) = self.operator(rank) {
            self.advance();
            rest.push((op, if rank == 2 { self.unary()? } else { self.fold(rank + 1)? }));
        }
        match rest.last() {
            None => Ok(first),
            Some((_, last)) => Ok(Expr { at: first.at.to(last.at), kind: Kind::Fold(Box::new(first), rest) }),
        }
    }

    fn unary(&mut self) -> Result<Expr, Fault> {
        let start = self.place();
        for sign in ["!", "-"] {
            let mut count = 0_usize;
            while self.eat(sign).is_some() {
                count += 1;
            }
            if count == 0 {
                continue;
            }
            if sign == "-" {
                if let (Token::Literal(Literal::Int(i64::MIN)), at) = self.tokens[self.next].clone() {
                    self.advance();
                    if count.is_multiple_of(2) {
                        return Err(Fault::overflow("this integer does not fit 64 bits").at(at));
                    }
                    let literal = Expr { at: start.to(at), kind: Kind::Literal(Literal::Int(i64::MIN)) };
                    return self.members(literal);
                }
                if let (1, Token::Literal(literal)) = (count, self.peek()) {
                    let negative = match literal {
                        Literal::Int(number) => Some(Literal::Int(-number)),
                        Literal::Double(number) => Some(Literal::Double(-number)),
                        _ => None,
                    };
                    if let Some(literal) = negative {
                        let (_, at) = self.advance();
                        return self.members(Expr { at: start.to(at), kind: Kind::Literal(literal) });
                    }
                }
            }
            let operand = self.primary_with_members()?;
            let at = start.to(operand.at);
            // Two cancel each other; here the operand still has to be of the operator's type, for a server it need not.
            if count.is_multiple_of(2) && self.dialect == Dialect::Kubernetes {
                return Ok(Expr { at, kind: operand.kind });
            }
            let wrap = |operand: Expr| match sign {
                "!" => Expr { at, kind: Kind::Not(Box::new(operand)) },
                _ => Expr { at, kind: Kind::Negate(Box::new(operand)) },
            };
            let once = wrap(operand);
            return Ok(if count.is_multiple_of(2) { wrap(once) } else { once });
        }
        self.primary_with_members()
    }

    fn primary_with_members(&mut self) -> Result<Expr, Fault> {
        let start = self.place();
        self.enter(start)?;
        let primary = self.primary()?;
        let expr = self.members(primary)?;
        self.depth -= 1;
        Ok(expr)
    }

    fn members(&mut self, mut operand: Expr) -> Result<Expr, Fault> {
        let mut links = 0;
        loop {
            if self.is(".") || self.is("[") {
                links += 1;
                if links > MAX_DEPTH {
                    return Err(
                        Fault::limit(format!("more than {MAX_DEPTH} members in a row")).at(operand.at)
                    );
                }
            }
            if self.eat(".").is_some() {
                let optional = self.optional()?;
                let name = self.member_name()?;
                operand = if optional == Marked::Optional {
                    let at = operand.at.to(name.at);
                    Expr { at, kind: Kind::OptionalSelect(Box::new(operand), name) }
                } else if let Some(open) = self.eat("(") {
                    self.method(operand, &name, open)?
                } else {
                    let at = operand.at.to(name.at);
                    let kind = Kind::Select(Box::new(operand), name);
                    self.type_name(Expr { at, kind })
                };
            } else if let Some(open) = self.eat("[") {
                let optional = self.optional()?;
                let index = Box::new(self.expression()?);
                let close = self.expect("]", Some(open))?;
                let at = operand.at.to(close);
                let operand_of = Box::new(operand);
                let kind = match optional {
                    Marked::Optional => Kind::OptionalIndex(operand_of, index),
                    Marked::Plain => Kind::Index(operand_of, index),
                };
                operand = Expr { at, kind };
            } else if self.is("{") && matches!(operand.kind, Kind::Ident(_) | Kind::Select(..)) {
                let fault = Fault::new(codes::EXPRESSION_SYNTAX, "messages cannot be made in an expression");
                return Err(fault.at(operand.at.to(self.place())).help("write a map: `{'key': value}`"));
            } else {
                return Ok(operand);
            }
        }
    }

    /// Takes the mark of what is optional, where there is one.
    fn optional(&mut self) -> Result<Marked, Fault> {
        if !self.is("?") {
            return Ok(Marked::Plain);
        }
        if self.dialect == Dialect::Stack {
            return Err(self.no_optionals());
        }
        self.advance();
        Ok(Marked::Optional)
    }

    /// Names of types have dots in them that select nothing.
    fn type_name(&self, expr: Expr) -> Expr {
        let named = if self.dialect == Dialect::Kubernetes { dotted_type(&expr) } else { None };
        match named {
            Some(name) => Expr { at: expr.at, kind: Kind::TypeName(name) },
            None => expr,
        }
    }

    fn no_optionals(&self) -> Fault {
        let fault =
            Fault::new(codes::EXPRESSION_SYNTAX, "optional members are not supported").at(self.place());
        fault.help("guard with `has(a.b)` or `'key' in a`: `${has(a.b) ? a.b : omit}`")
    }

    fn member_name(&mut self) -> Result<Name, Fault> {
        match self.peek().clone() {
            Token::Word(text) | Token::Quoted(text) => {
                let (_, at) = self.advance();
                Ok(Name { text, at })
            }
            _ => Err(self.unexpected("the name of a member")),
        }
    }

    fn primary(&mut self) -> Result<Expr, Fault> {
        let (token, at) = (self.peek().clone(), self.place());
        match token {
            Token::Literal(Literal::Int(i64::MIN)) => {
                Err(Fault::overflow("this integer does not fit 64 bits").at(at))
            }
            Token::Literal(literal) => {
                self.advance();
                Ok(Expr { at, kind: Kind::Literal(literal) })
            }
            Token::Sign("(") => {
                self.advance();
                let inner = self.expression()?;
                let close = self.expect(")", Some(at))?;
                Ok(Expr { at: at.to(close), kind: inner.kind })
            }
            Token::Sign("[") => {
                self.advance();
                let items = self.items("]", at)?;
                Ok(Expr { at: at.to(self.tokens[self.next - 1].1), kind: Kind::List(items) })
            }
            Token::Sign("{") => self.map(at),
            Token::Sign(".") => {
                self.advance();
                self.primary()
            }
            Token::Word(word) => self.word(&word, at),
            _ => Err(self.unexpected("a value")),
        }
    }

    fn word(&mut self, word: &Arc<str>, at: At) -> Result<Expr, Fault> {
        let kind = match word.as_ref() {
            "null" => Some(Kind::Literal(Literal::Null)),
            "true" => Some(Kind::Literal(Literal::Bool(true))),
            "false" => Some(Kind::Literal(Literal::Bool(false))),
            _ => None,
        };
        if let Some(kind) = kind {
            self.advance();
            return Ok(Expr { at, kind });
        }
        if word.as_ref() == "in" {
            return Err(self.unexpected("a value"));
        }
        if RESERVED.contains(&word.as_ref()) {
            let fault = Fault::new(codes::EXPRESSION_SYNTAX, format!("`{word}` is a reserved word of CEL"));
            return Err(fault.at(at).help("it can be the name of a member, but not of a variable"));
        }
        self.advance();
        let Some(open) = self.eat("(") else {
            let omits = word.as_ref() == "omit" && self.dialect == Dialect::Stack;
            let kind = if omits { Kind::Omit } else { Kind::Ident(Arc::clone(word)) };
            return Ok(Expr { at, kind });
        };
        let name = Name { text: Arc::clone(word), at };
        let arguments = self.items(")", open)?;
        let whole = at.to(self.tokens[self.next - 1].1);
        if word.as_ref() == "has" {
            return has(arguments, whole, self.dialect);
        }
        let function = functions::find(word, self.dialect);
        match function {
            Some(function) if function.global => call(function, &name, arguments, whole, Style::Free),
            _ => Err(unknown_function(&name, false, self.dialect)),
        }
    }

    fn items(&mut self, close: &'static str, open: At) -> Result<Vec<Expr>, Fault> {
        let mut items = Vec::new();
        while !self.is(close) {
            let optional = if close == "]" { self.optional()? } else { Marked::Plain };
            items.push(optional.around(self.expression()?));
            if self.eat(",").is_none() {
                break;
            }
        }
        self.expect(close, Some(open))?;
        Ok(items)
    }

    fn map(&mut self, open: At) -> Result<Expr, Fault> {
        self.advance();
        let mut entries = Vec::new();
        while !self.is("}") {
            let optional = self.optional()?;
            let key = self.expression()?;
            self.expect(":", None)?;
            entries.push((key, optional.around(self.expression()?)));
            if self.eat(",").is_none() {
                break;
            }
        }
        let close = self.expect("}", Some(open))?;
        Ok(Expr { at: open.to(close), kind: Kind::Map(entries) })
    }

    fn method(&mut self, target: Expr, name: &Name, open: At) -> Result<Expr, Fault> {
        let mut arguments = self.items(")", open)?;
        let whole = target.at.to(self.tokens[self.next - 1].1);
        if let Kind::Ident(space) = &target.kind {
            if space.as_ref() == "cel" && name.text.as_ref() == "bind" && self.dialect == Dialect::Stack {
                return bind(arguments, name, whole);
            }
            if let Some(function) = functions::find_in(space, &name.text, self.dialect) {
                return call(function, name, arguments, whole, Style::Free);
            }
            if functions::is_namespace(space)
                && functions::find(&name.text, self.dialect).is_none_or(|f| !f.member)
            {
                return Err(unknown_in_namespace(space, name, self.dialect));
            }
        }
        if let Some(kind) = macro_kind(&name.text, arguments.len(), self.dialect) {
            return comprehension(kind, target, arguments, name, whole);
        }
        match functions::find(&name.text, self.dialect) {
            Some(function) if function.member => {
                arguments.insert(0, target);
                call(function, name, arguments, whole, Style::Member)
            }
            _ => Err(unknown_function(name, true, self.dialect)),
        }
    }
}

/// Whether a question mark stood there.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Marked {
    Plain,
    Optional,
}

impl Marked {
    fn around(self, expr: Expr) -> Expr {
        match self {
            Self::Plain => expr,
            Self::Optional => Expr { at: expr.at, kind: Kind::Optional(Box::new(expr)) },
        }
    }
}

/// The type that names with dots between them are the name of.
fn dotted_type(expr: &Expr) -> Option<&'static str> {
    const TYPES: &[&str] = &[
        "google.protobuf.Timestamp",
        "google.protobuf.Duration",
        "net.IP",
        "net.CIDR",
        "kubernetes.URL",
        "kubernetes.Quantity",
        "kubernetes.Semver",
        "kubernetes.NamedFormat",
    ];
    fn is(expr: &Expr, name: &str) -> bool {
        match &expr.kind {
            Kind::Ident(known) => known.as_ref() == name,
            Kind::Select(operand, last) => name
                .rsplit_once('.')
                .is_some_and(|(rest, word)| word == last.text.as_ref() && is(operand, rest)),
            _ => false,
        }
    }
    TYPES.iter().find(|name| is(expr, name)).copied()
}

fn has(arguments: Vec<Expr>, whole: At, dialect: Dialect) -> Result<Expr, Fault> {
    let wrong = |at| {
        let fault =
            Fault::new(codes::EXPRESSION_SYNTAX, "`has()` takes one member, such as `has(inputs.host)`");
        fault.at(at).help("for a key that is no name, write `'the-key' in inputs.map`")
    };
    let mut arguments = arguments.into_iter();
    match (arguments.next(), arguments.next()) {
        (Some(Expr { kind: Kind::Select(operand, name), .. }), None) => {
            Ok(Expr { at: whole, kind: Kind::Has(operand, name) })
        }
        // beyond the standard, so that hyphenated names can be asked for: `has(a['b-c'])`
        (Some(Expr { kind: Kind::Index(operand, index), at }), None) if dialect == Dialect::Stack => {
            match index.kind {
                Kind::Literal(Literal::String(text)) => {
                    Ok(Expr { at: whole, kind: Kind::Has(operand, Name { text, at: index.at }) })
                }
                _ => Err(wrong(at)),
            }
        }
        (Some(other), None) => Err(wrong(other.at)),
        _ => Err(wrong(whole)),
    }
}

fn variable(argument: &Expr) -> Result<Name, Fault> {
    match &argument.kind {
        Kind::Ident(text) => Ok(Name { text: Arc::clone(text), at: argument.at }),
        _ => {
            Err(Fault::new(codes::EXPRESSION_SYNTAX, "the name of a variable is expected here")
                .at(argument.at))
        }
    }
}

fn bind(arguments: Vec<Expr>, name: &Name, whole: At) -> Result<Expr, Fault> {
    match <[Expr; 3]>::try_from(arguments) {
        Ok([variable_name, value, body]) => {
            let variable = variable(&variable_name)?;
            Ok(Expr { at: whole, kind: Kind::Bind(variable, Box::new([value, body])) })
        }
        Err(_) => Err(Fault::new(
            codes::EXPRESSION_SYNTAX,
            "`cel.bind` takes a variable, its value and an expression",
        )
        .at(name.at)),
    }
}

fn macro_kind(name: &str, arguments: usize, dialect: Dialect) -> Option<MacroKind> {
    Some(match (name, arguments) {
        ("optMap", 2) if dialect == Dialect::Kubernetes => MacroKind::OptionalMap,
        ("optFlatMap", 2) if dialect == Dialect::Kubernetes => MacroKind::OptionalFlatMap,
        ("all", 2 | 3) => MacroKind::All,
        ("exists", 2 | 3) => MacroKind::Exists,
        ("exists_one" | "existsOne", 2 | 3) => MacroKind::ExistsOne,
        ("filter", 2) => MacroKind::Filter,
        ("map", 2 | 3) => MacroKind::Map,
        ("sortBy", 2) => MacroKind::SortBy,
        ("transformList", 3 | 4) => MacroKind::TransformList,
        ("transformMap", 3 | 4) => MacroKind::TransformMap,
        ("transformMapEntry", 3 | 4) => MacroKind::TransformMapEntry,
        _ => return None,
    })
}

fn comprehension(
    kind: MacroKind,
    range: Expr,
    arguments: Vec<Expr>,
    name: &Name,
    whole: At,
) -> Result<Expr, Fault> {
    let count = arguments.len();
    let (two, filtered) = match kind {
        MacroKind::All | MacroKind::Exists | MacroKind::ExistsOne => (count == 3, false),
        MacroKind::Map => (false, count == 3),
        MacroKind::Filter | MacroKind::SortBy | MacroKind::OptionalMap | MacroKind::OptionalFlatMap => {
            (false, false)
        }
        MacroKind::TransformList | MacroKind::TransformMap | MacroKind::TransformMapEntry => {
            (true, count == 4)
        }
    };
    let mut arguments = arguments.into_iter();
    let mut next = || {
        let missing = Fault::new(codes::EXPRESSION_SYNTAX, format!("`{}` lacks an argument", name.text));
        arguments.next().ok_or(missing.at(name.at))
    };
    let first = variable(&next()?)?;
    let second = if two { Some(variable(&next()?)?) } else { None };
    let filter = if filtered { Some(next()?) } else { None };
    let body = next()?;
    if second.as_ref().is_some_and(|second| second.text == first.text) {
        return Err(Fault::new(codes::EXPRESSION_SYNTAX, "the two variables have the same name").at(first.at));
    }
    let parts = Macro { kind, range, first, second, filter, body };
    Ok(Expr { at: whole, kind: Kind::Macro(Box::new(parts)) })
}

fn call(
    function: &'static Function,
    name: &Name,
    arguments: Vec<Expr>,
    whole: At,
    style: Style,
) -> Result<Expr, Fault> {
    let count = arguments.len();
    if count < function.min || count > function.max {
        let own = usize::from(style == Style::Member);
        let (min, max) = (function.min.saturating_sub(own), function.max.saturating_sub(own));
        let wanted = match (min, max) {
            (0, 0) => "no arguments".to_owned(),
            (1, 1) => "one argument".to_owned(),
            (min, max) if min == max => format!("{min} arguments"),
            (min, usize::MAX) => format!("at least {min}"),
            (min, max) => format!("{min} to {max} arguments"),
        };
        let given = count.saturating_sub(own);
        let fault = Fault::new(
            codes::EXPRESSION_FUNCTION,
            format!("`{}` takes {wanted}, not {given}", function.name),
        );
        return Err(fault.at(name.at).help(format!("it is called so: `{}`", function.usage)));
    }
    Ok(Expr { at: whole, kind: Kind::Call(function, style, arguments) })
}

const MACROS: &[&str] = &[
    "all",
    "exists",
    "exists_one",
    "filter",
    "map",
    "sortBy",
    "transformList",
    "transformMap",
    "transformMapEntry",
];

fn unknown_function(name: &Name, member: bool, dialect: Dialect) -> Fault {
    let text = name.text.as_ref();
    if let Some(function) = functions::find(text, dialect) {
        return Fault::new(codes::EXPRESSION_FUNCTION, format!("`{text}` is not called like this"))
            .at(name.at)
            .help(format!("it is called so: `{}`", function.usage));
    }
    if MACROS.contains(&text) {
        return Fault::new(codes::EXPRESSION_FUNCTION, format!("`{text}` is not called like this"))
            .at(name.at)
            .help(format!("it is called so: `{}`", macro_usage(text)));
    }
    let fault = Fault::new(codes::EXPRESSION_FUNCTION, format!("there is no function `{text}`")).at(name.at);
    let names = functions::all(dialect);
    let names = names.filter(|f| f.space.is_empty() && (if member { f.member } else { f.global }));
    let candidates: Vec<&str> =
        names.map(|f| f.name).chain(if member { MACROS } else { &["has"] }.iter().copied()).collect();
    if dialect == Dialect::Kubernetes {
        return match did_you_mean(text, candidates) {
            Some(near) => fault.help(format!("did you mean `{near}`?")),
            None => fault,
        };
    }
    let replacement = match text {
        "default" | "or" | "coalesce" => {
            Some("write `has(a.b) ? a.b : other`, or give the input a default in its schema")
        }
        "len" | "length" | "count" => Some("write `size(x)`"),
        "lower" | "toLower" => Some("write `x.lowerAscii()`"),
        "upper" | "toUpper" => Some("write `x.upperAscii()`"),
        "b64enc" => Some("write `base64.encode(bytes(x))`"),
        "toYaml" | "toJson" => Some("write `yaml(x)` or `json(x)`"),
        "keys" => Some("write `m.map(k, k)`: a comprehension over a map runs over its keys"),
        "values" => Some("write `m.map(k, m[k])`, or `m.transformList(k, v, v)`"),
        "range" => Some("write `lists.range(n)`"),
        "ceil" | "floor" | "abs" | "round" | "least" | "greatest" => Some("write `math.NAME(x)`"),
        _ => None,
    };
    if let Some(replacement) = replacement {
        return fault.help(replacement.replace("NAME", text));
    }
    match did_you_mean(text, candidates) {
        Some(near) => fault.help(format!("did you mean `{near}`?")),
        None => fault.help(
            "the functions are those of CEL in Kubernetes; docs/decisions/expressions.md says what differs",
        ),
    }
}

fn macro_usage(name: &str) -> &'static str {
    match name {
        "all" => "list.all(x, condition)",
        "exists" => "list.exists(x, condition)",
        "exists_one" => "list.exists_one(x, condition)",
        "filter" => "list.filter(x, condition)",
        "map" => "list.map(x, result)",
        "sortBy" => "list.sortBy(x, key)",
        "transformList" => "map.transformList(k, v, result)",
        "transformMap" => "map.transformMap(k, v, result)",
        _ => "map.transformMapEntry(k, v, {key: value})",
    }
}

fn unknown_in_namespace(space: &str, name: &Name, dialect: Dialect) -> Fault {
    let fault =
        Fault::new(codes::EXPRESSION_FUNCTION, format!("there is no function `{space}.{}`", name.text));
    let known: Vec<&str> = functions::all(dialect).filter(|f| f.space == space).map(|f| f.name).collect();
    let near = did_you_mean(&name.text, known.iter().copied());
    let fault = fault.at(name.at);
    match near {
        Some(near) => fault.help(format!("did you mean `{space}.{near}`?")),
        None => fault.help(format!("`{space}` has {}", known.join(", "))),
    }
}
