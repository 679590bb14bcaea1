//! `docs/stacks.md`: every stack with its inputs, what it needs and what it gives, as its schema and definition say.
//!
//! `STACKC_BLESS=1` writes the page anew; nobody edits it by hand. An example is the schema's own, or made of the
//! examples of what it requires, and is held against the schema.

use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A stack with the schema of its inputs.
struct Stack {
    definition: Json,
    schema: Json,
}

fn stacks() -> BTreeMap<String, Stack> {
    let read = |definition: &Path, schema: &Path| {
        let text = fs::read_to_string(definition).expect("a readable stack");
        let definition = yaml_serde::from_str(&text).expect("a stack that is YAML");
        let text = fs::read_to_string(schema).expect("a readable schema");
        Stack { definition, schema: serde_json::from_str(&text).expect("a schema that is JSON") }
    };
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(root().join("stacks")).expect("the folder of stacks") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        let definition = root().join("stacks").join(&name).join("stack.yaml");
        let schema = root().join("schemas").join(format!("{name}.schema.json"));
        found.insert(name, read(&definition, &schema));
    }
    for name in stackc::load::SYNTHETIC_STACKS {
        let folder = root().join("src/load/builtin");
        let (definition, schema) =
            (folder.join(format!("{name}.yaml")), folder.join(format!("{name}.schema.json")));
        found.insert((*name).to_owned(), read(&definition, &schema));
    }
    found
}

fn list<'j>(holder: &'j Json, keys: &[&str]) -> &'j [Json] {
    let mut at = holder;
    for key in keys {
        at = &at[*key];
    }
    at.as_array().map_or(&[], Vec::as_slice)
}

/// A schema with its `$ref` followed.
fn followed<'j>(schema: &'j Json, whole: &'j Json) -> &'j Json {
    let pointer = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    pointer.and_then(|pointer| whole.pointer(pointer)).unwrap_or(schema)
}

/// The type of an input, in words.
fn kind(schema: &Json, whole: &Json) -> String {
    let schema = followed(schema, whole);
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<String> = words.iter().map(|word| format!("`{}`", plain(word))).collect();
        return words.join(", ");
    }
    let bounds = |least: &str, most: &str, what: &str| match (&schema[least], &schema[most]) {
        (Json::Null, Json::Null) => what.to_owned(),
        (least, Json::Null) => format!("{what}, at least {least}"),
        (Json::Null, most) => format!("{what}, at most {most}"),
        (least, most) => format!("{what}, {least} to {most}"),
    };
    match schema["type"].as_str() {
        Some("array") => format!("list of {}", kind(&schema["items"], whole)),
        Some("object") if schema["additionalProperties"].is_object() => {
            format!("map of {}", kind(&schema["additionalProperties"], whole))
        }
        Some("object") => "map".to_owned(),
        Some("integer") => bounds("minimum", "maximum", "integer"),
        Some(other) => other.to_owned(),
        None => {
            let forms = ["oneOf", "anyOf"].iter().find_map(|key| schema[*key].as_array());
            let forms = forms.map(|forms| forms.iter().map(|form| kind(form, whole)).collect::<Vec<_>>());
            forms.map_or_else(|| "anything".to_owned(), |forms| forms.join(" or "))
        }
    }
}

/// A scalar without quotes, anything else as JSON.
fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// One row for every input, those inside maps and lists of maps below them.
fn rows(prefix: &str, schema: &Json, whole: &Json, out: &mut String) {
    let required: Vec<&str> = list(schema, &["required"]).iter().filter_map(Json::as_str).collect();
    let Some(properties) = schema["properties"].as_object() else { return };
    for (name, own) in properties {
        let path = format!("{prefix}{name}");
        let inner = followed(own, whole);
        let default = match (&own["default"], required.contains(&name.as_str())) {
            (Json::Null, true) => "required".to_owned(),
            (Json::Null, false) => String::new(),
            (Json::Object(map), _) if map.is_empty() => String::new(),
            (default, _) => format!("`{}`", plain(default)),
        };
        let words = own["description"].as_str().or_else(|| inner["description"].as_str()).unwrap_or_default();
        let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
        let _ = writeln!(
            out,
            "| `{path}` | {} | {} | {} |",
            cell(&kind(own, whole)),
            cell(&default),
            cell(words)
        );
        rows(&format!("{path}."), inner, whole, out);
        let members = followed(&inner["additionalProperties"], whole);
        rows(&format!("{path}.*."), members, whole, out);
        rows(&format!("{path}[]."), followed(&inner["items"], whole), whole, out);
    }
}

