//! Evaluation of one expression.
//!
//! Errors are values here: `&&`, `||`, `all` and `exists` absorb one when the other side decides. Everything is
//! paid for from one budget, so that no expression runs away.

use super::ast::{At, Expr, Kind, Literal, Name};
use super::data::{Budget, Key, List, Val, equal};
use super::fault::Fault;
use super::functions::Tools;
use super::operators;
use super::parser::Dialect;
use super::scope::{Found, Given, Lazy, Scope};
use crate::diag::{codes, did_you_mean};
use crate::value::{Node, Origin, Path, Read, Value};
use indexmap::IndexMap;
use std::sync::Arc;

/// One evaluation: its scope, local variables, what it read and what it may still use.
pub(super) struct Machine<'a> {
    scope: &'a dyn Scope,
    pub(super) locals: Vec<(Arc<str>, Val<'a>)>,
    reads: IndexMap<Path, Origin>,
    pub(super) tools: Tools,
}

/// Something at a path under a root name.
pub(super) struct Spot<'a> {
    pub(super) what: What<'a>,
    pub(super) path: Path,
}

/// What stands at a path.
pub(super) enum What<'a> {
    Node(&'a Node),
    Lazy(&'a dyn Lazy),
}

/// A value, or a place whose value is not taken yet.
pub(super) enum Item<'a> {
    Val(Val<'a>),
    Spot(Spot<'a>),
}

impl<'a> Machine<'a> {
    pub(super) fn new(scope: &'a dyn Scope, tools: Tools) -> Self {
        Self { scope, locals: Vec::new(), reads: IndexMap::new(), tools }
    }

    /// Every path read so far, each once, in order of reading.
    pub(super) fn reads(self) -> Vec<Read> {
        self.reads.into_iter().map(|(path, origin)| Read { path, origin }).collect()
    }

    /// The value of an expression.
    pub(super) fn eval(&mut self, expr: &Expr) -> Result<Val<'a>, Fault> {
        self.tools.budget.spend(1).map_err(|fault| fault.at(expr.at))?;
        match self.item(expr)? {
            Item::Val(val) => Ok(val),
            Item::Spot(spot) => self.take(&spot).map_err(|fault| fault.at(expr.at)),
        }
    }

    /// The place that a path names, or the value of anything else.
    pub(super) fn item(&mut self, expr: &Expr) -> Result<Item<'a>, Fault> {
        match &expr.kind {
            Kind::Ident(name) => self.ident(name, expr.at),
            Kind::Select(operand, name) => {
                let item = self.item(operand)?;
                self.member(operand, item, name)
            }
            Kind::Index(operand, index) => {
                let item = self.item(operand)?;
                let key = self.eval(index)?;
                self.index(operand, item, index.at, &key)
            }
            _ => self.compute(expr).map(Item::Val).map_err(|fault| fault.at(expr.at)),
        }
    }

    /// Takes the value at a place and notes the reading.
    pub(super) fn take(&mut self, spot: &Spot<'a>) -> Result<Val<'a>, Fault> {
        match spot.what {
            What::Node(node) => {
                self.note(&spot.path, &node.origin);
                Val::of(node)
            }
            What::Lazy(lazy) => {
                self.note(&spot.path, &Origin::Compiler);
                let mut members = IndexMap::new();
                for key in lazy.keys() {
                    self.tools.budget.spend(1)?;
                    let found = lazy.member(&key);
                    if matches!(found, Found::Absent) {
                        continue;
                    }
                    let path = spot.path.key(&key);
                    let inner = found_at(found, path, &|| unknown(&key, &[]))?;
                    members.insert(Key::String(key), self.take(&inner)?);
                }
                Ok(Val::map(members))
            }
        }
    }

    pub(super) fn note(&mut self, path: &Path, origin: &Origin) {
        if !self.reads.contains_key(path) {
            self.reads.insert(path.clone(), origin.clone());
        }
    }

    fn ident(&mut self, name: &Arc<str>, at: At) -> Result<Item<'a>, Fault> {
        if let Some((_, val)) = self.locals.iter().rev().find(|(known, _)| known == name) {
            return Ok(Item::Val(val.clone()));
        }
        let scope = self.scope;
        match scope.given(name) {
            Some(Given::Data(node, declared)) => return Val::declared(node, declared).map(Item::Val),
            Some(Given::Nothing) => return Ok(Item::Val(Val::optional(None))),
            None => {}
        }
        let found = scope.variable(name);
        if matches!(found, Found::Absent)
            && let Some(kind) = operators::type_constant(name)
        {
            return Ok(Item::Val(Val::Type(kind)));
        }
        let absent = || {
            let known: Vec<Arc<str>> = scope
                .names()
                .into_iter()
                .chain(self.locals.iter().map(|(name, _)| Arc::clone(name)))
                .collect();
            unknown(name, &known)
        };
        found_at(found, Path::of(&[name]), &absent).map(Item::Spot).map_err(|fault| fault.at(at))
    }

    fn member(&mut self, operand: &Expr, item: Item<'a>, name: &Name) -> Result<Item<'a>, Fault> {
        self.step(operand, item, name.at, &Key::String(Arc::clone(&name.text)), true)
    }

    fn index(&mut self, operand: &Expr, item: Item<'a>, at: At, key: &Val<'a>) -> Result<Item<'a>, Fault> {
        let key = Key::of(key)
            .ok_or_else(|| Fault::of_type(format!("{} cannot be an index or a key", key.noun())).at(at))?;
        self.step(operand, item, at, &key, false)
    }

    /// One step into a map or a list.
    fn step(
        &mut self,
        operand: &Expr,
        item: Item<'a>,
        at: At,
        key: &Key,
        dotted: bool,
    ) -> Result<Item<'a>, Fault> {
        match item {
            Item::Spot(Spot { what: What::Lazy(lazy), path }) => {
                let Key::String(text) = key else {
                    return Err(Fault::of_type(format!("the keys of `{path}` are strings")).at(at));
                };
                let inner = path.key(text);
                let absent = || {
                    let fault = missing(&path.to_string(), text, &lazy.keys());
                    match lazy.absent(text) {
                        Some(reason) => fault.note(reason),
                        None => fault,
                    }
                };
                let spot = found_at(lazy.member(text), inner, &absent);
                spot.map(Item::Spot).map_err(|fault| fault.at(at))
            }
            Item::Spot(Spot { what: What::Node(node), path }) => match (&node.value, key) {
                (Value::Map(map), Key::String(text)) => {
                    if let Some(entry) = map.get(text.as_ref()) {
                        return Ok(Item::Spot(Spot { what: What::Node(&entry.node), path: path.key(text) }));
                    }
                    let keys: Vec<Arc<str>> = map.keys().cloned().collect();
                    Err(missing(&path.to_string(), text, &keys).at(at).related(node.span(), "the map"))
                }
                (Value::List(items), Key::Int(_) | Key::Uint(_)) => {
                    let index = key.number().unwrap_or(-1);
                    let found = usize::try_from(index).ok().and_then(|i| items.get(i).map(|node| (i, node)));
                    match found {
                        Some((i, item)) => {
                            Ok(Item::Spot(Spot { what: What::Node(item), path: path.index(i) }))
                        }
                        None => Err(beyond(&path.to_string(), index, items.len())
                            .at(at)
                            .related(node.span(), "the list")),
                    }
                }
                _ => {
                    self.note(&path, &node.origin);
                    let val = Val::of(node).map_err(|fault| fault.at(operand.at))?;
                    let label = format!("`{path}` is {}", val.noun());
                    let fault = no_members(&path.to_string(), &val, key, dotted);
                    Err(fault.at(at).related(node.span(), label))
                }
            },
            // What is selected from what may be absent may be absent.
            Item::Val(Val::Optional(inner)) => {
                let found = match inner.as_deref() {
                    Some(inner) => member_if_there(inner, key)?,
                    None => None,
                };
                Ok(Item::Val(Val::optional(found)))
            }
            Item::Val(val) => {
                let name = "this value";
                match (&val, key) {
                    (Val::Map(map), key) => {
                        if let Some(found) = map.get(key) {
                            return found.map(Item::Val).map_err(|fault| fault.at(at));
                        }
                        let keys: Vec<Arc<str>> = map.keys().iter().map(key_text).collect();
                        Err(missing(name, &key_text(key), &keys).at(at))
                    }
                    (Val::List(items), Key::Int(_) | Key::Uint(_)) => {
                        let index = key.number().unwrap_or(-1);
                        match usize::try_from(index).ok().and_then(|index| items.item(index)) {
                            Some(found) => found.map(Item::Val).map_err(|fault| fault.at(at)),
                            None => Err(beyond(name, index, items.len()).at(at)),
                        }
                    }
                    _ => Err(no_members(name, &val, key, dotted).at(at)),
                }
            }
        }
    }

    fn compute(&mut self, expr: &Expr) -> Result<Val<'a>, Fault> {
        match &expr.kind {
            Kind::Literal(literal) => Ok(constant(literal)),
            Kind::Omit => Ok(Val::Omit),
            Kind::TypeName(name) => Ok(Val::Type(name)),
            Kind::Ident(_) | Kind::Select(..) | Kind::Index(..) => self.eval(expr),
            Kind::OptionalSelect(operand, name) => {
                let operand = self.eval(operand)?;
                member_if_there(&operand, &Key::String(Arc::clone(&name.text))).map(Val::optional)
            }
            Kind::OptionalIndex(operand, index) => {
                let operand = self.eval(operand)?;
                let key = self.eval(index)?;
                let key = Key::of(&key)
                    .ok_or_else(|| Fault::of_type(format!("{} cannot be an index or a key", key.noun())))?;
                member_if_there(&operand, &key).map(Val::optional)
            }
            Kind::Optional(inner) => self.eval(inner),
            Kind::Has(operand, name) => self.has(operand, name),
            Kind::Not(operand) => match self.eval(operand)? {
                Val::Bool(truth) => Ok(Val::Bool(!truth)),
                other => Err(self.wrong(format!("`!` takes a boolean, not {}", other.noun()), &[operand])),
            },
            Kind::Negate(operand) => {
                let val = self.eval(operand)?;
                operators::negate(&val).map_err(|fault| self.explain(fault, &[operand]))
            }
            Kind::And(items) => self.logic(items, false, "&&"),
            Kind::Or(items) => self.logic(items, true, "||"),
            Kind::Conditional(parts) => {
                let [condition, then, otherwise] = parts.as_ref();
                match self.eval(condition)? {
                    Val::Bool(true) => self.eval(then),
                    Val::Bool(false) => self.eval(otherwise),
                    other => Err(self
                        .wrong(
                            format!("the condition of `?:` is {}, not a boolean", other.noun()),
                            &[condition],
                        )
                        .at(condition.at)),
                }
            }
            Kind::Fold(first, rest) => self.fold(first, rest),
            Kind::List(items) => {
                let mut list = Vec::with_capacity(items.len());
                for item in items {
                    match (self.eval(item)?, &item.kind) {
                        (Val::Optional(inner), Kind::Optional(_)) => list.extend(inner.as_deref().cloned()),
                        (val, _) => list.push(val),
                    }
                }
                Ok(Val::list(list))
            }
            Kind::Map(entries) => self.literal_map(entries),
            Kind::Call(function, _, arguments) => {
                let mut values = Vec::with_capacity(arguments.len());
                for argument in arguments {
                    values.push(self.eval(argument)?);
                    // What stands in for an absent value is not computed where there is one.
                    if let ("or" | "orValue", [Val::Optional(Some(inner))]) =
                        (function.name, values.as_slice())
                    {
                        return Ok(if function.name == "or" {
                            values[0].clone()
                        } else {
                            inner.as_ref().clone()
                        });
                    }
                }
                (function.run)(&mut self.tools, &values).map_err(|fault| {
                    let refs: Vec<&Expr> = arguments.iter().collect();
                    let fault = fault.of_function(function.name);
                    let fault = if fault.code() == &codes::EXPRESSION_TYPE {
                        fault.help(format!("it is called so: `{}`", function.usage))
                    } else {
                        fault
                    };
                    self.explain(fault, &refs)
                })
            }
            Kind::Macro(parts) => self.comprehension(parts),
            Kind::Bind(name, parts) => {
                let val = self.eval(&parts[0])?;
                self.with(&name.text, val, |machine| machine.eval(&parts[1]))
            }
        }
    }

    fn with<T>(&mut self, name: &Arc<str>, val: Val<'a>, run: impl FnOnce(&mut Self) -> T) -> T {
        self.locals.push((Arc::clone(name), val));
        let result = run(self);
        self.locals.pop();
        result
    }

    pub(super) fn wrong(&mut self, message: String, operands: &[&Expr]) -> Fault {
        self.explain(Fault::of_type(message), operands)
    }

    /// Adds where the operands' values were written, for those that are paths.
    fn explain(&mut self, mut fault: Fault, operands: &[&Expr]) -> Fault {
        let wanted = [codes::EXPRESSION_TYPE, codes::EXPRESSION_VALUE, codes::EXPRESSION_OVERFLOW];
        if !wanted.contains(fault.code()) || fault.has_related() {
            return fault;
        }
        for operand in operands {
            if operand.is_plain_path()
                && let Ok(Item::Spot(Spot { what: What::Node(node), path })) = self.item(operand)
                && let Ok(val) = Val::of(node)
            {
                let place = node.origin.editable();
                fault = fault.related(place, format!("`{path}` is {} here", val.noun()));
                if matches!(&node.origin, Origin::Link(link) if matches!(link.as_ref(), crate::value::OriginKind::Default { .. }))
                {
                    fault = fault.note(format!("`{path}` has its default"));
                }
            }
        }
        fault
    }

    fn has(&mut self, operand: &Expr, name: &Name) -> Result<Val<'a>, Fault> {
        let key = Key::String(Arc::clone(&name.text));
        let present = match self.item(operand)? {
            Item::Spot(Spot { what: What::Lazy(lazy), path }) => match lazy.member(&name.text) {
                Found::Absent => false,
                found @ (Found::Ahead(_) | Found::Failed(_)) => {
                    found_at(found, path.key(&name.text), &|| unknown(&name.text, &[]))?;
                    false
                }
                _ => true,
            },
            Item::Spot(Spot { what: What::Node(node), path }) => {
                self.note(&path, &node.origin);
                match &node.value {
                    Value::Map(map) => map.contains_key(name.text.as_ref()),
                    // As in cel-go: what is null has no members.
                    Value::Null => false,
                    _ => {
                        let val = Val::of(node)?;
                        let message = format!("`has()` asks for a member of {}, which has none", val.noun());
                        return Err(self.wrong(message, &[operand]));
                    }
                }
            }
            Item::Val(Val::Null) => false,
            Item::Val(Val::Optional(inner)) => {
                inner.is_some_and(|inner| matches!(inner.as_ref(), Val::Map(map) if map.get(&key).is_some()))
            }
            Item::Val(Val::Map(map)) => map.get(&key).is_some(),
            Item::Val(other) => {
                return Err(Fault::of_type(format!(
                    "`has()` asks for a member of {}, which has none",
                    other.noun()
                ))
                .at(operand.at));
            }
        };
        Ok(Val::Bool(present))
    }

    /// `&&` (which `false` decides) and `||` (which `true` decides), errors absorbed.
    fn logic(&mut self, items: &[Expr], decides: bool, symbol: &str) -> Result<Val<'a>, Fault> {
        let mut failed = None;
        for item in items {
            let outcome = match self.eval(item) {
                Ok(Val::Bool(truth)) => Ok(truth),
                Ok(other) => Err(self
                    .wrong(format!("`{symbol}` takes booleans, not {}", other.noun()), &[item])
                    .at(item.at)),
                Err(fault) => Err(fault),
            };
            match outcome {
                Ok(truth) if truth == decides => return Ok(Val::Bool(decides)),
                Ok(_) => {}
                Err(fault) => {
                    decisive(&fault)?;
                    failed.get_or_insert(fault);
                }
            }
        }
        failed.map_or(Ok(Val::Bool(!decides)), Err)
    }

    fn fold(&mut self, first: &Expr, rest: &[(super::ast::Op, Expr)]) -> Result<Val<'a>, Fault> {
        let mut left = self.eval(first)?;
        let mut at = first.at;
        let mut left_expr = Some(first);
        for (op, operand) in rest {
            at = at.to(operand.at);
            if *op == super::ast::Op::In
                && let Item::Spot(Spot { what: What::Lazy(lazy), .. }) = self.item(operand)?
            {
                let present = matches!(&left, Val::String(key) if lazy.keys().contains(key));
                left = Val::Bool(present);
                left_expr = None;
                continue;
            }
            let right = self.eval(operand)?;
            if self.tools.dialect() == Dialect::Kubernetes && op.orders() && (left.is_nan() || right.is_nan())
            {
                return Err(Fault::of_value("what is no number has no order").at(at));
            }
            left = operators::binary(*op, &left, &right, &mut self.tools.budget).map_err(|fault| {
                let operands: Vec<&Expr> = left_expr.into_iter().chain([operand]).collect();
                self.explain(fault, &operands).at(at)
            })?;
            left_expr = None;
        }
        Ok(left)
    }

    fn literal_map(&mut self, entries: &[(Expr, Expr)]) -> Result<Val<'a>, Fault> {
        let mut map = IndexMap::with_capacity(entries.len());
        for (key_expr, value) in entries {
            let val = self.eval(key_expr)?;
            let key = match &val {
                Val::Double(_) => None,
                other => Key::of(other),
            };
            let Some(key) = key else {
                return Err(
                    Fault::of_type(format!("{} cannot be a key of a map", val.noun())).at(key_expr.at)
                );
            };
            let text = key_text(&key);
            let val = match (self.eval(value)?, &value.kind) {
                (Val::Optional(inner), Kind::Optional(_)) => match inner {
                    Some(inner) => inner.as_ref().clone(),
                    None => continue,
                },
                (val, _) => val,
            };
            if map.insert(key, val).is_some() {
                return Err(Fault::of_value(format!("the key `{text}` is there twice")).at(key_expr.at));
            }
        }
        Ok(Val::map(map))
    }

    pub(super) fn truth(&mut self, expr: &Expr, what: &str) -> Result<bool, Fault> {
        match self.eval(expr)? {
            Val::Bool(truth) => Ok(truth),
            other => {
                Err(self.wrong(format!("{what} is {}, not a boolean", other.noun()), &[expr]).at(expr.at))
            }
        }
    }
}

