use super::Quick;
use crate::helm::schema::cost::Left;
use crate::helm::schema::{Schema, compile};
use crate::helm::values::{Table, from_json, table_to_json};
use crate::value::Origin;
use std::sync::Arc;

const VALUES: &[&str] = &[
    "{}",
    r#"{"a":null}"#,
    r#"{"a":true}"#,
    r#"{"a":1}"#,
    r#"{"a":1.5}"#,
    r#"{"a":-3}"#,
    r#"{"a":9007199254740993}"#,
    r#"{"a":""}"#,
    r#"{"a":"x"}"#,
    r#"{"a":"höher"}"#,
    r#"{"a":"2024-01-01T00:00:00Z"}"#,
    r#"{"a":[]}"#,
    r#"{"a":["x","x"]}"#,
    r#"{"a":["x","y",1]}"#,
    r#"{"a":{}}"#,
    r#"{"a":{"b":1}}"#,
    r#"{"a":{"b":"x","c":null}}"#,
    r#"{"a":1,"b":2}"#,
    r#"{"b":"x"}"#,
];

/// What may stand for the value of `a`.
const SUBSCHEMAS: &[&str] = &[
    "true",
    "false",
    "{}",
    r#"{"type":"integer"}"#,
    r#"{"type":"number"}"#,
    r#"{"type":["string","null"]}"#,
    r#"{"type":[]}"#,
    r#"{"type":["string","string"]}"#,
    r#"{"type":"any"}"#,
    r#"{"type":"object","required":["b"],"properties":{"b":{"type":"integer"}}}"#,
    r#"{"required":[]}"#,
    r#"{"required":["b","b"]}"#,
    r#"{"required":true}"#,
    r#"{"additionalProperties":false,"properties":{"b":true}}"#,
    r#"{"additionalProperties":{"type":"string"}}"#,
    r#"{"items":{"type":"string"},"uniqueItems":true}"#,
    r#"{"items":[{"type":"string"}]}"#,
    r#"{"minItems":1,"maxItems":2}"#,
    r#"{"minLength":2,"maxLength":5}"#,
    r#"{"minLength":-1}"#,
    r#"{"minProperties":1,"maxProperties":1}"#,
    r#"{"minimum":1,"exclusiveMaximum":1.5}"#,
    r#"{"minimum":1,"exclusiveMinimum":true}"#,
    r#"{"enum":["x",1,null]}"#,
    r#"{"enum":[1,1.0]}"#,
    r#"{"enum":[]}"#,
    r#"{"enum":[{"b":1},[]]}"#,
    r#"{"const":"x"}"#,
    r#"{"const":{"b":1}}"#,
    r#"{"const":1,"enum":[1,2]}"#,
    r#"{"format":"date-time"}"#,
    r#"{"format":"int32"}"#,
    r#"{"format":3}"#,
    r#"{"anyOf":[{"type":"string"},{"minimum":1}]}"#,
    r#"{"oneOf":[{"type":"number"},{"minimum":1}]}"#,
    r#"{"allOf":[{"type":"number"},{"not":{"minimum":1}}]}"#,
    r#"{"allOf":[]}"#,
    r#"{"if":{"type":"string"},"then":{"minLength":2},"else":{"type":"integer"}}"#,
    r#"{"then":{"type":"string"}}"#,
    r#"{"if":true,"else":false}"#,
    r##"{"$ref":"#/definitions/text","minLength":2}"##,
    r##"{"$ref":"#/$defs/text"}"##,
    r##"{"$ref":"#/$defs/none"}"##,
    r##"{"$ref":"#"}"##,
    r#"{"pattern":"^x"}"#,
    r#"{"pattern":"^[a-f0-9]{64}$","type":["string","null"]}"#,
    r#"{"multipleOf":2}"#,
    r#"{"patternProperties":{"^b":{"type":"string"}}}"#,
    r#"{"propertyNames":{"maxLength":0}}"#,
    r#"{"dependencies":{"b":["c"]}}"#,
    r#"{"contains":{"type":"integer"}}"#,
    r#"{"title":1}"#,
    r#"{"description":"d","default":{"any":[1]},"examples":[1],"x-more":{"type":3}}"#,
    r#"{"$id":"x","type":"string"}"#,
    r#"{"type":"string","type":"integer"}"#,
];

