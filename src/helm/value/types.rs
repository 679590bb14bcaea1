//! Go types, as far as templates can see them: names for `%T`, `typeOf` and error texts, kinds for `kindOf`, and
//! assignability for arguments.
//!
//! A type is a `static` [`TypeInfo`]; two types are the same where they are the same static. A package with a type
//! of its own (a version, a certificate) declares one more static.

use crate::helm::funcs::Function;
use std::fmt;

/// `reflect.Kind`.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// No value at all.
    Invalid,
    /// `bool`.
    Bool,
    /// `int`.
    Int,
    /// `int8`.
    Int8,
    /// `int16`.
    Int16,
    /// `int32`.
    Int32,
    /// `int64`.
    Int64,
    /// `uint`.
    Uint,
    /// `uint8`.
    Uint8,
    /// `uint16`.
    Uint16,
    /// `uint32`.
    Uint32,
    /// `uint64`.
    Uint64,
    /// `float32`.
    Float32,
    /// `float64`.
    Float64,
    /// A function.
    Func,
    /// An interface.
    Interface,
    /// A map.
    Map,
    /// A pointer.
    Ptr,
    /// A slice.
    Slice,
    /// A string.
    String,
    /// A struct.
    Struct,
}

impl Kind {
    /// Go's name of it, as `kindOf` prints it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Uint => "uint",
            Self::Uint8 => "uint8",
            Self::Uint16 => "uint16",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
            Self::Float32 => "float32",
            Self::Float64 => "float64",
            Self::Func => "func",
            Self::Interface => "interface",
            Self::Map => "map",
            Self::Ptr => "ptr",
            Self::Slice => "slice",
            Self::String => "string",
            Self::Struct => "struct",
        }
    }

    /// Whether it is one of the signed integers.
    pub fn is_int(self) -> bool {
        matches!(self, Self::Int | Self::Int8 | Self::Int16 | Self::Int32 | Self::Int64)
    }

    /// Whether it is one of the unsigned integers.
    pub fn is_uint(self) -> bool {
        matches!(self, Self::Uint | Self::Uint8 | Self::Uint16 | Self::Uint32 | Self::Uint64)
    }
}

/// A Go type.
pub struct TypeInfo {
    /// As `%T` prints it: `map[string]interface {}`, `*semver.Version`.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// Whether it has a name of its own (`common.Values`) or is written out (`map[string]interface {}`); decides
    /// assignability.
    pub named: bool,
    /// What a slice, map or pointer holds. Map keys are always strings.
    pub elem: Option<Type>,
    /// Methods; the receiver is the first argument of each and the first of its `params`.
    pub methods: &'static [Function],
}

/// A reference to a Go type; compare with [`TypeInfo::is`].
pub type Type = &'static TypeInfo;

impl TypeInfo {
    /// A type without methods and elements.
    pub const fn plain(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, named: true, elem: None, methods: &[] }
    }

    /// An unnamed slice type.
    pub const fn slice(name: &'static str, elem: Type) -> Self {
        Self { name, kind: Kind::Slice, named: false, elem: Some(elem), methods: &[] }
    }

    /// An unnamed map type with string keys.
    pub const fn map(name: &'static str, elem: Type) -> Self {
        Self { name, kind: Kind::Map, named: false, elem: Some(elem), methods: &[] }
    }

    /// A pointer type.
    pub const fn pointer(name: &'static str, elem: Type, methods: &'static [Function]) -> Self {
        Self { name, kind: Kind::Ptr, named: false, elem: Some(elem), methods }
    }

    /// A named type of another's shape, with methods.
    pub const fn named(name: &'static str, shape: Type, methods: &'static [Function]) -> Self {
        Self { name, kind: shape.kind, named: true, elem: shape.elem, methods }
    }

    /// Whether it is the same type.
    pub fn is(&self, other: Type) -> bool {
        std::ptr::eq(self, other)
    }

    /// Go's assignability of a value of this type to a variable of type `to`.
    pub fn assignable_to(&self, to: Type) -> bool {
        if self.is(to) || to.kind == Kind::Interface {
            return true;
        }
        if self.named && to.named || self.kind != to.kind {
            return false;
        }
        match (self.kind, self.elem, to.elem) {
            (Kind::Slice | Kind::Map, Some(a), Some(b)) => a.is(b),
            _ => false,
        }
    }

    /// Whether an untyped nil may be assigned to it.
    pub fn can_be_nil(&self) -> bool {
        matches!(
            self.kind,
            Kind::Func | Kind::Interface | Kind::Map | Kind::Ptr | Kind::Slice | Kind::Invalid
        )
    }

    /// The method of that name.
    pub fn method(&self, name: &[u8]) -> Option<&'static Function> {
        self.methods.iter().find(|m| m.name.as_bytes() == name)
    }
}

