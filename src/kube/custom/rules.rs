//! The rules of a schema over an object, and the schema as what types them.
//!
//! Null has no rules. A field whose type expressions do not know is passed over with all that is below it.

use super::rule::{Broken, Rule};
use super::schema::{Below, Kind, ListType, Schema};
use crate::expr::{Declared, Listed, Shape};
use crate::kube::{Cause, CauseKind, Causes, Field, Layer};
use crate::value::{Node, Value};

/// Asks all rules of an object that was created.
pub(super) fn check(object: &Node, schema: &Schema, causes: &mut Causes) {
    check_at(object, schema, Field::root(object), causes);
}

/// Asks all rules of a value at a field.
pub(super) fn check_at(value: &Node, schema: &Schema, field: Field<'_, '_>, causes: &mut Causes) {
    // Those of `allOf` alone are not asked: a server looks for rules elsewhere first.
    if schema.below.has(Below::OWN_RULES) {
        walk(value, schema, schema, field, causes);
    }
}

/// `said` holds the rules, `spine` the structure: they differ below `allOf`.
fn walk(node: &Node, said: &Schema, spine: &Schema, field: Field<'_, '_>, causes: &mut Causes) {
    if node.value == Value::Null || !said.below.has(Below::RULES) {
        return;
    }
    for rule in &said.rules {
        if let Some(broken) = rule.broken(node, spine) {
            causes.push(told(rule, broken, field));
        }
    }
    for part in said.junctions.iter().flat_map(|junctions| &junctions.all_of) {
        walk(node, part, spine, field, causes);
    }
    match &node.value {
        Value::List(items) => {
            let (Some(said), Some(spine)) = (said.items.as_deref(), spine.items.as_deref()) else { return };
            for (index, item) in items.iter().enumerate() {
                walk(item, said, spine, field.index(index), causes);
            }
        }
        Value::Map(map) => {
            for (key, entry) in map {
                let inner = match (said.properties.get(key.as_ref()), spine.properties.get(key.as_ref())) {
                    (Some(said), Some(spine)) => Some((said, spine)),
                    _ => said.additional_schema().zip(spine.additional_schema()),
                };
                let Some((said, spine)) = inner else { continue };
                if !matches!(spine.shape(), Shape::Hidden) {
                    walk(&entry.node, said, spine, field.member(key, &entry.node), causes);
                }
            }
        }
        _ => {}
    }
}

fn told(rule: &Rule, broken: Broken, field: Field<'_, '_>) -> Cause {
    let mut path = field.path();
    let (kind, message, help) = match broken {
        Broken::Unmet(message) => {
            for step in &rule.field {
                path.push(step.clone());
            }
            match message {
                Some(message) => (
                    rule.kind,
                    message.trim_end_matches('.').to_owned(),
                    format!("the rule is `{}`", rule.expression),
                ),
                None => (rule.kind, format!("`{}` does not hold", rule.expression), String::new()),
            }
        }
        Broken::Failed(fault) => {
            let help = format!("the rule is `{}`", rule.expression);
            (CauseKind::Invalid, format!("a rule about this cannot be evaluated: {fault}"), help)
        }
    };
    Cause {
        kind,
        layer: Layer::CustomRule,
        path,
        told: None,
        message,
        help: Some(help).filter(|help| !help.is_empty()),
    }
}

/// What every resource has and no schema need say.
#[derive(Debug)]
enum OfAll {
    Text,
    Metadata,
}

static TEXT: OfAll = OfAll::Text;
static METADATA: OfAll = OfAll::Metadata;

impl Declared for OfAll {
    fn shape(&self) -> Shape<'_> {
        match self {
            Self::Text => Shape::Text,
            Self::Metadata => Shape::Object,
        }
    }

    fn field(&self, name: &str) -> Option<&dyn Declared> {
        (matches!(self, Self::Metadata) && matches!(name, "name" | "generateName")).then_some(&TEXT as _)
    }

    fn fields(&self) -> Vec<&str> {
        vec!["name", "generateName"]
    }
}

impl Declared for Schema {
    fn shape(&self) -> Shape<'_> {
        match self.kind {
            Kind::Any => Shape::Hidden,
            Kind::IntOrString => Shape::IntOrString,
            Kind::Integer => Shape::Int,
            Kind::Number => Shape::Double,
            Kind::Boolean => Shape::Bool,
            Kind::String => match self.format_name.as_ref() {
                "byte" => Shape::Bytes,
                "duration" => Shape::Duration,
                "date" => Shape::Date,
                "date-time" => Shape::Time,
                _ => Shape::Text,
            },
            Kind::Array => match self.items.as_deref() {
                Some(items) if !matches!(items.shape(), Shape::Hidden) => Shape::List(
                    items,
                    match &self.list_type {
                        ListType::Atomic => Listed::Plain,
                        ListType::Set => Listed::Set,
                        ListType::Map(keys) => Listed::Map(keys),
                    },
                ),
                _ => Shape::Hidden,
            },
            Kind::Object => match self.additional_schema() {
                Some(values) if matches!(values.shape(), Shape::Hidden) => Shape::Hidden,
                Some(values) => Shape::Map(values),
                None => Shape::Object,
            },
        }
    }

    fn nullable(&self) -> bool {
        self.nullable
    }

    fn field(&self, name: &str) -> Option<&dyn Declared> {
        match name {
            "apiVersion" | "kind" if self.resource => Some(&TEXT),
            "metadata" if self.resource => Some(&METADATA),
            _ => self.properties.get(name).map(|schema| schema as _),
        }
    }

    fn fields(&self) -> Vec<&str> {
        let of_all = if self.resource { super::decode::OF_ALL } else { &[] };
        self.properties.keys().map(AsRef::as_ref).chain(of_all.iter().copied()).collect()
    }
}
