//! Paths into a schema: those of rules, and those of fields that objects are selected by.

use crate::kube::{CauseKind, Causes, Field};
use std::collections::BTreeSet;

const MOST_SELECTABLE: usize = 8;

/// What stands in brackets.
#[derive(Copy, Clone, PartialEq, Eq)]
pub(super) enum Brackets {
    /// `['name']` is allowed.
    Allowed,
    /// It is not.
    Refused,
}

/// Follows a path such as `.spec.a['b.c']`, and hands the schema there to `found`; says whether there is one.
pub(super) fn leads(
    path: &str,
    schema: Field<'_, '_>,
    brackets: Brackets,
    found: &mut dyn FnMut(Field<'_, '_>, &str),
) -> bool {
    follow(path, schema, brackets, "", found)
}

fn follow(
    path: &str,
    schema: Field<'_, '_>,
    brackets: Brackets,
    first: &str,
    found: &mut dyn FnMut(Field<'_, '_>, &str),
) -> bool {
    if path.is_empty() {
        found(schema, first);
        return true;
    }
    let Some((name, rest)) = step(path, brackets) else { return false };
    let first = if first.is_empty() { name.as_str() } else { first };
    let properties = schema.key("properties");
    if properties.count() > 0 {
        let property = properties.key(&name);
        property.is_set() && follow(rest, property, brackets, first, found)
    } else {
        let values = schema.key("additionalProperties");
        // `true` has no schema to go on in.
        values.is_set()
            && if values.truth().is_some() {
                rest.is_empty()
            } else {
                follow(rest, values, brackets, first, found)
            }
    }
}

fn step(path: &str, brackets: Brackets) -> Option<(String, &str)> {
    if let Some(rest) = path.strip_prefix('.') {
        let end = rest.find(['.', '[', ']']).unwrap_or(rest.len());
        return (end > 0).then(|| (rest[..end].to_owned(), &rest[end..]));
    }
    if brackets == Brackets::Refused {
        return None;
    }
    let quoted = path.strip_prefix("['")?;
    let mut name = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => name.push(letters.next()?.1),
            '\'' => return Some((name, quoted[at + 1..].strip_prefix(']')?)),
            _ => name.push(letter),
        }
    }
    None
}

/// `selectableFields`.
pub(super) fn check_selectable(fields: Field<'_, '_>, schema: Field<'_, '_>, causes: &mut Causes) {
    if fields.count() > 0 && !schema.is_set() {
        causes.invalid(fields, "there is no schema to select by");
        return;
    }
    let mut seen = BTreeSet::new();
    for field in fields.items() {
        let path = field.key("jsonPath");
        if !super::super::require(path, causes) {
            continue;
        }
        let mut target = None;
        let led = leads(path.text(), schema, Brackets::Refused, &mut |schema, first| {
            let kind = schema.key("type").text();
            target = Some((first == "metadata", matches!(kind, "string" | "boolean" | "integer")));
        });
        if !led {
            causes.invalid(path, format!("`{}` leads to no field", path.text()));
            continue;
        }
        let (of_metadata, plain) = target.unwrap_or((false, false));
        if of_metadata {
            causes.invalid(path, "leads into the metadata");
        }
        if !plain {
            causes.invalid(path, "leads to a field that is no string, boolean or integer");
        }
        if !seen.insert(path.text()) {
            causes.duplicate(path, format!("`{}` stands before", path.text()));
        }
    }
    if seen.len() > MOST_SELECTABLE {
        let fault = format!("{} fields, {MOST_SELECTABLE} are allowed", seen.len());
        causes.at(fields, CauseKind::TooMany, fault);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_taken() {
        assert_eq!(step(".a.b", Brackets::Refused), Some(("a".to_owned(), ".b")));
        assert_eq!(step("['a.b'].c", Brackets::Allowed), Some(("a.b".to_owned(), ".c")));
        assert_eq!(step(r"['a\'b']", Brackets::Allowed), Some(("a'b".to_owned(), "")));
        for path in ["a", "..a", "['a'", "[a]", "."] {
            assert_eq!(step(path, Brackets::Allowed), None, "{path}");
        }
        assert_eq!(step("['a']", Brackets::Refused), None);
    }
}
