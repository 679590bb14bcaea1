//! Scalars with `${...}` in them.
//!
//! A scalar that is exactly one `${...}` becomes that value with its type; in longer text the results are
//! inserted as text; `$${` is a literal `${`. Parsed once, evaluated for every overlay.

use super::ast::{At, Expr, Kind, Literal};
use super::data::{Val, double_text};
use super::fault::Fault;
use super::functions::Tools;
use super::lexer::end_of_expression;
use super::machine::{Item, Machine, What};
use super::parser::{self, Dialect};
use super::places::Places;
use super::quotes;
use super::result::{spot_to_node, to_node};
use super::scope::Scope;
use crate::diag::{Diagnostic, codes};
use crate::source::{Sources, Span};
use crate::value::{Node, Origin, OriginKind, Path, Segment, Value};
use std::sync::Arc;

/// A scalar's text, cut into literal parts and expressions.
#[derive(Clone, Debug)]
pub struct Template {
    parts: Vec<Part>,
    places: Places,
    origin: Origin,
}

#[derive(Clone, Debug)]
enum Part {
    Text(Arc<str>),
    /// The range includes `${` and `}`.
    Expression(At, Arc<Expr>),
}

/// A path that an expression reads, as far as it is written out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreePath {
    /// `inputs.issuers`, its root first.
    pub path: Path,
    /// Where it is written.
    pub span: Option<Span>,
    /// Whether it is only asked for, by `has()`.
    pub asked: bool,
}

/// What a scalar evaluates to.
pub(super) struct Outcome {
    /// `None` for `omit`.
    pub(super) node: Option<Node>,
    /// Where it stands, if the template is one plain path.
    pub(super) path: Option<Path>,
}

impl Template {
    /// Whether a text has expressions or escapes in it.
    pub fn is_needed(text: &str) -> bool {
        text.contains("${")
    }

    /// Parses the text of a scalar node; `sources` holds the document, to find the places of parts in it.
    pub fn parse(node: &Node, sources: &Sources) -> Result<Self, Vec<Diagnostic>> {
        let text = node.as_str().unwrap_or("");
        Self::parse_text(text, &node.origin, sources)
    }

