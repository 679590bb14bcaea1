//! `semver` and `semverCompare`, and the version object with its methods.

use crate::helm::funcs::{Args, Ctx, FuncError, Function};
use crate::helm::semver::{Constraint, SemverError, Version};
use crate::helm::value::types::STRING;
use crate::helm::value::{Kind, Object, ObjectRef, Str, Type, TypeInfo, Value};
use std::cmp::Ordering;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("semver", &[&STRING], |_, args| {
        Ok(Value::object(Pointer(Version::parse(args.str(0)?).map_err(fault)?)))
    }),
    Function::new("semverCompare", &[&STRING, &STRING], |_, args| {
        let constraint = Constraint::parse(args.str(0)?).map_err(fault)?;
        Ok(constraint.matches(&Version::parse(args.str(1)?).map_err(fault)?).into())
    }),
];

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn fault(error: SemverError) -> FuncError {
    FuncError::message(error.to_string())
}

/// `*semver.Version`.
static POINTER: TypeInfo = TypeInfo::pointer("*semver.Version", &STRUCT, POINTER_METHODS);
/// `semver.Version`, which the `Inc` methods give.
static STRUCT: TypeInfo =
    TypeInfo { name: "semver.Version", kind: Kind::Struct, named: true, elem: None, methods: STRUCT_METHODS };

static STRUCT_METHODS: &[Function] = &[
    Function::new("Major", &[&STRUCT], |_, args| with(args, |v| uint(v.major))),
    Function::new("Minor", &[&STRUCT], |_, args| with(args, |v| uint(v.minor))),
    Function::new("Patch", &[&STRUCT], |_, args| with(args, |v| uint(v.patch))),
    Function::new("Prerelease", &[&STRUCT], |_, args| with(args, |v| v.prerelease.as_str().into())),
    Function::new("Metadata", &[&STRUCT], |_, args| with(args, |v| v.metadata.as_str().into())),
    Function::new("String", &[&STRUCT], |_, args| with(args, |v| v.to_string().into())),
    Function::new("IncPatch", &[&STRUCT], |_, args| next(args, Version::inc_patch, "patch")),
    Function::new("IncMinor", &[&STRUCT], |_, args| next(args, Version::inc_minor, "minor")),
    Function::new("IncMajor", &[&STRUCT], |_, args| next(args, Version::inc_major, "major")),
    Function::new("SetPrerelease", &[&STRUCT, &STRING], |_, args| change(args, '-')),
    Function::new("SetMetadata", &[&STRUCT, &STRING], |_, args| change(args, '+')),
];

static POINTER_METHODS: &[Function] = &[
    Function::new("Major", &[&POINTER], |_, args| with(args, |v| uint(v.major))),
    Function::new("Minor", &[&POINTER], |_, args| with(args, |v| uint(v.minor))),
    Function::new("Patch", &[&POINTER], |_, args| with(args, |v| uint(v.patch))),
    Function::new("Prerelease", &[&POINTER], |_, args| with(args, |v| v.prerelease.as_str().into())),
    Function::new("Metadata", &[&POINTER], |_, args| with(args, |v| v.metadata.as_str().into())),
    Function::new("Original", &[&POINTER], |_, args| with(args, |v| v.original.as_str().into())),
    Function::new("String", &[&POINTER], |_, args| with(args, |v| v.to_string().into())),
    Function::new("IncPatch", &[&POINTER], |_, args| next(args, Version::inc_patch, "patch")),
    Function::new("IncMinor", &[&POINTER], |_, args| next(args, Version::inc_minor, "minor")),
    Function::new("IncMajor", &[&POINTER], |_, args| next(args, Version::inc_major, "major")),
    Function::new("SetPrerelease", &[&POINTER, &STRING], |_, args| change(args, '-')),
    Function::new("SetMetadata", &[&POINTER, &STRING], |_, args| change(args, '+')),
    Function::new("Compare", &[&POINTER, &POINTER], |_, args| {
        compare(args, |order| Value::int(order as i64))
    }),
    Function::new("Equal", &[&POINTER, &POINTER], equal),
    Function::new("LessThan", &[&POINTER, &POINTER], |_, args| compare(args, |o| o.is_lt().into())),
    Function::new("LessThanEqual", &[&POINTER, &POINTER], |_, args| compare(args, |o| o.is_le().into())),
    Function::new("GreaterThan", &[&POINTER, &POINTER], |_, args| compare(args, |o| o.is_gt().into())),
    Function::new("GreaterThanEqual", &[&POINTER, &POINTER], |_, args| compare(args, |o| o.is_ge().into())),
];