/// The member or item of a value, or of what an optional value holds.
fn member_if_there<'a>(operand: &Val<'a>, key: &Key) -> Result<Option<Val<'a>>, Fault> {
    match operand {
        Val::Optional(None) => Ok(None),
        Val::Optional(Some(inner)) => member_if_there(inner, key),
        Val::Map(map) => map.get(key).transpose(),
        Val::List(list) => match key.number() {
            Some(number) => usize::try_from(number).ok().and_then(|at| list.item(at)).transpose(),
            None => Err(Fault::of_type("an item of a list is asked for by its index")),
        },
        other => Err(Fault::of_type(format!("{} has no members", other.noun()))),
    }
}

/// The place that a scope's answer means.
pub(super) fn found_at<'a>(
    found: Found<'a>,
    path: Path,
    absent: &dyn Fn() -> Fault,
) -> Result<Spot<'a>, Fault> {
    match found {
        Found::Node(node) => Ok(Spot { what: What::Node(node), path }),
        Found::Known(node, path) => Ok(Spot { what: What::Node(node), path }),
        Found::Lazy(lazy) => Ok(Spot { what: What::Lazy(lazy), path }),
        Found::Absent => Err(absent()),
        Found::Ahead(may) => {
            Err(Fault::new(codes::READS_AHEAD, format!("`{path}` is not known yet where this is evaluated"))
                .help(may))
        }
        Found::Failed(finding) => Err(Fault::foreign(finding)),
    }
}

