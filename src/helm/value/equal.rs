//! `reflect.DeepEqual`.

use super::{MAX_DEPTH, Value};
use std::collections::BTreeSet;

/// Whether two values have the same types and contents: `3` is not `3.0`, a nil slice is not an empty one.
///
/// Maps that contain themselves are equal where Go's walk (which assumes a pair being compared to be equal) says so;
/// here that assumption starts at [`MAX_DEPTH`].
pub fn deep_equal(a: &Value, b: &Value) -> bool {
    let mut pending = vec![(a.clone(), b.clone(), 0_usize)];
    // As in Go, a pair of containers that was met before is taken for equal: it is compared elsewhere.
    let mut seen: BTreeSet<(usize, usize)> = BTreeSet::new();
    while let Some((a, b, depth)) = pending.pop() {
        if depth > MAX_DEPTH {
            continue;
        }
        let equal = match (&a, &b) {
            (Value::Nil, Value::Nil) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(ka, a), Value::Int(kb, b)) => ka == kb && a == b,
            (Value::Uint(ka, a), Value::Uint(kb, b)) => ka == kb && a == b,
            #[allow(clippy::float_cmp, reason = "Go compares so")]
            (Value::Float(a), Value::Float(b)) => a == b,
            (Value::String(a), Value::String(b)) => a == b,
            (Value::Bytes(a), Value::Bytes(b)) => a == b,
            (Value::List(a), Value::List(b)) => {
                if !a.type_of().is(b.type_of()) || a.is_nil() != b.is_nil() || a.len() != b.len() {
                    false
                } else {
                    if !a.same(b) && (a.is_empty() || seen.insert((a.id(), b.id()))) {
                        a.read_all();
                        b.read_all();
                        pending
                            .extend(a.iter().zip(b.iter()).map(|(a, b)| (a.clone(), b.clone(), depth + 1)));
                    }
                    true
                }
            }
            (Value::Map(a), Value::Map(b)) => {
                if !a.type_of().is(b.type_of()) || a.is_nil() != b.is_nil() || a.len() != b.len() {
                    false
                } else {
                    if !a.same(b) && seen.insert((a.id(), b.id())) {
                        for ((ka, a), (kb, b)) in a.entries().into_iter().zip(b.entries()) {
                            if ka != kb {
                                return false;
                            }
                            pending.push((a, b, depth + 1));
                        }
                    }
                    true
                }
            }
            (Value::Object(a), Value::Object(b)) => a.same(b) || a.type_of().is(b.type_of()) && a.equals(b),
            _ => false,
        };
        if !equal {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::helm::value::{List, types};

    #[test]
    fn types_count() {
        assert!(!deep_equal(&Value::int(3), &Value::Float(3.0)));
        assert!(!deep_equal(&Value::int(3), &Value::int64(3)));
        assert!(!deep_equal(&Value::List(List::nil(&types::LIST)), &Value::list(vec![])));
        assert!(deep_equal(
            &Value::list(vec![Value::map([("a", Value::Nil)])]),
            &Value::list(vec![Value::map([("a", Value::Nil)])])
        ));
    }
}