const DRAFTS: &[&str] = &[
    "",
    r#""$schema":"http://json-schema.org/draft-04/schema#","#,
    r#""$schema":"http://json-schema.org/draft-06/schema#","#,
    r#""$schema":"http://json-schema.org/draft-07/schema#","#,
    r#""$schema":"https://json-schema.org/draft/2019-09/schema","#,
    r#""$schema":"https://json-schema.org/draft/2020-12/schema","#,
    r#""$schema":"http://json-schema.org/schema#","#,
    r#""$schema":"https://example.org/schema","#,
    r#""$id":"https://example.org/values.schema.json","#,
];

fn table(text: &str) -> Table {
    let json: serde_json::Value = serde_json::from_str(text).expect("json");
    Arc::clone(from_json(&json, &Origin::Compiler).as_table().expect("a table"))
}

#[test]
fn what_is_allowed_the_validator_allows() {
    let mut allowed = 0;
    for draft in DRAFTS {
        for inner in SUBSCHEMAS {
            let schema = format!(
                r#"{{{draft}"properties":{{"a":{inner}}},"definitions":{{"text":{{"type":"string"}}}},"$defs":{{"text":{{"type":"string"}}}}}}"#
            );
            let Some(quick) = Quick::read(schema.as_bytes()) else { continue };
            let compiled = compile(schema.as_bytes()).unwrap_or_else(|error| panic!("{schema}: {error}"));
            for values in VALUES {
                let values = table(values);
                if quick.allows(&values, &mut Left::default()) {
                    allowed += 1;
                    assert!(compiled.validator.is_valid(&table_to_json(&values)), "{schema} {values:?}");
                }
            }
        }
    }
    assert!(allowed > 1000, "{allowed}");
}

#[test]
fn common_schemas_need_no_validator() {
    let schema = r##"{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","required":["a"],
        "properties":{"a":{"$ref":"#/definitions/a"},"b":{"anyOf":[{"type":"string"},{"type":"null"}]}},
        "definitions":{"a":{"type":"object","additionalProperties":{"type":["integer","string"]}}}}"##;
    let quick = Quick::read(schema.as_bytes()).expect("known in all parts");
    for (values, allowed) in [
        (r#"{"a":{"b":1,"c":"x"}}"#, true),
        (r#"{"a":{},"b":null}"#, true),
        (r#"{"a":{},"b":1}"#, false),
        (r#"{"a":{"b":1.5}}"#, false),
        ("{}", false),
    ] {
        assert_eq!(quick.allows(&table(values), &mut Left::default()), allowed, "{values}");
        let checked = Schema::new(schema.as_bytes().into()).check(&table(values), &mut Left::default());
        assert_eq!(checked.is_ok(), allowed, "{values}");
    }
}

#[test]
fn what_is_not_known_is_left_to_the_validator() {
    for schema in [
        "true",
        "{",
        "{} x",
        r#"{"properties":{"a":{"pattern":"("}}}"#,
        r#"{"properties":{"a":{"pattern":"[z-a]"}}}"#,
        r#"{"properties":{"a":{"pattern":"a{2,1}"}}}"#,
        r#"{"$id":"https://example.org/a#b"}"#,
        r#"{"properties":{"a":{"$id":"https://example.org/a"}}}"#,
        r#"{"properties":{"a":{"$anchor":"a"}}}"#,
        r#"{"properties":{"a":{"$ref":"https://example.org/x.json"}}}"#,
        r##"{"$ref":"#/properties/a","properties":{"a":{}}}"##,
    ] {
        assert!(Quick::read(schema.as_bytes()).is_none(), "{schema}");
    }
    // A schema that leads to itself has no end, and one that branches at every step none that can be waited for.
    for schema in [
        r##"{"$ref":"#"}"##,
        r##"{"anyOf":[{"$ref":"#"},{"$ref":"#"}]}"##,
        r##"{"definitions":{"a":{"oneOf":[{"$ref":"#/definitions/a"},{"$ref":"#"}]}},"not":{"$ref":"#/definitions/a"}}"##,
    ] {
        assert!(
            !Quick::read(schema.as_bytes()).expect("known").allows(&table("{}"), &mut Left::default()),
            "{schema}"
        );
    }
}
