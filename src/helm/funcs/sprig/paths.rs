//! Paths with `/` (Go's `path`; on the machines that Helm runs on `path/filepath` is the same but for one case).

use crate::helm::funcs::Function;
use crate::helm::gopath;
use crate::helm::value::types::STRING;
use crate::helm::value::{Str, Value};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("base", &[&STRING], |_, args| Ok(slice(gopath::base_bytes(args.str(0)?)))),
    Function::new("dir", &[&STRING], |_, args| Ok(Value::String(gopath::dir_bytes(args.str(0)?).into()))),
    Function::new("clean", &[&STRING], |_, args| Ok(Value::String(gopath::clean_bytes(args.str(0)?).into()))),
    Function::new("ext", &[&STRING], |_, args| Ok(slice(gopath::extension_bytes(args.str(0)?)))),
    Function::new("isAbs", &[&STRING], |_, args| Ok(args.str(0)?.starts_with(b"/").into())),
    Function::new("osBase", &[&STRING], |_, args| Ok(slice(gopath::base_bytes(args.str(0)?)))),
    Function::new("osClean", &[&STRING], |_, args| {
        Ok(Value::String(gopath::clean_bytes(args.str(0)?).into()))
    }),
    Function::new("osDir", &[&STRING], |_, args| Ok(Value::String(gopath::dir_bytes(args.str(0)?).into()))),
    Function::new("osExt", &[&STRING], |_, args| Ok(slice(gopath::extension_bytes(args.str(0)?)))),
    Function::new("osIsAbs", &[&STRING], |_, args| Ok(args.str(0)?.starts_with(b"/").into())),
];

fn slice(bytes: &[u8]) -> Value {
    Value::String(Str::new(bytes))
}