/// The shortest value that a schema takes: its own example, else one made of what it requires.
fn example(schema: &Json, whole: &Json) -> Json {
    let inner = followed(schema, whole);
    let own = schema["examples"].get(0).or_else(|| inner["examples"].get(0));
    if let Some(own) = own.or_else(|| schema.get("default")).or_else(|| inner["enum"].get(0)) {
        return own.clone();
    }
    match inner["type"].as_str() {
        Some("object") => {
            let names = list(inner, &["required"]).iter().filter_map(Json::as_str);
            let mut map: Map<String, Json> =
                names.map(|name| (name.to_owned(), example(&inner["properties"][name], whole))).collect();
            if map.is_empty() && inner["additionalProperties"].is_object() {
                map.insert("name".to_owned(), example(&inner["additionalProperties"], whole));
            }
            Json::Object(map)
        }
        Some("array") => Json::Array(vec![example(&inner["items"], whole)]),
        Some("integer" | "number") => inner.get("minimum").cloned().unwrap_or_else(|| 1.into()),
        Some("boolean") => true.into(),
        _ => "...".into(),
    }
}

/// What a stack needs or gives, in words.
fn capabilities(items: &[Json]) -> String {
    let words: Vec<String> = items
        .iter()
        .map(|item| {
            let name = item.as_str().or_else(|| item["name"].as_str()).unwrap_or_default();
            let mut notes = Vec::new();
            if item["optional"] == true {
                notes.push("if there is one");
            }
            if item["yields"] == true {
                notes.push("steps back for another");
            }
            if item.get("when").is_some() {
                notes.push("by its inputs");
            }
            if notes.is_empty() { format!("`{name}`") } else { format!("`{name}` ({})", notes.join(", ")) }
        })
        .collect();
    if words.is_empty() { "nothing".to_owned() } else { words.join(", ") }
}

fn charts(stack: &Stack) -> String {
    let charts =
        list(&stack.definition, &["spec", "charts"]).iter().filter(|chart| chart["chart"].is_object());
    let words: Vec<String> = charts
        .map(|release| {
            let chart = &release["chart"];
            let source = &chart["source"];
            let place = source.as_str().or_else(|| source["url"].as_str()).or_else(|| source["git"].as_str());
            let version = plain(&chart["version"]);
            let version = if version.contains("inputs.version") {
                plain(&stack.schema["properties"]["version"]["default"])
            } else {
                version
            };
            format!("`{}` {version} from `{}`", plain(&chart["name"]), place.unwrap_or_default())
        })
        .collect();
    words.join(", ")
}

