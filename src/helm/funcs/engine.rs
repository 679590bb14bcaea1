//! The functions that are part of the engine: `include`, `tpl`, `required`, `fail` (Helm's pkg/engine/engine.go).

use super::{Args, Ctx, FuncError, Function};
use crate::helm::value::Value;
use crate::helm::value::types::{ANY, STRING};

/// Helm's functions that need the template set.
pub static FUNCTIONS: &[Function] = &[
    Function::new("include", &[&STRING, &ANY], include),
    Function::new("tpl", &[&STRING, &ANY], tpl),
    Function::new("required", &[&STRING, &ANY], required),
    Function::new("fail", &[&STRING], fail),
];

fn include(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Value, FuncError> {
    let data = args.take(1);
    let name = args.str(0)?.clone();
    ctx.include(&name, &data)
}

fn tpl(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Value, FuncError> {
    let data = args.take(1);
    let text = args.str(0)?.clone();
    ctx.tpl(&text, &data)
}

/// Refuses nil and the empty string, and nothing else.
fn required(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Value, FuncError> {
    let value = args.take(1);
    let missing = match &value {
        Value::Nil => true,
        Value::String(text) => text.is_empty(),
        _ => false,
    };
    if !missing {
        return Ok(value);
    }
    if ctx.lint() {
        return Ok(Value::string(""));
    }
    Err(Ctx::refuse(args.str(0)?))
}

fn fail(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Value, FuncError> {
    if ctx.lint() {
        return Ok(Value::string(""));
    }
    Err(Ctx::refuse(args.str(0)?))
}
