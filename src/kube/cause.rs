//! Why an object is refused: one cause a field, as `metav1.StatusCause` tells it.

use super::Field;
use crate::value::Path;

/// What kind of fault it is (`metav1.CauseType`).
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CauseKind {
    /// The field does not exist (decoding).
    Unknown,
    /// A value of another type (`FieldValueTypeInvalid`, and what cannot be decoded).
    Type,
    /// `FieldValueRequired`.
    Required,
    /// `FieldValueInvalid`.
    Invalid,
    /// `FieldValueNotSupported`.
    Unsupported,
    /// `FieldValueDuplicate`, and keys that are written twice.
    Duplicate,
    /// `FieldValueForbidden`.
    Forbidden,
    /// `FieldValueNotFound`.
    NotFound,
    /// `FieldValueTooLong`.
    TooLong,
    /// `FieldValueTooMany`.
    TooMany,
}

/// Who refuses.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// Strict decoding.
    Decode,
    /// The rules of all objects: names, labels, annotations, owners, finalizers.
    Meta,
    /// The validation of a built-in kind.
    Builtin,
    /// The schema of a custom resource definition.
    CustomSchema,
    /// A rule (`x-kubernetes-validations`) of a custom resource definition.
    CustomRule,
}

/// One cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// What kind of fault it is.
    pub kind: CauseKind,
    /// Who refuses.
    pub layer: Layer,
    /// The field. It need not exist in the object.
    pub path: Path,
    /// How the server names the field, where that is not its path.
    pub told: Option<Path>,
    /// The fact in our words: lower case, no full stop, values in backticks.
    pub message: String,
    /// What to do, where that is known better than "change it": a field of nearly the same name, the values that there are.
    pub help: Option<String>,
}

/// Causes as they are found.
#[derive(Debug, Default)]
pub struct Causes(Vec<Cause>);

impl Causes {
    /// Adds one.
    pub fn push(&mut self, cause: Cause) {
        self.0.push(cause);
    }

    /// A cause about a field, by the rules of a built-in kind.
    pub fn at(&mut self, field: Field<'_, '_>, kind: CauseKind, message: impl Into<String>) {
        self.push(Cause {
            kind,
            layer: Layer::Builtin,
            path: field.path(),
            told: field.told(),
            message: message.into(),
            help: None,
        });
    }

    /// A cause about a field, with what to do about it.
    pub fn at_with_help(
        &mut self,
        field: Field<'_, '_>,
        kind: CauseKind,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.at(field, kind, message);
        if let Some(cause) = self.0.last_mut() {
            cause.help = Some(help.into());
        }
    }

    /// A field that has to be there.
    pub fn required(&mut self, field: Field<'_, '_>, message: impl Into<String>) {
        self.at(field, CauseKind::Required, message);
    }

    /// A value that is not taken.
    pub fn invalid(&mut self, field: Field<'_, '_>, message: impl Into<String>) {
        self.at(field, CauseKind::Invalid, message);
    }

    /// A field that may not be set here.
    pub fn forbidden(&mut self, field: Field<'_, '_>, message: impl Into<String>) {
        self.at(field, CauseKind::Forbidden, message);
    }

    /// A value that stands twice.
    pub fn duplicate(&mut self, field: Field<'_, '_>, message: impl Into<String>) {
        self.at(field, CauseKind::Duplicate, message);
    }

    /// A value that is none of `known`.
    pub fn unsupported(&mut self, field: Field<'_, '_>, value: &str, known: &[&str]) {
        self.push(Cause {
            kind: CauseKind::Unsupported,
            layer: Layer::Builtin,
            path: field.path(),
            told: field.told(),
            message: format!("`{value}` is not supported"),
            help: Some(format!("write one of `{}`", known.join("`, `"))),
        });
    }

    /// The value of a field, where it is none of `known`.
    pub fn one_of(&mut self, field: Field<'_, '_>, value: &str, known: &[&str]) {
        if !known.contains(&value) {
            self.unsupported(field, value, known);
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Cause> {
        self.0.iter()
    }

    /// All of them.
    pub fn into_vec(self) -> Vec<Cause> {
        self.0
    }
}
