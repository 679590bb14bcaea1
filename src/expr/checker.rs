//! The types of an expression, before anything is evaluated: fields that are not declared, functions that do not
//! take what they are given, conditions that are no booleans.
//!
//! The rules are those of CEL: what is dynamic fits everywhere, numbers of different kinds compare but neither equal
//! nor add, a list holds items of one type.

use super::ast::{Expr, Kind, Literal, Macro, MacroKind, Name, Op, Style};
use super::declared::{Declared, escaped, unescaped, visible};
use super::fault::Fault;
use super::functions::{Function, Tools};
use super::machine::constant;
use super::operators;
use super::parser::Dialect;
use super::signatures::{Signatures, TWO_VARIABLES};
use super::types::{Known, Type, is_more_general};
use crate::diag::{codes, did_you_mean};
use crate::pattern::{Groups, translate};
use std::sync::{Arc, LazyLock};

static SIGNATURES: LazyLock<Signatures> = LazyLock::new(Signatures::new);

/// Names and what they are.
#[derive(Clone, Debug, Default)]
pub(super) struct Names<'s>(pub(super) Vec<(Arc<str>, Type<'s>)>);

/// The type of an expression that is new to a server of a minor release.
pub(super) fn check<'s>(expr: &Expr, names: Names<'s>, minor: u32) -> Result<Type<'s>, Fault> {
    let mut checker = Checker { names, known: Known::default(), mixed: Mixed::Refused, minor };
    let found = checker.of(expr)?;
    Ok(checker.known.resolved(&found))
}

/// Whether a list may hold items of several types.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Mixed {
    Refused,
    /// Among the arguments of `format`.
    Allowed,
}

struct Checker<'s> {
    names: Names<'s>,
    known: Known<'s>,
    mixed: Mixed,
    minor: u32,
}