    /// Parses a text that stands at `origin`: a scalar, or the key of a map.
    pub fn parse_text(text: &str, origin: &Origin, sources: &Sources) -> Result<Self, Vec<Diagnostic>> {
        let places = Places::new(text, origin.span(), sources);
        let mut parts = Vec::new();
        let mut faults = Vec::new();
        let mut literal = String::new();
        let mut at = 0;
        while let Some(found) = text[at..].find("${") {
            let dollar = at + found;
            if found > 0 && text.as_bytes()[dollar - 1] == b'$' {
                literal.push_str(&text[at..dollar - 1]);
                literal.push_str("${");
                at = dollar + 2;
                continue;
            }
            literal.push_str(&text[at..dollar]);
            let start = dollar + 2;
            let Some(end) = end_of_expression(text, start) else {
                let fault = Fault::new(codes::EXPRESSION_SYNTAX, "this expression is not closed")
                    .at(At::new(dollar, text.len()))
                    .help("close it with `}`, or write `$${` for a literal `${`");
                let cut = quotes::cut_apart(text, origin.span(), sources);
                faults.extend(cut.or_else(|| fault.into_diagnostic(|at| places.locate(at))));
                return Err(faults);
            };
            match parser::parse(text, start, end, Dialect::Stack) {
                Ok(expr) => {
                    if !literal.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut literal).into()));
                    }
                    parts.push(Part::Expression(At::new(dollar, end + 1), Arc::new(expr)));
                }
                Err(fault) => faults.extend(fault.into_diagnostic(|at| places.locate(at))),
            }
            at = end + 1;
        }
        literal.push_str(&text[at..]);
        if !literal.is_empty() || parts.is_empty() {
            parts.push(Part::Text(literal.into()));
        }
        if faults.is_empty() { Ok(Self { parts, places, origin: origin.clone() }) } else { Err(faults) }
    }

    /// The text, where the scalar holds no expression.
    pub fn literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Where the scalar stands.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Evaluates it; `None` for `omit`. An empty list of findings means that they were told before.
    pub fn evaluate(&self, scope: &dyn Scope) -> Result<Option<Node>, Vec<Diagnostic>> {
        self.outcome(scope).map(|outcome| outcome.node)
    }

    pub(super) fn outcome(&self, scope: &dyn Scope) -> Result<Outcome, Vec<Diagnostic>> {
        if let [Part::Expression(at, expr)] = self.parts.as_slice() {
            return self.whole(*at, expr, scope).map_err(|fault| self.findings(fault));
        }
        if let Some(text) = self.literal() {
            return Ok(Outcome { node: Some(Node::new(text, self.origin.clone())), path: None });
        }
        self.interpolate(scope).map(|node| Outcome { node: Some(node), path: None })
    }

    fn findings(&self, fault: Fault) -> Vec<Diagnostic> {
        fault.into_diagnostic(|at| self.places.locate(at)).into_iter().collect()
    }

    /// A scalar that is one expression.
    fn whole(&self, at: At, expr: &Expr, scope: &dyn Scope) -> Result<Outcome, Fault> {
        let mut machine = Machine::new(scope, Tools::new(Dialect::Stack));
        if expr.is_plain_path()
            && let Item::Spot(spot) = machine.item(expr)?
        {
            let mut node = spot_to_node(&mut machine, &spot).map_err(|fault| fault.at(expr.at))?;
            if matches!(spot.what, What::Lazy(_)) {
                node.origin = self.made(at, machine);
            }
            return Ok(Outcome { node: Some(node), path: Some(spot.path) });
        }
        let val = machine.eval(expr)?;
        if matches!(val, Val::Omit) {
            return Ok(Outcome { node: None, path: None });
        }
        let mut budget = std::mem::take(&mut machine.tools.budget);
        let origin = self.made(at, machine);
        let node = to_node(&val, &origin, &mut budget).map_err(|fault| fault.at(expr.at))?;
        Ok(Outcome { node: Some(node), path: None })
    }

    /// The origin of what an expression made.
    fn made(&self, at: At, machine: Machine<'_>) -> Origin {
        match self.places.locate(Some(at)) {
            Some(at) => Origin::link(OriginKind::Expression { at, reads: machine.reads() }),
            None => Origin::Compiler,
        }
    }

    fn interpolate(&self, scope: &dyn Scope) -> Result<Node, Vec<Diagnostic>> {
        let mut machine = Machine::new(scope, Tools::new(Dialect::Stack));
        let mut out = String::new();
        let mut findings = Vec::new();
        let mut failed = false;
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Expression(_, expr) => match inserted(&mut machine, expr) {
                    Ok(text) => out.push_str(&text),
                    Err(fault) => {
                        failed = true;
                        findings.extend(self.findings(fault));
                    }
                },
            }
        }
        if failed {
            return Err(findings);
        }
        let span = self.origin.span().or_else(|| self.places.locate(None));
        let origin = match span {
            Some(at) => Origin::link(OriginKind::Expression { at, reads: machine.reads() }),
            None => Origin::Compiler,
        };
        Ok(Node::new(out, origin))
    }

    /// The paths that its expressions read, without variables of their own.
    pub fn reads(&self) -> Vec<FreePath> {
        let mut found = Vec::new();
        for part in &self.parts {
            if let Part::Expression(_, expr) = part {
                free_paths(expr, &mut Vec::new(), &mut |path, at, asked| {
                    found.push(FreePath { path, span: self.places.locate(Some(at)), asked });
                });
            }
        }
        found
    }
}

/// The text that a result becomes inside longer text.
fn inserted(machine: &mut Machine<'_>, expr: &Expr) -> Result<Arc<str>, Fault> {
    let val = machine.eval(expr)?;
    let refuse = |fault: Fault| Err(fault.at(expr.at));
    match &val {
        Val::String(text) => Ok(Arc::clone(text)),
        Val::Int(number) => Ok(number.to_string().into()),
        Val::Uint(number) => Ok(number.to_string().into()),
        Val::Bool(truth) => Ok(truth.to_string().into()),
        Val::Double(number) if number.is_finite() => Ok(double_text(*number).into()),
        Val::Omit => refuse(
            Fault::new(codes::EXPRESSION_OMIT, "`omit` cannot be inserted into text")
                .help("only a scalar that is exactly one `${...}` can be left out; insert '' for no text"),
        ),
        Val::List(_) | Val::Map(_) => refuse(
            Fault::of_type(format!("{} cannot be inserted into text", val.noun()))
                .help("write `yaml(...)` or `json(...)` for text that holds data, or `join(',')` for a list of strings"),
        ),
        Val::Null => refuse(
            Fault::of_type("null cannot be inserted into text").help("decide what to write: `x == null ? '' : string(x)`"),
        ),
        _ => refuse(
            Fault::of_type(format!("{} cannot be inserted into text", val.noun())).help("write `string(...)` around it"),
        ),
    }
}

