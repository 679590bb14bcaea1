//! The syntax tree of one expression.
//!
//! Every node knows its byte range in the text of the scalar that holds it. Chains of operators of one rank and
//! chains of `&&` and `||` are flat, so that a long sum is no deep tree: depth is bounded by the parser, and
//! with it the stack that evaluation needs.

use super::functions::Function;
use std::sync::Arc;

/// A byte range in the text of a scalar.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct At {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl At {
    pub(super) fn new(start: usize, end: usize) -> Self {
        let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self { start: narrow(start), end: narrow(end.max(start)) }
    }

    pub(super) fn to(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// A name with its place.
#[derive(Clone, Debug)]
pub(super) struct Name {
    pub(super) text: Arc<str>,
    pub(super) at: At,
}

/// A node of the tree.
#[derive(Clone, Debug)]
pub(super) struct Expr {
    pub(super) at: At,
    pub(super) kind: Kind,
}

/// A constant.
#[derive(Clone, Debug)]
pub(super) enum Literal {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    String(Arc<str>),
    Bytes(Arc<[u8]>),
}

/// A binary operator that evaluates both sides.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Equal,
    Unequal,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
}

impl Op {
    /// Whether it asks which of two values comes first.
    pub(super) fn orders(self) -> bool {
        matches!(self, Self::Less | Self::LessEqual | Self::Greater | Self::GreaterEqual)
    }

    /// As it is written.
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::In => "in",
        }
    }
}

/// What a node is.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Literal(Literal),
    Ident(Arc<str>),
    Omit,
    Select(Box<Expr>, Name),
    Index(Box<Expr>, Box<Expr>),
    /// `a.?b`.
    OptionalSelect(Box<Expr>, Name),
    /// `a[?b]`.
    OptionalIndex(Box<Expr>, Box<Expr>),
    /// An item or a value that is left out where it is empty: `[?a]`, `{?'k': a}`.
    Optional(Box<Expr>),
    /// The name of a type with dots in it: `net.IP`.
    TypeName(&'static str),
    Has(Box<Expr>, Name),
    Not(Box<Expr>),
    Negate(Box<Expr>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Conditional(Box<[Expr; 3]>),
    /// Operators of one rank, applied from the left.
    Fold(Box<Expr>, Vec<(Op, Expr)>),
    List(Vec<Expr>),
    Map(Vec<(Expr, Expr)>),
    /// The receiver, where there is one, is the first argument.
    Call(&'static Function, Style, Vec<Expr>),
    Macro(Box<Macro>),
    Bind(Name, Box<[Expr; 2]>),
}

/// How a function is called.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Style {
    /// `size(x)`.
    Free,
    /// `x.size()`.
    Member,
}

/// Which comprehension.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum MacroKind {
    All,
    Exists,
    ExistsOne,
    Filter,
    Map,
    SortBy,
    TransformList,
    TransformMap,
    TransformMapEntry,
    /// `optMap`.
    OptionalMap,
    /// `optFlatMap`.
    OptionalFlatMap,
}

/// A comprehension over a list or a map.
#[derive(Clone, Debug)]
pub(super) struct Macro {
    pub(super) kind: MacroKind,
    pub(super) range: Expr,
    /// The item or the key; the key or index where there are two.
    pub(super) first: Name,
    /// The value, in the forms with two variables.
    pub(super) second: Option<Name>,
    /// Only items for which this holds.
    pub(super) filter: Option<Expr>,
    pub(super) body: Expr,
}

impl Expr {
    /// The nodes directly below.
    pub(super) fn children(&self) -> Vec<&Self> {
        match &self.kind {
            Kind::Literal(_) | Kind::Ident(_) | Kind::Omit | Kind::TypeName(_) => Vec::new(),
            Kind::Select(operand, _)
            | Kind::OptionalSelect(operand, _)
            | Kind::Has(operand, _)
            | Kind::Optional(operand)
            | Kind::Not(operand)
            | Kind::Negate(operand) => vec![operand],
            Kind::Index(operand, index) | Kind::OptionalIndex(operand, index) => vec![operand, index],
            Kind::And(items) | Kind::Or(items) | Kind::List(items) | Kind::Call(_, _, items) => {
                items.iter().collect()
            }
            Kind::Conditional(parts) => parts.iter().collect(),
            Kind::Fold(first, rest) => {
                std::iter::once(first.as_ref()).chain(rest.iter().map(|(_, operand)| operand)).collect()
            }
            Kind::Map(entries) => entries.iter().flat_map(|(key, value)| [key, value]).collect(),
            Kind::Macro(parts) => std::iter::once(&parts.range)
                .chain(&parts.filter)
                .chain(std::iter::once(&parts.body))
                .collect(),
            Kind::Bind(_, parts) => parts.iter().collect(),
        }
    }

    /// Whether a name is read somewhere in it.
    pub(super) fn reads(&self, name: &str) -> bool {
        matches!(&self.kind, Kind::Ident(known) if known.as_ref() == name)
            || self.children().into_iter().any(|child| child.reads(name))
    }

    /// How deep the tree is.
    pub(super) fn height(&self) -> usize {
        1 + self.children().into_iter().map(Self::height).max().unwrap_or(0)
    }

    /// Whether it is a path with nothing computed: names, members, constant indices.
    pub(super) fn is_plain_path(&self) -> bool {
        match &self.kind {
            Kind::Ident(_) => true,
            Kind::Select(operand, _) => operand.is_plain_path(),
            Kind::Index(operand, index) => {
                matches!(index.kind, Kind::Literal(Literal::String(_) | Literal::Int(_)))
                    && operand.is_plain_path()
            }
            _ => false,
        }
    }
}
