//! Types of expressions, and whether one may stand where another is wanted.
//!
//! Type variables stand for what is not known yet: those of a function for each of its uses, those of an empty list.
//! What is dynamic fits everywhere.

use super::declared::{Declared, Shape};
use std::fmt;
use std::sync::Arc;

/// The type of an expression.
#[derive(Clone, Debug)]
pub(super) enum Type<'s> {
    Dyn,
    Null,
    Bool,
    Int,
    Uint,
    Double,
    String,
    Bytes,
    Timestamp,
    Duration,
    OfTypes,
    List(Arc<Self>),
    Map(Arc<Self>, Arc<Self>),
    Optional(Arc<Self>),
    Opaque(&'static str),
    Object(&'s dyn Declared),
    Variable(usize),
}

impl<'s> Type<'s> {
    /// The type of declared data.
    pub(super) fn of(declared: &'s dyn Declared) -> Self {
        match declared.shape() {
            Shape::Hidden | Shape::Any | Shape::IntOrString => Self::Dyn,
            Shape::Bool => Self::Bool,
            Shape::Int => Self::Int,
            Shape::Double => Self::Double,
            Shape::Text => Self::String,
            Shape::Bytes => Self::Bytes,
            Shape::Date | Shape::Time => Self::Timestamp,
            Shape::Duration => Self::Duration,
            Shape::List(item, _) => Self::List(Arc::new(Self::of(item))),
            Shape::Map(value) => Self::Map(Arc::new(Self::String), Arc::new(Self::of(value))),
            Shape::Object => Self::Object(declared),
            Shape::Opaque(name) => Self::Opaque(name),
        }
    }

    pub(super) fn is_dyn(&self) -> bool {
        matches!(self, Self::Dyn)
    }

    /// Whether `null` may stand for it.
    fn takes_null(&self) -> bool {
        matches!(
            self,
            Self::Null
                | Self::Opaque(_)
                | Self::Optional(_)
                | Self::Object(_)
                | Self::Duration
                | Self::Timestamp
        )
    }
}

fn is_one(a: &dyn Declared, b: &dyn Declared) -> bool {
    std::ptr::addr_eq(std::ptr::from_ref(a), std::ptr::from_ref(b))
}

/// Exactly the same type.
impl PartialEq for Type<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::List(a), Self::List(b)) | (Self::Optional(a), Self::Optional(b)) => a == b,
            (Self::Map(a, c), Self::Map(b, d)) => a == b && c == d,
            (Self::Opaque(a), Self::Opaque(b)) => a == b,
            (Self::Object(a), Self::Object(b)) => is_one(*a, *b),
            (Self::Variable(a), Self::Variable(b)) => a == b,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

impl fmt::Display for Type<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dyn | Self::Variable(_) => out.write_str("dyn"),
            Self::Null => out.write_str("null"),
            Self::Bool => out.write_str("bool"),
            Self::Int => out.write_str("int"),
            Self::Uint => out.write_str("uint"),
            Self::Double => out.write_str("double"),
            Self::String => out.write_str("string"),
            Self::Bytes => out.write_str("bytes"),
            Self::Timestamp => out.write_str("timestamp"),
            Self::Duration => out.write_str("duration"),
            Self::OfTypes => out.write_str("type"),
            Self::List(item) => write!(out, "list({item})"),
            Self::Map(key, value) => write!(out, "map({key}, {value})"),
            Self::Optional(item) => write!(out, "optional({item})"),
            Self::Opaque(name) => out.write_str(name),
            Self::Object(_) => out.write_str("object"),
        }
    }
}

/// What is known of type variables.
#[derive(Clone, Debug, Default)]
pub(super) struct Known<'s>(Vec<Option<Type<'s>>>);