fn section(name: &str, stack: &Stack, out: &mut String) {
    let spec = &stack.definition["spec"];
    let words = stack.schema["description"].as_str().unwrap_or_default();
    let _ = write!(out, "\n## {name}\n\n{words}\n\n");
    let _ = writeln!(out, "- Needs: {}", capabilities(list(spec, &["requires"])));
    let _ = writeln!(out, "- Gives: {}", capabilities(list(spec, &["provides"])));
    if let Some(namespace) = spec["namespace"].as_str() {
        let _ = writeln!(out, "- Namespace: `{namespace}`");
    }
    let charts = charts(stack);
    if !charts.is_empty() {
        let _ = writeln!(out, "- Chart: {charts}");
    }
    let secrets: Vec<String> = list(spec, &["secrets"])
        .iter()
        .filter_map(|secret| {
            let name = secret["name"].as_str()?;
            let keys = secret["keys"].as_object()?.keys().map(|key| format!("`{}`", named(key)));
            let keys: Vec<String> = keys.collect();
            Some(format!("`{}` with {}", named(name), keys.join(", ")))
        })
        .collect();
    if !secrets.is_empty() {
        let _ = writeln!(out, "- Secrets: {}", secrets.join("; "));
    }
    for (severity, word) in [("error", "Refuses"), ("warning", "Warns of")] {
        let checks = list(spec, &["checks"]).iter();
        let checks = checks.filter(|check| check["severity"].as_str().unwrap_or("error") == severity);
        let ids: Vec<String> =
            checks.filter_map(|check| Some(format!("`{}`", check["id"].as_str()?))).collect();
        if !ids.is_empty() {
            let _ = writeln!(out, "- {word}: {}", ids.join(", "));
        }
    }
    let example = example(&stack.schema, &stack.schema);
    let text = yaml_serde::to_string(&BTreeMap::from([(name, &example)])).expect("JSON is YAML");
    let _ = write!(out, "\n```yaml\nstacks:\n");
    for line in text.lines() {
        let _ = writeln!(out, "  {line}");
    }
    let _ = writeln!(out, "```");
    let mut table = String::new();
    rows("", &stack.schema, &stack.schema, &mut table);
    if !table.is_empty() {
        let _ = write!(out, "\n| Input | Type | Default | |\n|---|---|---|---|\n{table}");
    }
}

/// A name that follows from inputs, by the input that it follows from.
fn named(text: &str) -> &str {
    text.strip_prefix("${").and_then(|text| text.strip_suffix('}')).unwrap_or(text)
}

const INTRODUCTION: &str = "# Stacks

The stacks that stackc carries: what each needs of others, what it gives them, and its inputs. An overlay names them below
`spec.stacks`; `stackc stack eject NAME` copies one into a project, and [write-a-stack.md](write-a-stack.md) makes a new one.

Every instance takes these too:

| Key | |
|---|---|
| `stack` | the stack, where the instance has a name of its own |
| `namespace`, `namespaceLabels` | where its objects live, and labels of that Namespace |
| `version`, `values` | of its one chart; `values` is merged last, over what the stack computes |
| `charts.RELEASE.version`, `charts.RELEASE.values` | the same where a stack has several charts |
| `after` | instances that have to be ready first, beyond what follows from needs |
| `deliver.charts`, `helm` | how its charts are delivered, and which Helm they are rendered as |

*Refuses* and *Warns of* name the stack's own checks, by the word that stands in brackets in their messages. In the tables `*` stands for the name of a member of a map, `[]` for an item of a list. A default that is not written is
that the input is absent.

This page is made from the schemas and definitions by the tests.
";

#[test]
fn the_page_of_stacks_is_current() {
    let mut page = INTRODUCTION.to_owned();
    for (name, stack) in stacks() {
        section(&name, &stack, &mut page);
    }
    let path = root().join("docs/stacks.md");
    if std::env::var_os("STACKC_BLESS").is_some() {
        fs::write(&path, &page).expect("a writable page");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == page, "docs/stacks.md is not what the stacks say: run the tests with STACKC_BLESS=1");
}

#[test]
fn every_input_is_described_and_every_example_fits() {
    let mut wrong = Vec::new();
    for (name, stack) in stacks() {
        let mut table = String::new();
        rows("", &stack.schema, &stack.schema, &mut table);
        wrong.extend(
            table.lines().filter(|row| row.ends_with("|  |")).map(|row| format!("{name}: no words: {row}")),
        );
        let example = example(&stack.schema, &stack.schema);
        let validator = jsonschema::validator_for(&stack.schema).expect("a schema that compiles");
        wrong.extend(
            validator.iter_errors(&example).map(|error| format!("{name}: the example {example}: {error}")),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
