//! The values that templates work on: Go's dynamic values, with their Go types.
//!
//! - Maps are shared and mutable: a clone of a [`Value`] is an alias, and `set` is seen through every alias.
//!   Lists are shared and immutable, as no template function can change one in place.
//! - One render is one thread: values are `Rc`. Only [`Str`] crosses threads.
//! - A value may contain itself (`set . "x" .`): whoever walks one has to bound the depth ([`MAX_DEPTH`]).
//!   Such a cycle is never freed, as the render's process ends soon; anything else, however deep, is
//!   dropped without recursion.
//! - The tag of a handle is its static Go type: two handles of one map may have different types
//!   (`common.Values` and `map[string]interface {}`).

mod entries;
mod equal;
mod list;
mod map;
mod object;
mod str;
mod track;
pub mod types;

pub use equal::deep_equal;
pub use list::List;
pub use map::Map;
pub use object::{FieldInfo, Object, ObjectRef};
pub use str::{Str, lossy};
pub use track::{Event, Read, ReadKind, Reads, Tracker, Whence};
pub use types::{Kind, Type, TypeInfo};

use std::sync::Arc;

/// How deep anything that walks a value may go before it has to give up with an error.
pub const MAX_DEPTH: usize = 10_000;

/// A Go value as a template sees it.
#[derive(Clone, Default)]
pub enum Value {
    /// Nil without a type: the nil interface, and what is missing.
    #[default]
    Nil,
    /// `bool`.
    Bool(bool),
    /// A signed integer; the kind is `Int`, `Int8`, `Int16`, `Int32` or `Int64`.
    Int(Kind, i64),
    /// An unsigned integer; the kind is one of `Uint` to `Uint64`.
    Uint(Kind, u64),
    /// `float64`.
    Float(f64),
    /// `string`.
    String(Str),
    /// `[]byte`.
    Bytes(Arc<[u8]>),
    /// A slice.
    List(List),
    /// A map with string keys.
    Map(Map),
    /// Anything else: structs, pointers to them, named types with methods.
    Object(ObjectRef),
}

impl Value {
    /// An `int`.
    pub fn int(n: i64) -> Self {
        Self::Int(Kind::Int, n)
    }

    /// An `int64`.
    pub fn int64(n: i64) -> Self {
        Self::Int(Kind::Int64, n)
    }

    /// A `string`.
    pub fn string(text: impl Into<Str>) -> Self {
        Self::String(text.into())
    }

