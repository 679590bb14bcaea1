//! `.Files`.

use crate::helm::chart::ChartFile;
use crate::helm::funcs::{Args, Ctx, FuncError, Function, Registry};
use crate::helm::glob::Glob;
use crate::helm::gopath;
use crate::helm::value::types::{BYTES_MAP, STRING};
use crate::helm::value::{Map, Str, Type, TypeInfo, Value};
use base64::Engine as _;
use std::sync::Arc;

static FILES: TypeInfo = TypeInfo::named("engine.files", &BYTES_MAP, &METHODS);

static ALONE: [Type; 1] = [&FILES];
static WITH_NAME: [Type; 2] = [&FILES, &STRING];
static METHODS: [Function; 6] = [
    Function::new("Get", &WITH_NAME, get),
    Function::new("GetBytes", &WITH_NAME, get_bytes),
    Function::new("Glob", &WITH_NAME, glob),
    Function::new("Lines", &WITH_NAME, lines),
    Function::new("AsConfig", &ALONE, as_config),
    Function::new("AsSecrets", &ALONE, as_secrets),
];

/// The files of a chart by path.
pub(super) fn object(files: &[ChartFile]) -> Value {
    Value::Map(Map::of(&FILES, files.iter().map(|file| (&*file.name, Value::Bytes(Arc::clone(&file.data))))))
}

/// Memory that one byte of a pattern may take once it is read.
const PATTERN_SIZE: usize = 64;

fn content(files: &Map, name: &Str) -> Arc<[u8]> {
    match files.get(name) {
        Some(Value::Bytes(bytes)) => bytes,
        _ => Arc::default(),
    }
}

fn get(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::String(Str::from(content(args.map(0)?, args.str(1)?))))
}

fn get_bytes(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::Bytes(content(args.map(0)?, args.str(1)?)))
}

fn glob(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Value, FuncError> {
    let pattern = args.str(1)?;
    ctx.charge(pattern.len().saturating_mul(PATTERN_SIZE))?;
    // A malformed pattern means everything (helm 4.2.4 `pkg/engine/files.go`).
    let glob = Glob::parse(&pattern.to_str_lossy()).unwrap_or_else(|_bad| Glob::all());
    let mut found = Vec::new();
    for (name, content) in args.map(0)?.entries() {
        let shown = name.to_str_lossy();
        ctx.spend(1 + (glob.size() as u64 * shown.len() as u64) / 16)?;
        if glob.matches(&shown) {
            found.push((name.clone(), content));
        }
    }
    Ok(Value::Map(Map::of(&FILES, found)))
}

fn lines(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Value, FuncError> {
    let files = args.map(0)?;
    let name = args.str(1)?;
    if !files.contains(name) {
        return Ok(Value::strings(Vec::<Str>::new()));
    }
    let content = content(files, name);
    // Helm looks at the last byte without asking whether there is one.
    if content.is_empty() {
        return Err(FuncError::message("runtime error: index out of range [-1]"));
    }
    let text = content.strip_suffix(b"\n").unwrap_or(&content);
    let count = memchr::memchr_iter(b'\n', text).count() + 1;
    ctx.spend(count as u64)?;
    ctx.charge(count.saturating_mul(size_of::<Value>()).saturating_add(text.len()))?;
    Ok(Value::strings(text.split(|b| *b == b'\n').map(Str::new)))
}

fn as_config(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Value, FuncError> {
    by_name(ctx, args, Str::new)
}

fn as_secrets(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Value, FuncError> {
    by_name(ctx, args, |bytes| base64::engine::general_purpose::STANDARD.encode(bytes).into())
}

/// The files by their last name, as YAML.
fn by_name(
    ctx: &mut Ctx<'_>,
    args: &mut Args<'_>,
    convert: impl Fn(&[u8]) -> Str,
) -> Result<Value, FuncError> {
    let entries = args.map(0)?.entries();
    ctx.spend(entries.len() as u64)?;
    for (_, content) in &entries {
        if let Value::Bytes(bytes) = content {
            ctx.charge(bytes.len())?;
        }
    }
    let named = entries.iter().filter_map(|(name, value)| match value {
        Value::Bytes(bytes) => {
            Some((gopath::base(&name.to_str_lossy()).to_owned(), Value::String(convert(bytes))))
        }
        _ => None,
    });
    let map = Value::map(named);
    let to_yaml = Registry::of(ctx.profile()).get("toYaml");
    match to_yaml.map(|function| function.body) {
        Some(crate::helm::funcs::Body::Plain(call)) => call(ctx, &mut Args::new(&mut [map])),
        _ => Err(FuncError::message("toYaml is missing")),
    }
}
