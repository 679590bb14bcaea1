//! From values back to nodes.
//!
//! What an expression made has the expression's origin in every part; what a plain path found keeps its own.

use super::data::{Budget, Key, List, Members, Val, double_text, integral};
use super::fault::Fault;
use super::machine::{Machine, Spot, What, found_at, key_text, unknown};
use super::scope::Found;
use crate::diag::codes;
use crate::value::{Entry, Map, Node, Number, Origin, Value};
use std::sync::Arc;

/// The node that a value becomes, every part with `origin`.
pub(super) fn to_node(val: &Val<'_>, origin: &Origin, budget: &mut Budget) -> Result<Node, Fault> {
    budget.spend(1)?;
    let value = match val {
        Val::Null => Value::Null,
        Val::Bool(truth) => Value::Bool(*truth),
        Val::Int(number) => Value::Number(Number::Int(*number)),
        Val::Uint(number) => match i64::try_from(*number) {
            Ok(number) => Value::Number(Number::Int(number)),
            Err(_) => {
                return Err(Fault::overflow(format!("{number} does not fit a signed integer of 64 bits")));
            }
        },
        Val::Double(number) if number.is_finite() => {
            within_64_bits(*number)?;
            Value::Number(Number::Float(*number))
        }
        Val::Double(_) => return Err(Fault::of_value("the result is no finite number")),
        Val::String(text) => Value::String(Arc::clone(text)),
        Val::List(list) => {
            let mut items = Vec::with_capacity(list.len());
            match list {
                List::Nodes(nodes) => {
                    for node in *nodes {
                        items.push(rehome(node, origin, budget)?);
                    }
                }
                List::Declared { items: nodes, .. } => {
                    for node in *nodes {
                        items.push(rehome(node, origin, budget)?);
                    }
                }
                List::Owned(vals) | List::Kept { items: vals, .. } => {
                    for val in vals.iter() {
                        items.push(to_node(val, origin, budget)?);
                    }
                }
            }
            Value::List(items)
        }
        // Only rules have these, whose results are no nodes.
        Val::Optional(_) | Val::Map(Members::Declared(_)) => {
            return Err(Fault::of_type(format!("{} is no data", val.noun())));
        }
        Val::Map(Members::Nodes(map)) => rehome_map(map, origin, budget)?,
        Val::Map(Members::Owned(members)) => {
            let mut map = Map::with_capacity(members.len());
            for (key, val) in members.iter() {
                let Key::String(text) = key else {
                    return Err(Fault::of_type(format!("the key `{}` of a map is no string", key_text(key)))
                        .help("write `string(key)`"));
                };
                let node = to_node(val, origin, budget)?;
                map.insert(Arc::clone(text), Entry { key: origin.clone(), node });
            }
            Value::Map(map)
        }
        Val::Omit => return Err(Fault::new(codes::EXPRESSION_OMIT, "`omit` cannot stand here")),
        Val::Type(_) | Val::Format(_) => {
            return Err(Fault::of_type(format!("{} is no data", val.noun())));
        }
        Val::Bytes(_) => {
            return Err(Fault::of_type("the result is bytes, which are no data of YAML")
                .help("write `string(...)` for text or `base64.encode(...)`"));
        }
        Val::Timestamp(_)
        | Val::Duration(_)
        | Val::Ip(_)
        | Val::Cidr(_)
        | Val::Url(_)
        | Val::Quantity(_)
        | Val::Semver(_) => {
            return Err(Fault::of_type(format!("the result is {}, which is no data of YAML", val.noun()))
                .help("write `string(...)` around it"));
        }
    };
    Ok(Node { value, origin: origin.clone() })
}

/// Refuses a double that would print as an integer beyond 64 bits, with digits that it does not have.
fn within_64_bits(number: f64) -> Result<(), Fault> {
    if number.fract() == 0.0 && integral(number).is_none() {
        let number = double_text(number);
        return Err(Fault::overflow(format!("{number} does not fit a signed integer of 64 bits"))
            .help("write `string(...)` around it, if text is wanted"));
    }
    Ok(())
}

/// A copy of a node in which every part has `origin`.
fn rehome(node: &Node, origin: &Origin, budget: &mut Budget) -> Result<Node, Fault> {
    budget.spend(1)?;
    let value = match &node.value {
        Value::Map(map) => rehome_map(map, origin, budget)?,
        Value::List(items) => {
            Value::List(items.iter().map(|item| rehome(item, origin, budget)).collect::<Result<_, _>>()?)
        }
        other => other.clone(),
    };
    Ok(Node { value, origin: origin.clone() })
}

fn rehome_map(map: &Map, origin: &Origin, budget: &mut Budget) -> Result<Value, Fault> {
    let mut copy = Map::with_capacity(map.len());
    for (key, entry) in map {
        let node = rehome(&entry.node, origin, budget)?;
        copy.insert(Arc::clone(key), Entry { key: origin.clone(), node });
    }
    Ok(Value::Map(copy))
}

/// A node for a place, with the origins that its parts have.
pub(super) fn spot_to_node<'a>(machine: &mut Machine<'a>, spot: &Spot<'a>) -> Result<Node, Fault> {
    match spot.what {
        What::Node(node) => {
            machine.note(&spot.path, &node.origin);
            if let Val::Double(number) = Val::of(node)? {
                within_64_bits(number)?;
            }
            Ok(node.clone())
        }
        What::Lazy(lazy) => {
            let mut map = Map::new();
            for key in lazy.keys() {
                machine.tools.budget.spend(1)?;
                let found = lazy.member(&key);
                if matches!(found, Found::Absent) {
                    continue;
                }
                let path = spot.path.key(&key);
                let inner = found_at(found, path, &|| unknown(&key, &[]))?;
                let node = spot_to_node(machine, &inner)?;
                map.insert(key, Entry { key: node.origin.clone(), node });
            }
            Ok(Node { value: Value::Map(map), origin: Origin::Compiler })
        }
    }
}