impl<'s> Known<'s> {
    /// A new variable.
    pub(super) fn variable(&mut self) -> Type<'s> {
        self.0.push(None);
        Type::Variable(self.0.len() - 1)
    }

    /// The type of a signature, its variables replaced by new ones from `first` on.
    pub(super) fn instance(first: usize, of: &Type<'static>) -> Type<'s> {
        match of {
            Type::Variable(number) => Type::Variable(first + number),
            Type::List(item) => Type::List(Arc::new(Self::instance(first, item))),
            Type::Optional(item) => Type::Optional(Arc::new(Self::instance(first, item))),
            Type::Map(key, value) => {
                Type::Map(Arc::new(Self::instance(first, key)), Arc::new(Self::instance(first, value)))
            }
            other => other.clone(),
        }
    }

    /// A type with all variables replaced that are known.
    pub(super) fn resolved(&self, given: &Type<'s>) -> Type<'s> {
        match given {
            Type::Variable(number) => match self.0.get(*number) {
                Some(Some(known)) => self.resolved(known),
                _ => given.clone(),
            },
            Type::List(item) => Type::List(Arc::new(self.resolved(item))),
            Type::Optional(item) => Type::Optional(Arc::new(self.resolved(item))),
            Type::Map(key, value) => Type::Map(Arc::new(self.resolved(key)), Arc::new(self.resolved(value))),
            other => other.clone(),
        }
    }

    /// Whether `given` may stand where `wanted` is. What is learned about variables is kept only then.
    pub(super) fn fits(&mut self, given: &Type<'s>, wanted: &Type<'s>) -> bool {
        let before = self.0.clone();
        let fits = self.assignable(given, wanted);
        if !fits {
            self.0 = before;
        }
        fits
    }

    /// Whether all of `given` may stand for those of `wanted`.
    pub(super) fn all_fit(&mut self, given: &[Type<'s>], wanted: &[Type<'s>]) -> bool {
        let before = self.0.clone();
        let fit = given.len() == wanted.len() && given.iter().zip(wanted).all(|(a, b)| self.assignable(a, b));
        if !fit {
            self.0 = before;
        }
        fit
    }

    fn assignable(&mut self, a: &Type<'s>, b: &Type<'s>) -> bool {
        if let Type::Variable(number) = b {
            match self.substituted(*number, a) {
                (true, _) => return true,
                (false, true) => return false,
                (false, false) => {}
            }
        }
        if let Type::Variable(number) = a {
            return self.substituted(*number, b).0;
        }
        match (a, b) {
            (Type::Dyn, _) | (_, Type::Dyn) => true,
            (Type::Null, other) | (other, Type::Null) => other.takes_null(),
            (Type::List(a), Type::List(b)) | (Type::Optional(a), Type::Optional(b)) => self.assignable(a, b),
            (Type::Map(a, c), Type::Map(b, d)) => self.assignable(a, b) && self.assignable(c, d),
            _ => a == b,
        }
    }

    /// Whether a variable may stand for a type, and whether it stood for one before.
    fn substituted(&mut self, number: usize, given: &Type<'s>) -> (bool, bool) {
        if *given == Type::Variable(number) {
            return (true, true);
        }
        if let Some(known) = self.0.get(number).cloned().flatten() {
            if known == *given {
                return (true, true);
            }
            if self.assignable(given, &known) {
                let general = if is_more_general(given, &known) { given.clone() } else { known };
                if !self.occurs(number, &general) {
                    self.set(number, general);
                }
                return (true, true);
            }
            return (false, true);
        }
        if self.occurs(number, given) {
            return (false, false);
        }
        self.set(number, given.clone());
        (true, false)
    }

    fn set(&mut self, number: usize, to: Type<'s>) {
        if self.0.len() <= number {
            self.0.resize(number + 1, None);
        }
        self.0[number] = Some(to);
    }

    fn occurs(&self, number: usize, within: &Type<'s>) -> bool {
        match within {
            Type::Variable(other) if *other == number => true,
            Type::Variable(other) => {
                self.0.get(*other).and_then(Option::as_ref).is_some_and(|known| self.occurs(number, known))
            }
            Type::List(item) | Type::Optional(item) => self.occurs(number, item),
            Type::Map(key, value) => self.occurs(number, key) || self.occurs(number, value),
            _ => false,
        }
    }

    /// How many variables there are.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// Makes room for this many more.
    pub(super) fn reserve(&mut self, count: usize) {
        self.0.resize(self.0.len() + count, None);
    }
}

/// The more general of two types that fit each other.
pub(super) fn is_more_general(a: &Type<'_>, b: &Type<'_>) -> bool {
    match (a, b) {
        (Type::Dyn | Type::Variable(_), _) => true,
        (_, Type::Dyn | Type::Variable(_)) => false,
        (Type::List(a), Type::List(b)) | (Type::Optional(a), Type::Optional(b)) => is_more_general(a, b),
        (Type::Map(a, c), Type::Map(b, d)) => is_more_general(a, b) && is_more_general(c, d),
        _ => a == b,
    }
}