fn list(item: Type<'_>) -> Type<'_> {
    Type::List(Arc::new(item))
}

impl<'s> Checker<'s> {
    fn of(&mut self, expr: &Expr) -> Result<Type<'s>, Fault> {
        self.kind(expr).map_err(|fault| fault.at(expr.at))
    }

    fn resolved(&mut self, expr: &Expr) -> Result<Type<'s>, Fault> {
        let found = self.of(expr)?;
        Ok(self.known.resolved(&found))
    }

    fn kind(&mut self, expr: &Expr) -> Result<Type<'s>, Fault> {
        match &expr.kind {
            Kind::Literal(literal) => Ok(match literal {
                Literal::Null => Type::Null,
                Literal::Bool(_) => Type::Bool,
                Literal::Int(_) => Type::Int,
                Literal::Uint(_) => Type::Uint,
                Literal::Double(_) => Type::Double,
                Literal::String(_) => Type::String,
                Literal::Bytes(_) => Type::Bytes,
            }),
            Kind::Ident(name) => self.ident(name),
            Kind::Omit => Ok(Type::Dyn),
            Kind::TypeName(_) => Ok(Type::OfTypes),
            Kind::Select(operand, name) => {
                let operand = self.resolved(operand)?;
                self.select(operand, name)
            }
            Kind::OptionalSelect(operand, name) => {
                let operand = self.resolved(operand)?;
                Ok(match self.select(operand, name)? {
                    optional @ Type::Optional(_) => optional,
                    other => Type::Optional(Arc::new(other)),
                })
            }
            Kind::Has(operand, name) => {
                let operand = self.resolved(operand)?;
                self.select(operand, name)?;
                Ok(Type::Bool)
            }
            Kind::Index(operand, index) => {
                let parts = [self.of(operand)?, self.of(index)?];
                self.call(Style::Free, "[]", &parts)
            }
            Kind::OptionalIndex(operand, index) => {
                let operand = match self.resolved(operand)? {
                    optional @ Type::Optional(_) => optional,
                    other => Type::Optional(Arc::new(other)),
                };
                let parts = [operand, self.of(index)?];
                self.call(Style::Free, "[]", &parts)
            }
            Kind::Optional(inner) => self.of(inner),
            Kind::Not(operand) => self.truth(operand),
            Kind::Negate(operand) => {
                let operand = self.of(operand)?;
                self.call(Style::Free, "-", &[operand])
            }
            Kind::And(items) | Kind::Or(items) => {
                for item in items {
                    self.truth(item)?;
                }
                Ok(Type::Bool)
            }
            Kind::Conditional(parts) => {
                let mut types = Vec::with_capacity(3);
                for part in parts.iter() {
                    types.push(self.of(part)?);
                }
                self.call(Style::Free, "?:", &types)
            }
            Kind::Fold(first, rest) => self.fold(first, rest),
            Kind::List(items) => self.list(items),
            Kind::Map(entries) => self.map(entries),
            Kind::Call(function, style, arguments) => {
                let before = self.mixed;
                if function.name == "format" {
                    self.mixed = Mixed::Allowed;
                }
                let types: Result<Vec<_>, Fault> =
                    arguments.iter().map(|argument| self.of(argument)).collect();
                self.mixed = before;
                let types = types?;
                let name = match function.space {
                    "" => function.name.to_owned(),
                    space => format!("{space}.{}", function.name),
                };
                let result = self.call(*style, &name, &types)?;
                written_out(function, arguments)?;
                Ok(result)
            }
            Kind::Macro(parts) => self.comprehension(parts),
            Kind::Bind(name, parts) => {
                let value = self.of(&parts[0])?;
                self.within(&[(name, value)], |checker| checker.of(&parts[1]))
            }
        }
    }

    fn ident(&mut self, name: &Arc<str>) -> Result<Type<'s>, Fault> {
        if let Some((_, found)) = self.names.0.iter().rev().find(|(known, _)| known == name) {
            return Ok(found.clone());
        }
        if operators::type_constant(name).is_some() {
            return Ok(Type::OfTypes);
        }
        let fault = Fault::new(codes::UNKNOWN_NAME, format!("nothing is called `{name}` here"));
        let known = self.names.0.iter().map(|(name, _)| name.as_ref());
        Err(match did_you_mean(name, known) {
            Some(near) => fault.help(format!("did you mean `{near}`?")),
            None => fault,
        })
    }

    fn select(&mut self, operand: Type<'s>, name: &Name) -> Result<Type<'s>, Fault> {
        match operand {
            Type::Optional(inner) => {
                let inner = self.known.resolved(&inner);
                self.select(inner, name).map(|found| Type::Optional(Arc::new(found)))
            }
            Type::Dyn => Ok(Type::Dyn),
            Type::Variable(_) => {
                self.known.fits(&Type::Dyn, &operand);
                Ok(Type::Dyn)
            }
            Type::Map(_, value) => Ok(value.as_ref().clone()),
            Type::Object(declared) => field(declared, name),
            other => Err(Fault::of_type(format!("{other} has no field `{}`", name.text)).at(name.at)),
        }
    }

    fn truth(&mut self, expr: &Expr) -> Result<Type<'s>, Fault> {
        let found = self.resolved(expr)?;
        if self.known.fits(&found, &Type::Bool) {
            Ok(Type::Bool)
        } else {
            Err(Fault::of_type(format!("this is {found}, where bool is wanted")).at(expr.at))
        }
    }

    fn fold(&mut self, first: &Expr, rest: &[(Op, Expr)]) -> Result<Type<'s>, Fault> {
        let mut left = self.of(first)?;
        let mut at = first.at;
        for (op, operand) in rest {
            at = at.to(operand.at);
            let right = self.of(operand)?;
            left = self.call(Style::Free, op.symbol(), &[left, right]).map_err(|fault| fault.at(at))?;
        }
        Ok(left)
    }

    /// The type of several values in one list.
    fn joined(&mut self, values: &[(Type<'s>, &Expr)]) -> Result<Type<'s>, Fault> {
        let mut values = values.iter();
        let Some((first, _)) = values.next() else { return Ok(self.known.variable()) };
        let mut common = first.clone();
        for (next, expr) in values {
            let fits = self.known.fits(&common, next);
            let (before, here) = (self.known.resolved(&common), self.known.resolved(next));
            if self.mixed == Mixed::Refused && before != here {
                let message = format!("this is {here}, where {before} stands before it");
                return Err(Fault::of_type(message).at(expr.at));
            }
            if !fits {
                return Ok(Type::Dyn);
            }
            if !is_more_general(&common, next) {
                common = next.clone();
            }
        }
        Ok(common)
    }

    fn list(&mut self, items: &[Expr]) -> Result<Type<'s>, Fault> {
        let mut types = Vec::with_capacity(items.len());
        for item in items {
            let found = self.resolved(item)?;
            types.push((if matches!(item.kind, Kind::Optional(_)) { unwrapped(found) } else { found }, item));
        }
        Ok(list(self.joined(&types)?))
    }

    fn map(&mut self, entries: &[(Expr, Expr)]) -> Result<Type<'s>, Fault> {
        let (mut keys, mut values) = (Vec::new(), Vec::new());
        for (key, value) in entries {
            keys.push((self.resolved(key)?, key));
            let found = self.resolved(value)?;
            values.push((
                if matches!(value.kind, Kind::Optional(_)) { unwrapped(found) } else { found },
                value,
            ));
        }
        Ok(Type::Map(Arc::new(self.joined(&keys)?), Arc::new(self.joined(&values)?)))
    }

    fn call(&mut self, call: Style, name: &str, given: &[Type<'s>]) -> Result<Type<'s>, Fault> {
        let overloads = SIGNATURES.find(call, name);
        let mut result: Option<Type<'s>> = None;
        for overload in overloads.iter().filter(|overload| overload.since < self.minor) {
            let first = self.known.count();
            self.known.reserve(2);
            let wanted: Vec<Type<'s>> =
                overload.takes.iter().map(|wanted| Known::instance(first, wanted)).collect();
            if self.known.all_fit(given, &wanted) {
                let gives = self.known.resolved(&Known::instance(first, &overload.gives));
                result = Some(match result {
                    None => gives,
                    Some(known) if known.is_dyn() || known == gives => known,
                    Some(_) => Type::Dyn,
                });
            }
        }
        result.ok_or_else(|| {
            let given: Vec<String> =
                given.iter().map(|given| format!("`{}`", self.known.resolved(given))).collect();
            if let Some(newest) = overloads.iter().map(|overload| overload.since).min()
                && newest >= self.minor
            {
                return too_new(&format!("`{name}`"), newest);
            }
            if overloads.is_empty() {
                return Fault::new(
                    codes::EXPRESSION_FUNCTION,
                    format!("an API server has no function `{name}`"),
                );
            }
            Fault::of_type(format!(
                "`{name}` does not take {}",
                if given.is_empty() { "nothing".to_owned() } else { given.join(" and ") }
            ))
        })
    }

    fn within<T>(&mut self, names: &[(&Name, Type<'s>)], run: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.names.0.len();
        self.names.0.extend(names.iter().map(|(name, found)| (Arc::clone(&name.text), found.clone())));
        let result = run(self);
        self.names.0.truncate(before);
        result
    }

    fn comprehension(&mut self, parts: &Macro) -> Result<Type<'s>, Fault> {
        let range = self.resolved(&parts.range)?;
        if matches!(parts.kind, MacroKind::OptionalMap | MacroKind::OptionalFlatMap) {
            return self.optional_map(parts, range);
        }
        if parts.second.is_some() && TWO_VARIABLES >= self.minor {
            return Err(too_new("a comprehension of two variables", TWO_VARIABLES));
        }
        let (first, second) = match &range {
            Type::List(item) if parts.second.is_some() => (Type::Int, item.as_ref().clone()),
            Type::List(item) => (item.as_ref().clone(), Type::Dyn),
            Type::Map(key, value) => (key.as_ref().clone(), value.as_ref().clone()),
            Type::Dyn | Type::Variable(_) => (Type::Dyn, Type::Dyn),
            other => {
                let fault = Fault::of_type(format!(
                    "{other} is neither a list nor a map: there is nothing to go over"
                ));
                return Err(fault.at(parts.range.at));
            }
        };
        let mut names = vec![(&parts.first, first.clone())];
        names.extend(parts.second.as_ref().map(|name| (name, second)));
        self.within(&names, |checker| {
            if let Some(filter) = &parts.filter {
                checker.truth(filter)?;
            }
            Ok(match parts.kind {
                MacroKind::All | MacroKind::Exists | MacroKind::ExistsOne => checker.truth(&parts.body)?,
                MacroKind::Filter => {
                    checker.truth(&parts.body)?;
                    list(first)
                }
                MacroKind::Map | MacroKind::TransformList => list(checker.resolved(&parts.body)?),
                MacroKind::SortBy => {
                    let key = checker.resolved(&parts.body)?;
                    checker
                        .call(Style::Member, "sort", &[list(key)])
                        .map_err(|fault| fault.at(parts.body.at))?;
                    list(first)
                }
                MacroKind::TransformMap => {
                    let key = if matches!(range, Type::List(_)) { Type::Int } else { first };
                    Type::Map(Arc::new(key), Arc::new(checker.resolved(&parts.body)?))
                }
                MacroKind::TransformMapEntry => match checker.resolved(&parts.body)? {
                    map @ Type::Map(..) => map,
                    Type::Dyn | Type::Variable(_) => Type::Dyn,
                    other => {
                        return Err(Fault::of_type(format!("this is {other}, not a map")).at(parts.body.at));
                    }
                },
                MacroKind::OptionalMap | MacroKind::OptionalFlatMap => Type::Dyn,
            })
        })
    }

    fn optional_map(&mut self, parts: &Macro, range: Type<'s>) -> Result<Type<'s>, Fault> {
        let item = match range {
            Type::Optional(item) => item.as_ref().clone(),
            Type::Dyn | Type::Variable(_) => Type::Dyn,
            other => return Err(Fault::of_type(format!("{other} is no optional value")).at(parts.range.at)),
        };
        let body = self.within(&[(&parts.first, item)], |checker| checker.resolved(&parts.body))?;
        match (parts.kind, body) {
            (MacroKind::OptionalMap, body) => Ok(Type::Optional(Arc::new(body))),
            (_, body @ (Type::Optional(_) | Type::Dyn | Type::Variable(_))) => Ok(body),
            (_, body) => {
                Err(Fault::of_type(format!("this is {body}, not an optional value")).at(parts.body.at))
            }
        }
    }
}

/// Patterns, and literals that are converted, are read at once.
fn written_out(function: &Function, arguments: &[Expr]) -> Result<(), Fault> {
    const CONVERSIONS: &[&str] =
        &["bool", "int", "uint", "double", "string", "bytes", "duration", "timestamp"];
    let (at, literal) = match arguments {
        [Expr { kind: Kind::Literal(literal), at }] if CONVERSIONS.contains(&function.name) => (*at, literal),
        [_, Expr { kind: Kind::Literal(Literal::String(text)), at }] if function.name == "matches" => {
            return match translate(text.as_bytes(), Groups::Ignore) {
                Ok(_) => Ok(()),
                Err(_refused) => Err(Fault::of_value(format!("`{text}` is no pattern")).at(*at)),
            };
        }
        _ => return Ok(()),
    };
    let converted = (function.run)(&mut Tools::new(Dialect::Kubernetes), &[constant(literal)]);
    converted.map(|_| ()).map_err(|fault| fault.of_function(function.name).at(at))
}

fn too_new(what: &str, since: u32) -> Fault {
    let message = format!("new definitions may use {what} from Kubernetes 1.{} on", since.saturating_add(1));
    Fault::new(codes::EXPRESSION_FUNCTION, message)
}

fn unwrapped(found: Type<'_>) -> Type<'_> {
    match found {
        Type::Optional(item) => item.as_ref().clone(),
        other => other,
    }
}

fn field<'s>(declared: &'s dyn Declared, name: &Name) -> Result<Type<'s>, Fault> {
    if let Some(found) = visible(declared, &name.text) {
        return Ok(Type::of(found));
    }
    let fault = Fault::new(codes::EXPRESSION_MISSING_KEY, format!("there is no field `{}`", name.text));
    let known: Vec<String> = declared.fields().into_iter().filter_map(escaped).collect();
    let fault = match unescaped(&name.text).and_then(|plain| declared.field(&plain).map(|_| plain)) {
        Some(plain) => fault.note(format!("the schema gives `{plain}` no type that expressions know")),
        None => fault,
    };
    Err(match did_you_mean(&name.text, known.iter().map(String::as_str)) {
        Some(near) => fault.help(format!("did you mean `{near}`?")).at(name.at),
        None => fault.at(name.at),
    })
}