    /// A `[]interface {}`.
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(List::new(&types::LIST, items))
    }

    /// A `[]byte`.
    pub fn bytes(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self::Bytes(bytes.into())
    }

    /// A `[]string`.
    pub fn strings<S: Into<Str>>(items: impl IntoIterator<Item = S>) -> Self {
        Self::List(List::strings(items))
    }

    /// A `map[string]interface {}` of these entries; later ones win.
    pub fn map<K: Into<Str>>(entries: impl IntoIterator<Item = (K, Self)>) -> Self {
        Self::Map(Map::of(&types::MAP, entries))
    }

    /// An object.
    pub fn object(object: impl Object) -> Self {
        Self::Object(ObjectRef::new(object))
    }

    /// Its dynamic Go type; `None` for nil.
    pub fn type_of(&self) -> Option<Type> {
        Some(match self {
            Self::Nil => return None,
            Self::Bool(_) => &types::BOOL,
            Self::Int(kind, _) | Self::Uint(kind, _) => types::int_type(*kind),
            Self::Float(_) => &types::FLOAT64,
            Self::String(_) => &types::STRING,
            Self::Bytes(_) => &types::BYTES,
            Self::List(list) => list.type_of(),
            Self::Map(map) => map.type_of(),
            Self::Object(object) => object.type_of(),
        })
    }

    /// Its type as `%T` prints it; `<nil>` for nil.
    pub fn type_name(&self) -> &'static str {
        self.type_of().map_or("<nil>", |t| t.name)
    }

    /// Its kind; `Invalid` for nil.
    pub fn kind(&self) -> Kind {
        self.type_of().map_or(Kind::Invalid, |t| t.kind)
    }

    /// Whether it is untyped nil or a nil map or slice.
    pub fn is_nil(&self) -> bool {
        match self {
            Self::Nil => true,
            Self::List(list) => list.is_nil(),
            Self::Map(map) => map.is_nil(),
            _ => false,
        }
    }

    /// Whether it is a container of which it is known where it comes from; see [`Tracker`].
    pub fn is_tracked(&self) -> bool {
        match self {
            Self::Map(map) => map.is_tracked(),
            Self::List(list) => list.is_tracked(),
            _ => false,
        }
    }

    /// Whether it is untyped nil.
    pub fn is_untyped_nil(&self) -> bool {
        matches!(self, Self::Nil)
    }

    /// The bytes of a `string`.
    pub fn as_str(&self) -> Option<&Str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The map.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The list.
    pub fn as_list(&self) -> Option<&List> {
        match self {
            Self::List(list) => Some(list),
            _ => None,
        }
    }

    /// The object, where it is of type `T`.
    pub fn as_object<T: Object>(&self) -> Option<&T> {
        match self {
            Self::Object(object) => object.downcast(),
            _ => None,
        }
    }

    /// Go's zero value of that type (`reflect.Zero`).
    pub fn zero(of: Type) -> Self {
        match of.kind {
            Kind::Bool => Self::Bool(false),
            Kind::Float64 | Kind::Float32 => Self::Float(0.0),
            Kind::String => Self::String(Str::EMPTY),
            Kind::Slice if of.is(&types::BYTES) => Self::Bytes(Arc::from([])),
            Kind::Slice => Self::List(List::nil(of)),
            Kind::Map => Self::Map(Map::nil(of)),
            kind if kind.is_int() => Self::Int(kind, 0),
            kind if kind.is_uint() => Self::Uint(kind, 0),
            _ => Self::Nil,
        }
    }

    /// The number behind any integer kind, also of a named one (a duration).
    pub fn as_integer(&self) -> Option<i128> {
        match self {
            Self::Int(_, n) => Some(i128::from(*n)),
            Self::Uint(_, n) => Some(i128::from(*n)),
            Self::Object(object) => object.underlying().and_then(|v| match v {
                Self::Object(_) => None,
                v => v.as_integer(),
            }),
            _ => None,
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<Str> for Value {
    fn from(value: Str) -> Self {
        Self::String(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::String(value.into())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::String(value.into())
    }
}

impl From<Map> for Value {
    fn from(value: Map) -> Self {
        Self::Map(value)
    }
}

impl From<List> for Value {
    fn from(value: List) -> Self {
        Self::List(value)
    }
}

/// For failures of tests: the shape, cut at a small depth.
impl std::fmt::Debug for Value {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        fn go(value: &Value, depth: usize, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            match value {
                Value::Nil => out.write_str("nil"),
                Value::Bool(b) => write!(out, "{b}"),
                Value::Int(_, n) => write!(out, "{n}"),
                Value::Uint(_, n) => write!(out, "{n}u"),
                Value::Float(f) => write!(out, "{f:?}"),
                Value::String(s) => write!(out, "{s:?}"),
                Value::Bytes(b) => write!(out, "b{:?}", lossy(b)),
                Value::Object(o) => write!(out, "<{}>", o.type_of().name),
                _ if depth > 8 => out.write_str("..."),
                Value::List(list) => {
                    out.write_str("[")?;
                    for item in list.iter() {
                        go(item, depth + 1, out)?;
                        out.write_str(" ")?;
                    }
                    out.write_str("]")
                }
                Value::Map(map) => {
                    out.write_str("{")?;
                    for (key, item) in map.entries() {
                        write!(out, "{key}: ")?;
                        go(&item, depth + 1, out)?;
                        out.write_str(" ")?;
                    }
                    out.write_str("}")
                }
            }
        }
        go(self, 0, out)
    }
}

/// Drops without recursion: `pending` are values taken out of a container that is being dropped.
fn drop_flat(mut pending: Vec<Value>) {
    while let Some(value) = pending.pop() {
        match value {
            Value::Map(map) => map.dismantle(&mut pending),
            Value::List(list) => list.dismantle(&mut pending),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_see_each_others_changes() {
        let map = Map::new();
        let alias = Value::Map(map.clone());
        map.insert("a", Value::int(1));
        assert!(matches!(alias.as_map().and_then(|m| m.get(b"a")), Some(Value::Int(Kind::Int, 1))));
        assert_eq!(size_of::<Value>(), 24);
    }

    #[test]
    fn deep_values_drop_without_recursion() {
        let mut value = Value::Nil;
        for n in 0..1_000_000 {
            value = if n % 2 == 0 { Value::list(vec![value]) } else { Value::map([("a", value)]) };
        }
        drop(value);
    }

    #[test]
    fn types_follow_gos_assignability() {
        static VALUES: TypeInfo = TypeInfo::named("common.Values", &types::MAP, &[]);
        assert!(VALUES.assignable_to(&types::MAP));
        assert!(types::MAP.assignable_to(&types::ANY));
        assert!(!types::STRINGS.assignable_to(&types::LIST));
        assert!(!types::INT64.assignable_to(&types::INT));
    }
}
