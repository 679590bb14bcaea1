//! Types and kinds.

use crate::helm::funcs::Function;
use crate::helm::value::types::{ANY, STRING};
use crate::helm::value::{Str, deep_equal};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("typeOf", &[&ANY], |_, args| Ok(args.value(0).type_name().into())),
    Function::new("typeIs", &[&STRING, &ANY], |_, args| {
        Ok((args.str(0)? == args.value(1).type_name()).into())
    }),
    Function::new("typeIsLike", &[&STRING, &ANY], |_, args| {
        let (wanted, name) = (args.str(0)?, args.value(1).type_name());
        Ok((wanted == name || name.strip_prefix('*').is_some_and(|name| wanted == name)).into())
    }),
    Function::new("kindOf", &[&ANY], |_, args| Ok(args.value(0).kind().name().into())),
    Function::new("kindIs", &[&STRING, &ANY], |_, args| {
        let wanted: &Str = args.str(0)?;
        Ok((wanted == args.value(1).kind().name()).into())
    }),
    Function::new("deepEqual", &[&ANY, &ANY], |ctx, args| {
        ctx.spend(1)?;
        Ok(deep_equal(args.value(0), args.value(1)).into())
    }),
];