struct Pointer(Version);
struct Struct(Version);

impl Object for Pointer {
    fn type_of(&self) -> Type {
        &POINTER
    }
    fn to_text(&self) -> Option<Str> {
        Some(self.0.to_string().into())
    }
    fn to_data(&self) -> Option<Value> {
        Some(self.0.to_string().into())
    }
    fn pointee(&self) -> Option<Value> {
        Some(Value::object(Struct(self.0.clone())))
    }
    fn equals(&self, other: &ObjectRef) -> bool {
        other.downcast::<Self>().is_some_and(|other| other.0 == self.0)
    }
}

impl Object for Struct {
    fn type_of(&self) -> Type {
        &STRUCT
    }
    fn to_text(&self) -> Option<Str> {
        Some(self.0.to_string().into())
    }
    fn to_data(&self) -> Option<Value> {
        Some(self.0.to_string().into())
    }
    fn equals(&self, other: &ObjectRef) -> bool {
        other.downcast::<Self>().is_some_and(|other| other.0 == self.0)
    }
}

type Answer = Result<Value, FuncError>;

fn uint(number: u64) -> Value {
    Value::Uint(Kind::Uint64, number)
}

fn version<'a>(args: &'a Args<'_>, at: usize) -> Result<&'a Version, FuncError> {
    let value = args.value(at);
    let pointer = value.as_object::<Pointer>().map(|p| &p.0);
    pointer.or_else(|| value.as_object::<Struct>().map(|s| &s.0)).ok_or_else(super::cast::nil_dereference)
}

fn with(args: &Args<'_>, read: fn(&Version) -> Value) -> Answer {
    Ok(read(version(args, 0)?))
}

fn next(args: &Args<'_>, step: fn(&Version) -> Option<Version>, part: &str) -> Answer {
    match step(version(args, 0)?) {
        Some(next) => Ok(Value::object(Struct(next))),
        None => Err(FuncError::message(format!("{part} version increment would overflow uint64"))),
    }
}

/// Sets the prerelease or the metadata, after a look at whether it may be one.
fn change(args: &Args<'_>, lead: char) -> Answer {
    let (before, text) = (version(args, 0)?, args.str(1)?.to_str_lossy().into_owned());
    let mut after = before.clone();
    if !text.is_empty() {
        let probe = Version::parse(format!("1.0.0{lead}{text}").as_bytes());
        let taken =
            probe.as_ref().is_ok_and(|p| if lead == '-' { p.prerelease == text } else { p.metadata == text });
        if !taken {
            return Err(match (probe, lead) {
                (Err(SemverError::LeadingZero), _) => fault(SemverError::LeadingZero),
                (_, '-') => FuncError::message("invalid prerelease string"),
                _ => FuncError::message("invalid metadata string"),
            });
        }
    }
    if lead == '-' {
        after.prerelease = text;
    } else {
        after.metadata = text;
    }
    let v = if before.original.starts_with('v') { "v" } else { "" };
    after.original = format!("{v}{after}");
    Ok(Value::object(Struct(after)))
}

fn compare(args: &Args<'_>, answer: fn(Ordering) -> Value) -> Answer {
    Ok(answer(version(args, 0)?.compare(version(args, 1)?)))
}

fn equal(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    if matches!(args.value(1), Value::Nil) {
        return Ok(false.into());
    }
    compare(args, |order| order.is_eq().into())
}