impl fmt::Debug for TypeInfo {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name)
    }
}

impl fmt::Display for TypeInfo {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name)
    }
}

macro_rules! plain {
    ($($id:ident $name:literal $kind:ident;)*) => {
        $(#[doc = concat!("`", $name, "`")] pub static $id: TypeInfo = TypeInfo::plain($name, Kind::$kind);)*
    };
}

plain! {
    BOOL "bool" Bool;
    INT "int" Int;
    INT8 "int8" Int8;
    INT16 "int16" Int16;
    INT32 "int32" Int32;
    INT64 "int64" Int64;
    UINT "uint" Uint;
    UINT8 "uint8" Uint8;
    UINT16 "uint16" Uint16;
    UINT32 "uint32" Uint32;
    UINT64 "uint64" Uint64;
    FLOAT64 "float64" Float64;
    STRING "string" String;
}

/// `interface {}`: takes every value, and nil.
pub static ANY: TypeInfo =
    TypeInfo { name: "interface {}", kind: Kind::Interface, named: false, elem: None, methods: &[] };
/// `reflect.Value`: parameters of Go's own functions; takes every value, nil and missing.
pub static REFLECT: TypeInfo =
    TypeInfo { name: "reflect.Value", kind: Kind::Invalid, named: true, elem: None, methods: &[] };
/// `[]interface {}`.
pub static LIST: TypeInfo = TypeInfo::slice("[]interface {}", &ANY);
/// `[]string`.
pub static STRINGS: TypeInfo = TypeInfo::slice("[]string", &STRING);
/// `[]int`.
pub static INTS: TypeInfo = TypeInfo::slice("[]int", &INT);
/// `[]uint8`: held as bytes, see [`Value::Bytes`](super::Value::Bytes).
pub static BYTES: TypeInfo = TypeInfo::slice("[]uint8", &UINT8);
/// `[][]interface {}`.
pub static LISTS: TypeInfo = TypeInfo::slice("[][]interface {}", &LIST);
/// `[]map[string]interface {}`.
pub static MAPS: TypeInfo = TypeInfo::slice("[]map[string]interface {}", &MAP);
/// `map[string]interface {}`.
pub static MAP: TypeInfo = TypeInfo::map("map[string]interface {}", &ANY);
/// `map[string]string`.
pub static STRING_MAP: TypeInfo = TypeInfo::map("map[string]string", &STRING);
/// `map[string]bool`.
pub static BOOL_MAP: TypeInfo = TypeInfo::map("map[string]bool", &BOOL);
/// `map[string][]uint8`.
pub static BYTES_MAP: TypeInfo = TypeInfo::map("map[string][]uint8", &BYTES);

/// The type of a signed integer of that kind.
pub fn int_type(kind: Kind) -> Type {
    match kind {
        Kind::Int8 => &INT8,
        Kind::Int16 => &INT16,
        Kind::Int32 => &INT32,
        Kind::Int64 => &INT64,
        Kind::Uint => &UINT,
        Kind::Uint8 => &UINT8,
        Kind::Uint16 => &UINT16,
        Kind::Uint32 => &UINT32,
        Kind::Uint64 => &UINT64,
        _ => &INT,
    }
}
