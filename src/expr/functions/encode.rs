//! Text that holds data: `yaml`, `json`, `lines`, `sha256`, base64.

use super::{Function, Tools, global, list, text, wants, within};
use crate::expr::data::{Val, integral};
use crate::expr::fault::Fault;
use crate::expr::result::to_node;
use crate::value::{Node, Number, Origin, Value};
use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use std::fmt::Write;

pub(super) const TABLE: &[Function] = &[
    global("yaml", 1, 1, "yaml(x)", yaml),
    global("json", 1, 1, "json(x)", json),
    global("lines", 1, 1, "lines(list)", lines),
    global("sha256", 1, 1, "sha256(text)", |_, args| {
        let digest = match &args[0] {
            Val::String(text) => Sha256::digest(text.as_bytes()),
            Val::Bytes(bytes) => Sha256::digest(bytes),
            other => return Err(wants("a string", other).help("write `sha256(json(x))` for data")),
        };
        let mut hex = String::with_capacity(64);
        for byte in digest {
            let _written = write!(hex, "{byte:02x}");
        }
        Ok(Val::text(hex))
    }),
    within("base64", "encode", 1, 1, "base64.encode(bytes(text))", |tools, args| {
        let bytes: &[u8] = match &args[0] {
            Val::Bytes(bytes) => bytes,
            Val::String(text) => text.as_bytes(),
            other => return Err(wants("bytes", other)),
        };
        tools.budget.text(bytes.len() * 4 / 3 + 4)?;
        Ok(Val::text(STANDARD.encode(bytes)))
    }),
    within("base64", "decode", 1, 1, "base64.decode(text)", |_, args| {
        let text = text(&args[0])?;
        decode(text)
            .map(|bytes| Val::Bytes(bytes.into()))
            .ok_or_else(|| Fault::of_value("the text is no base64"))
    }),
];

/// Base64 with or without its padding.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(&base64::alphabet::STANDARD, config).decode(text).ok()
}

/// As `kubectl` prints it, with a line break at the end.
fn yaml<'a>(tools: &mut Tools, args: &[Val<'a>]) -> Result<Val<'a>, Fault> {
    let mut node = to_node(&args[0], &Origin::Compiler, &mut tools.budget)?;
    whole_numbers(&mut node);
    let mut out = Vec::new();
    let written = crate::yaml::write(&node, crate::yaml::Keys::Natural, &mut out);
    let text = written.ok().and_then(|()| String::from_utf8(out).ok());
    let text =
        text.ok_or_else(|| Fault::of_value("this value cannot be written as YAML: it nests too deep"))?;
    tools.budget.text(text.len())?;
    Ok(Val::text(text))
}

fn json<'a>(tools: &mut Tools, args: &[Val<'a>]) -> Result<Val<'a>, Fault> {
    let mut node = to_node(&args[0], &Origin::Compiler, &mut tools.budget)?;
    whole_numbers(&mut node);
    let text = node.to_json().to_string();
    tools.budget.text(text.len())?;
    Ok(Val::text(text))
}

/// Numbers that are whole become integers: they print without a fraction.
fn whole_numbers(node: &mut Node) {
    match &mut node.value {
        Value::Number(Number::Float(number)) => {
            if let Some(whole) = integral(*number) {
                node.value = Value::Number(Number::Int(whole));
            }
        }
        Value::List(items) => items.iter_mut().for_each(whole_numbers),
        Value::Map(map) => map.values_mut().for_each(|entry| whole_numbers(&mut entry.node)),
        _ => {}
    }
}

/// The items as lines, each with its line break.
fn lines<'a>(tools: &mut Tools, args: &[Val<'a>]) -> Result<Val<'a>, Fault> {
    let mut out = String::new();
    for (index, item) in list(&args[0])?.items()?.iter().enumerate() {
        match item {
            Val::String(_) | Val::Int(_) | Val::Uint(_) | Val::Double(_) | Val::Bool(_) => {
                out.push_str(&super::convert::text_of(item).unwrap_or_default());
            }
            other => {
                return Err(Fault::of_type(format!(
                    "`lines` takes a list of scalars; item {index} is {}",
                    other.noun()
                ))
                .help("turn the items into text first: `.map(x, string(x))`"));
            }
        }
        out.push('\n');
        tools.budget.text(out.len())?;
    }
    Ok(Val::text(out))
}