/// A fault that may not be absorbed: it would hide that the work was cut short, or that it was told already.
pub(super) fn decisive(fault: &Fault) -> Result<(), Fault> {
    if fault.code() == &codes::EXPRESSION_LIMIT || fault.code() == &codes::READS_AHEAD || fault.is_foreign() {
        Err(fault.clone())
    } else {
        Ok(())
    }
}

/// The value that a literal is.
pub(super) fn constant<'a>(literal: &Literal) -> Val<'a> {
    match literal {
        Literal::Null => Val::Null,
        Literal::Bool(truth) => Val::Bool(*truth),
        Literal::Int(number) => Val::Int(*number),
        Literal::Uint(number) => Val::Uint(*number),
        Literal::Double(number) => Val::Double(*number),
        Literal::String(text) => Val::String(Arc::clone(text)),
        Literal::Bytes(bytes) => Val::Bytes(Arc::clone(bytes)),
    }
}

/// A key as text.
pub(super) fn key_text(key: &Key) -> Arc<str> {
    match key {
        Key::Bool(truth) => truth.to_string().into(),
        Key::Int(number) => number.to_string().into(),
        Key::Uint(number) => number.to_string().into(),
        Key::String(text) => Arc::clone(text),
    }
}

/// A list of names for a message, not too long.
pub(super) fn listed(names: &[Arc<str>]) -> String {
    const SHOWN: usize = 20;
    let mut text = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}

