//! What a field that does not exist was meant to be: one of nearly the same name, the same name on another level, or one of another release.

use super::table::{Shape, Struct, Table};
use crate::diag::did_you_mean;
use crate::kube::Field;
use crate::schema::kinds::Minor;
use crate::value::{Path, Segment};

/// The types on the way to a place.
#[derive(Copy, Clone)]
pub(super) struct Way<'a> {
    pub(super) up: Option<&'a Way<'a>>,
    pub(super) index: usize,
}

/// How deep below a type the right place is looked for.
const DEPTH: usize = 3;

/// Advice about the field `name` that the type at `at` does not have.
pub(super) fn help(
    table: &Table,
    way: &Way<'_>,
    at: Field<'_, '_>,
    name: &str,
    release: Minor,
) -> Option<String> {
    let own = table.at(way.index);
    if let Some(since) =
        own.ever(name).and_then(super::table::FieldType::since).filter(|since| release < *since)
    {
        return Some(format!(
            "Kubernetes knows it from {}.{} on, and the environment has {}.{}",
            since.0, since.1, release.0, release.1
        ));
    }
    let names = || own.fields(release).map(|field| field.name);
    // Written in another case it is nothing else.
    if let Some(same) = names().find(|known| known.eq_ignore_ascii_case(name)) {
        return Some(format!("write `{same}`: names of fields count in their case"));
    }
    if let Some(place) = above(table, way, at, name, release) {
        return Some(format!("it belongs to `{place}`"));
    }
    let mut below = Vec::new();
    deeper(table, own, name, release, &mut Vec::new(), &mut below);
    if let [only] = below.as_slice() {
        let place = at.path();
        let dot = if place.is_empty() { "" } else { "." };
        return Some(format!("it belongs to `{place}{dot}{}`", only.join(".")));
    }
    did_you_mean(name, names()).map(|near| format!("did you mean `{near}`?"))
}

/// The nearest place above that has such a field.
fn above(table: &Table, way: &Way<'_>, at: Field<'_, '_>, name: &str, release: Minor) -> Option<Path> {
    let mut path = at.path();
    let mut way = way;
    while let Some(up) = way.up {
        path = holder(path);
        if table.at(up.index).field(name, release).is_some() {
            return (!path.is_empty()).then_some(path);
        }
        way = up;
    }
    None
}

/// The map that holds what a path leads to, past the items of lists.
fn holder(mut path: Path) -> Path {
    while matches!(path.pop(), Some(Segment::Index(_))) {}
    path
}

/// The ways to fields of this name below a type.
fn deeper(
    table: &Table,
    own: &Struct,
    name: &str,
    release: Minor,
    way: &mut Vec<String>,
    found: &mut Vec<Vec<String>>,
) {
    if way.len() == DEPTH {
        return;
    }
    for field in own.fields(release) {
        let (index, step) = match &field.shape {
            Shape::Struct(index) => (*index, field.name.to_owned()),
            Shape::List(item) if let Shape::Struct(index) = **item => (index, format!("{}[]", field.name)),
            _ => continue,
        };
        if field.name == "status" {
            continue;
        }
        let below = table.at(index);
        way.push(step);
        if below.field(name, release).is_some() {
            found.push(way.clone());
        } else {
            deeper(table, below, name, release, way, found);
        }
        way.pop();
    }
}