/// Calls `found` for every path that starts at a free name.
fn free_paths(expr: &Expr, bound: &mut Vec<Arc<str>>, found: &mut dyn FnMut(Path, At, bool)) {
    if let Some((path, rest)) = static_path(expr) {
        let root = &path.segments()[0];
        let own = matches!(root, Segment::Key(name) if bound.contains(name));
        let constant = path.segments().len() == 1
            && matches!(root, Segment::Key(name) if super::operators::type_constant(name).is_some());
        if !own && !constant {
            found(path, expr.at, false);
        }
        for index in rest {
            free_paths(index, bound, found);
        }
        return;
    }
    match &expr.kind {
        Kind::Has(operand, name) => {
            if let Some((path, rest)) = static_path(operand)
                && rest.is_empty()
            {
                let own = matches!(&path.segments()[0], Segment::Key(name) if bound.contains(name));
                if !own {
                    found(path.key(&name.text), expr.at, true);
                }
            } else {
                free_paths(operand, bound, found);
            }
        }
        Kind::Macro(parts) => {
            free_paths(&parts.range, bound, found);
            let depth = bound.len();
            bound.push(Arc::clone(&parts.first.text));
            bound.extend(parts.second.iter().map(|name| Arc::clone(&name.text)));
            for inner in parts.filter.iter().chain([&parts.body]) {
                free_paths(inner, bound, found);
            }
            bound.truncate(depth);
        }
        Kind::Bind(name, parts) => {
            free_paths(&parts[0], bound, found);
            bound.push(Arc::clone(&name.text));
            free_paths(&parts[1], bound, found);
            bound.pop();
        }
        _ => {
            for child in expr.children() {
                free_paths(child, bound, found);
            }
        }
    }
}

/// The constant start of a path, and the computed indices along the way.
fn static_path(expr: &Expr) -> Option<(Path, Vec<&Expr>)> {
    let mut steps = Vec::new();
    let mut rest = Vec::new();
    let mut at = expr;
    let root = loop {
        match &at.kind {
            Kind::Ident(name) => break name,
            Kind::Select(operand, name) => {
                steps.push(Some(Segment::Key(Arc::clone(&name.text))));
                at = operand;
            }
            Kind::Index(operand, index) => {
                steps.push(match &index.kind {
                    Kind::Literal(Literal::String(text)) => Some(Segment::Key(Arc::clone(text))),
                    Kind::Literal(Literal::Int(number)) => usize::try_from(*number).ok().map(Segment::Index),
                    _ => {
                        rest.push(index.as_ref());
                        None
                    }
                });
                at = operand;
            }
            _ => return None,
        }
    };
    let mut path = Path::of(&[root]);
    for step in steps.into_iter().rev() {
        match step {
            Some(segment) => path.push(segment),
            None => break,
        }
    }
    Some((path, rest))
}

/// A truth out of a node, for `when`.
pub(super) fn truth_of(node: &Node, place: Option<Span>) -> Result<bool, Vec<Diagnostic>> {
    match node.value {
        Value::Bool(truth) => Ok(truth),
        ref other => {
            let message = format!("the condition is {}, not a boolean", article(other));
            let fault = Diagnostic::error(codes::EXPRESSION_TYPE, message).at(place, "");
            let fault = match node.origin.editable() {
                Some(span) if Some(span) != place => fault.related(Some(span), "the value"),
                _ => fault,
            };
            Err(vec![match other {
                Value::String(text) if text.contains("${") || text.contains("==") => {
                    fault.help("an expression is written `${...}`")
                }
                _ => fault.help("compare it: `x != ''`, `size(x) > 0`, `has(a.b)`"),
            }])
        }
    }
}

/// What users call a value, with an article.
pub(super) fn article(value: &Value) -> String {
    match value.kind() {
        "null" => "null".to_owned(),
        "integer" => "an integer".to_owned(),
        kind => format!("a {kind}"),
    }
}
