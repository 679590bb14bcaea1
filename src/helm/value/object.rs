//! [`Object`]: what is neither a scalar nor a slice nor a map: structs, pointers to them, named numbers.
//!
//! Methods are in the [`TypeInfo`] of the object's type, with their parameter types, so that the executor checks
//! and converts their arguments as it does for functions.

use super::{Str, Type, Value};
use std::any::Any;
use std::ops::Deref;
use std::rc::Rc;

/// A field of a struct.
pub struct FieldInfo {
    /// Its Go name.
    pub name: &'static str,
    /// Its value.
    pub value: Value,
    /// Its name in JSON and YAML; `None` where it is left out (`json:"-"`).
    pub json: Option<&'static str>,
    /// Left out of JSON where the value is empty.
    pub omit_empty: bool,
}

impl FieldInfo {
    /// Whether other packages see it, and so what writes structs.
    pub fn is_exported(&self) -> bool {
        self.name.starts_with(|first: char| first.is_ascii_uppercase())
    }
}

/// A struct, a pointer to one, or a named type.
pub trait Object: Any {
    /// Its Go type, with its methods. A pointer to a struct has kind `Ptr` and the struct as `elem`.
    fn type_of(&self) -> Type;

    /// The exported field of that name.
    fn field(&self, name: &[u8]) -> Option<Value> {
        let name = std::str::from_utf8(name).ok()?;
        self.fields().into_iter().find(|f| f.name == name).map(|f| f.value)
    }

    /// All fields in declared order, as `%v` prints them.
    fn fields(&self) -> Vec<FieldInfo> {
        Vec::new()
    }

    /// What `String()` or `Error()` gives, where the type has that method on the value itself (or this is a
    /// pointer): used by `%v` and `%s`.
    fn to_text(&self) -> Option<Str> {
        None
    }

    /// What `String()` gives where only the pointer has it, and the template holds the value in a field of a
    /// struct: used where `{{ }}` prints it, and nowhere else.
    fn to_text_addressed(&self) -> Option<Str> {
        self.to_text()
    }

    /// The plain value under a named one: the `int64` of a duration.
    fn underlying(&self) -> Option<Value> {
        None
    }

    /// What a pointer to a struct points at, as an argument of the struct's type or for `%v` of it.
    fn pointee(&self) -> Option<Value> {
        None
    }

    /// What `toJson` and `toYaml` make of it, where that is not the fields by their JSON names.
    fn to_data(&self) -> Option<Value> {
        None
    }

    /// `reflect.DeepEqual` with another object of the same type; by fields unless said otherwise.
    fn equals(&self, other: &ObjectRef) -> bool {
        let (a, b) = (self.fields(), other.fields());
        a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| super::deep_equal(&a.value, &b.value))
    }
}

/// A shared object; a clone is an alias. Derefs to `dyn Object`.
#[derive(Clone)]
pub struct ObjectRef(Rc<dyn Object>);

impl ObjectRef {
    /// Shares an object.
    pub fn new(object: impl Object) -> Self {
        Self(Rc::new(object))
    }

    /// The object as a `T`.
    pub fn downcast<T: Object>(&self) -> Option<&T> {
        let any: &dyn Any = &*self.0;
        any.downcast_ref()
    }

    /// Whether both are one object.
    pub fn same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Deref for ObjectRef {
    type Target = dyn Object;
    fn deref(&self) -> &dyn Object {
        &*self.0
    }
}
