//! Choosing between values, and JSON as sprig has it.

use super::cast::is_empty;
use crate::helm::funcs::{Args, Ctx, FuncError, Function};
use crate::helm::gojson;
use crate::helm::value::Value;
use crate::helm::value::types::{ANY, BOOL, STRING};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::variadic("default", &[&ANY, &ANY], |_, args| {
        // Only the first of the given values counts.
        Ok(args.take(usize::from(args.len() > 1 && !is_empty(args.value(1)))))
    }),
    Function::new("empty", &[&ANY], |_, args| Ok(is_empty(args.value(0)).into())),
    Function::variadic("coalesce", &[&ANY], |_, args| {
        Ok(args.all().iter().find(|value| !is_empty(value)).cloned().unwrap_or_default())
    }),
    Function::variadic("all", &[&ANY], |_, args| Ok((!args.all().iter().any(is_empty)).into())),
    Function::variadic("any", &[&ANY], |_, args| Ok((!args.all().iter().all(is_empty)).into())),
    Function::new("ternary", &[&ANY, &ANY, &BOOL], |_, args| Ok(args.take(usize::from(!args.bool(2)?)))),
    Function::new("mustFromJson", &[&STRING], |ctx, args| {
        let text = args.str(0)?;
        ctx.charge(text.len())?;
        let (value, error) = gojson::decode(text, gojson::Target::Any);
        match error {
            None => Ok(value),
            Some(error) => Err(FuncError::message(error)),
        }
    }),
    Function::new("toPrettyJson", &[&ANY], |ctx, args| quiet(encode(ctx, args, gojson::Style::Pretty))),
    Function::new("mustToPrettyJson", &[&ANY], |ctx, args| encode(ctx, args, gojson::Style::Pretty)),
    Function::new("toRawJson", &[&ANY], |ctx, args| encode(ctx, args, gojson::Style::Raw)),
    Function::new("mustToRawJson", &[&ANY], |ctx, args| encode(ctx, args, gojson::Style::Raw)),
];

type Answer = Result<Value, FuncError>;

fn encode(ctx: &mut Ctx<'_>, args: &mut Args<'_>, style: gojson::Style) -> Answer {
    gojson::encode(ctx, args.value(0), style).map(|text| Value::String(text.into()))
}

/// The empty text in place of an error.
fn quiet(answer: Answer) -> Answer {
    match answer {
        Err(FuncError::Message(_)) => Ok("".into()),
        other => other,
    }
}