pub(super) fn unknown(name: &str, known: &[Arc<str>]) -> Fault {
    let fault = Fault::new(codes::UNKNOWN_NAME, format!("nothing is called `{name}` here"));
    let fault = match did_you_mean(name, known.iter().map(AsRef::as_ref)) {
        Some(near) => fault.help(format!("did you mean `{near}`?")),
        None => fault.help(format!("quote it if it is text: `'{name}'`")),
    };
    if known.is_empty() { fault } else { fault.note(format!("in scope are {}", listed(known))) }
}

fn missing(map: &str, key: &str, known: &[Arc<str>]) -> Fault {
    let holder = if map == "this value" { map.to_owned() } else { format!("`{map}`") };
    let fault =
        Fault::new(codes::EXPRESSION_MISSING_KEY, format!("{holder} has no key `{key}`")).label("not there");
    let fault = match did_you_mean(key, known.iter().map(AsRef::as_ref)) {
        Some(near) => fault.help(format!("did you mean `{near}`?")),
        None if map == "this value" => fault,
        None => {
            let plain = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !key.is_empty();
            fault.help(if plain {
                format!("where it may be absent, guard it: `has({map}.{key})`")
            } else {
                format!("where it may be absent, guard it: `'{key}' in {map}`")
            })
        }
    };
    if known.is_empty() {
        fault.note(format!("{holder} is empty"))
    } else {
        fault.note(format!("{holder} has {}", listed(known)))
    }
}

