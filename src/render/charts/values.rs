//! A release's values as Helm reads them.

use crate::helm::values::{Data, Table, Value as HelmValue};
use crate::value::{Node, Number, Value};
use std::sync::Arc;

/// The values, each with its origin. Numbers are floats, as whatever reaches Helm through YAML or JSON.
pub(super) fn table(node: &Node) -> Table {
    match value(node).data {
        Data::Table(table) => table,
        _ => Table::default(),
    }
}

fn value(node: &Node) -> HelmValue {
    let data = match &node.value {
        Value::Null => Data::Null,
        Value::Bool(truth) => Data::Bool(*truth),
        Value::Number(number) => Data::Float(float(*number)),
        Value::String(text) => Data::String(text.as_ref().into()),
        Value::List(items) => Data::List(Arc::new(items.iter().map(value).collect())),
        Value::Map(map) => Data::Table(Arc::new(
            map.iter().map(|(key, entry)| (key.as_ref().into(), value(&entry.node))).collect(),
        )),
    };
    HelmValue::new(data, node.origin.clone())
}

#[allow(clippy::cast_precision_loss, reason = "Helm's numbers have 53 bits, here as there")]
fn float(number: Number) -> f64 {
    match number {
        Number::Int(int) => int as f64,
        Number::Uint(int) => int as f64,
        Number::Float(float) => float,
    }
}
