//! One JSON Schema of `overlay.yaml`, with the inputs of every stack in it, for editors.
//!
//! An overlay may say a part of what its bases say, and `null` takes away what they do: so nothing is required where
//! maps merge, and everything there may be null. The schema therefore finds what is wrong and never what is missing,
//! which only a whole environment shows. Written for draft-07, which every editor reads.

use super::Library;
use crate::source::Sources;
use serde_json::{Map, Value, json};

/// What holds for every overlay, whatever stacks there are.
const OVERLAY: &str = include_str!("../../schemas/editor/overlay.json");

/// The schema of `stackc.yaml`.
pub const PROJECT_SCHEMA: &str = include_str!("../../schemas/editor/project.json");

/// The schema of `overlay.yaml`.
pub fn overlay_schema(library: &Library, sources: &Sources) -> Value {
    let mut root: Value = serde_json::from_str(OVERLAY).expect("the frame of the schema is JSON");
    let mut definitions = Map::new();
    let mut by_name = Map::new();
    let mut by_stack = Vec::new();
    let mut names = Vec::new();
    for name in library.names() {
        let Some(stack) = library.stack(name, sources) else { continue };
        names.push(name.to_string());
        let mut inputs = stack.schema.root().to_json();
        let title = format!("stack-{name}");
        move_references(&mut inputs, &title);
        loosen(&mut inputs);
        common(&mut inputs, &stack.description);
        definitions.insert(title.clone(), inputs);
        let reference = json!({"$ref": format!("#/definitions/{title}")});
        by_stack.push(json!({
            "if": {"required": ["stack"], "properties": {"stack": {"const": &**name}}},
            "then": reference.clone(),
        }));
        // Its own name says which stack it is, unless `stack` does.
        by_name.insert(
            name.to_string(),
            json!({
                "description": &*stack.description,
                "type": ["object", "null"],
                "if": {"required": ["stack"]},
                "then": {"$ref": "#/definitions/instance"},
                "else": reference,
            }),
        );
    }
    let instance = json!({
        "type": ["object", "null"],
        "properties": {"stack": {
            "description": "The stack that this is an instance of; the instance's own name without it.",
            "type": "string",
            "enum": names,
        }},
        "allOf": by_stack,
    });
    definitions.insert("instance".to_owned(), instance);
    if let Some(Value::Object(own)) = root.get_mut("definitions") {
        own.append(&mut definitions);
    }
    if let Some(stacks) = root.pointer_mut("/properties/spec/properties/stacks") {
        stacks["properties"] = Value::Object(by_name);
    }
    root
}

/// References point from the root of a schema; here that is a definition.
fn move_references(schema: &mut Value, title: &str) {
    match schema {
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(target) if key == "$ref" => {
                        if let Some(rest) = target.strip_prefix('#') {
                            *target = format!("#/definitions/{title}{rest}");
                        }
                    }
                    _ => move_references(value, title),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| move_references(item, title)),
        _ => {}
    }
}

/// Where maps merge: nothing is required, and null takes away.
fn loosen(schema: &mut Value) {
    let Value::Object(map) = schema else { return };
    for key in ["$schema", "$id", "required", "minProperties", "dependentRequired"] {
        map.remove(key);
    }
    for key in ["properties", "patternProperties", "$defs"] {
        if let Some(Value::Object(members)) = map.get_mut(key) {
            for member in members.values_mut() {
                loosen(member);
                if key != "$defs" {
                    or_null(member);
                }
            }
        }
    }
    if let Some(rest @ Value::Object(_)) = map.get_mut("additionalProperties") {
        loosen(rest);
        or_null(rest);
    }
    if let Some(Value::Array(parts)) = map.get_mut("allOf") {
        parts.iter_mut().for_each(loosen);
    }
}

/// Lets a value be null too.
fn or_null(schema: &mut Value) {
    let Value::Object(map) = schema else { return };
    if let Some(Value::Array(values)) = map.get_mut("enum") {
        values.push(Value::Null);
        if map.get("type").is_none() {
            return;
        }
    }
    match map.get_mut("type") {
        Some(Value::String(one)) => {
            let types = json!([one.as_str(), "null"]);
            map.insert("type".to_owned(), types);
        }
        Some(Value::Array(types)) if !types.contains(&json!("null")) => types.push(json!("null")),
        Some(_) => {}
        None => {
            let conditions = ["$ref", "oneOf", "anyOf", "allOf", "const", "not", "if"];
            if conditions.iter().any(|key| map.contains_key(*key)) {
                let words = ["description", "default", "examples", "title"];
                let mut outer = Map::new();
                for word in words {
                    if let Some(value) = map.get(word) {
                        outer.insert(word.to_owned(), value.clone());
                    }
                }
                outer.insert("anyOf".to_owned(), json!([Value::Object(map.clone()), {"type": "null"}]));
                *map = outer;
            }
        }
    }
}

/// Adds the keys that every instance takes.
fn common(inputs: &mut Value, description: &str) {
    let Value::Object(map) = inputs else { return };
    map.entry("description").or_insert_with(|| json!(description));
    map.insert("type".to_owned(), json!(["object", "null"]));
    let properties = map.entry("properties").or_insert_with(|| json!({}));
    let Value::Object(properties) = properties else { return };
    for key in
        ["stack", "namespace", "namespaceLabels", "version", "values", "charts", "after", "deliver", "helm"]
    {
        properties
            .entry(key)
            .or_insert_with(|| json!({"$ref": format!("#/definitions/common/properties/{key}")}));
    }
}