fn beyond(list: &str, index: i128, length: usize) -> Fault {
    let holder = if list == "this value" { list.to_owned() } else { format!("`{list}`") };
    let fault = Fault::new(codes::EXPRESSION_MISSING_KEY, format!("{holder} has no item {index}"));
    match length {
        0 => fault.note("the list is empty"),
        1 => fault.note("it has one item, at index 0"),
        _ => fault.note(format!("it has {length} items, from 0 to {}", length - 1)),
    }
}

fn no_members(name: &str, val: &Val<'_>, key: &Key, dotted: bool) -> Fault {
    let holder = if name == "this value" { name.to_owned() } else { format!("`{name}`") };
    let text = key_text(key);
    match (val, key) {
        (Val::List(_), Key::String(_)) => {
            Fault::of_type(format!("{holder} is a list and has no key `{text}`"))
                .help(format!("take an item by its index, or write a comprehension: `.map(x, x.{text})`"))
        }
        (Val::Map(_), _) => {
            Fault::of_type(format!("the keys of {holder} are strings")).help(format!("write `['{text}']`"))
        }
        _ if dotted => Fault::of_type(format!("{holder} is {} and has no member `{text}`", val.noun())),
        _ => Fault::of_type(format!("{holder} is {}, neither a list nor a map", val.noun())),
    }
}

/// Whether a list holds a value.
pub(super) fn contains(list: &List<'_>, wanted: &Val<'_>, budget: &mut Budget) -> Result<bool, Fault> {
    for index in 0..list.len() {
        if let Some(item) = list.item(index)
            && equal(&item?, wanted, budget)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}
