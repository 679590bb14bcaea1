//! The rules of a definition, compiled with types: what a server refuses when the definition itself is created.

use super::rule::Rule;
use super::schema::Schema;
use crate::expr::{self, Declarations, RuleFault, Shape, Wanted};
use crate::kube::{Cause, CauseKind, Causes, Field, Layer};
use crate::value::Node;

/// Compiles all rules of a schema (`openAPIV3Schema`), and says how many there are.
pub(in crate::kube) fn rules(schema: Field<'_, '_>, minor: u32, causes: &mut Causes) -> usize {
    let Some(node) = schema.node() else { return 0 };
    let compiled = Schema::of_resource(node, minor);
    walk(schema, &compiled, &compiled, minor, causes)
}

/// `said` holds the rules of the node, `spine` types them: they differ below `allOf`.
fn walk(at: Field<'_, '_>, said: &Schema, spine: &Schema, minor: u32, causes: &mut Causes) -> usize {
    let mut count = 0;
    for rule in at.key("x-kubernetes-validations").items() {
        if let Some(read) = rule.node().and_then(Rule::read) {
            count += 1;
            one(rule, &read, spine, minor, causes);
        }
    }
    for (key, property) in at.key("properties").members() {
        if let (Some(said), Some(spine)) = (said.properties.get(key), spine.properties.get(key)) {
            count += walk(property, said, spine, minor, causes);
        }
    }
    if let (Some(said), Some(spine)) = (said.items.as_deref(), spine.items.as_deref()) {
        count += walk(at.key("items"), said, spine, minor, causes);
    }
    if let (Some(said), Some(spine)) = (said.additional_schema(), spine.additional_schema()) {
        count += walk(at.key("additionalProperties"), said, spine, minor, causes);
    }
    let parts = said.junctions.iter().flat_map(|junctions| &junctions.all_of);
    for (part, said) in at.key("allOf").items().zip(parts) {
        count += walk(part, said, spine, minor, causes);
    }
    count
}

fn one(at: Field<'_, '_>, rule: &Rule, spine: &Schema, minor: u32, causes: &mut Causes) {
    if matches!(expr::Declared::shape(spine), Shape::Hidden) {
        return;
    }
    let names = Declarations::new(minor).with("self", spine);
    let names =
        if rule.optional_old { names.with_optional("oldSelf", spine) } else { names.with("oldSelf", spine) };
    if let Err(fault) = expr::compile(&rule.expression, &names, Wanted::Truth) {
        causes.push(told(at.key("rule"), &rule.expression, fault));
    }
    if let Some(message) = &rule.message_expression
        && let Err(fault) = expr::compile(message, &names, Wanted::Text)
    {
        causes.push(told(at.key("messageExpression"), message, fault));
    }
}

/// The cause that an expression at a field makes which does not compile.
pub(in crate::kube) fn told(at: Field<'_, '_>, text: &str, fault: RuleFault) -> Cause {
    let part = text.get(fault.at.clone()).unwrap_or_default();
    let message = if part.is_empty() || part.len() > 60 || fault.message.contains(part) {
        format!("this does not compile: {}", fault.message)
    } else {
        format!("this does not compile: at `{part}`: {}", fault.message)
    };
    Cause {
        kind: CauseKind::Invalid,
        layer: Layer::Builtin,
        path: at.path(),
        told: None,
        message,
        help: fault.help,
    }
}

/// Compiles all rules of all versions of a definition: how many there are, and what is wrong with them.
pub fn rules_of(definition: &Node, minor: u32) -> (usize, Vec<Cause>) {
    let mut causes = Causes::default();
    let root = Field::root(definition);
    let (spec, mut count) = (root.key("spec"), 0);
    for version in spec.key("versions").items() {
        count += rules(version.key("schema").key("openAPIV3Schema"), minor, &mut causes);
    }
    (count, causes.into_vec())
}
