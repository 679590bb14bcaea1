//! Paths with `/` (Go's `path`; on the machines that Helm runs on `path/filepath` is the same but for one case).

use crate::helm::funcs::Function;
use crate::helm::value::types::STRING;
use crate::helm::value::{Str, Value};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("base", &[&STRING], |_, args| Ok(slice(base(args.str(0)?)))),
    Function::new("dir", &[&STRING], |_, args| Ok(Value::String(dir(args.str(0)?).into()))),
    Function::new("clean", &[&STRING], |_, args| Ok(Value::String(clean(args.str(0)?).into()))),
    Function::new("ext", &[&STRING], |_, args| Ok(slice(ext(args.str(0)?)))),
    Function::new("isAbs", &[&STRING], |_, args| Ok(args.str(0)?.starts_with(b"/").into())),
    Function::new("osBase", &[&STRING], |_, args| Ok(slice(base(args.str(0)?)))),
    Function::new("osClean", &[&STRING], |_, args| Ok(Value::String(clean(args.str(0)?).into()))),
    Function::new("osDir", &[&STRING], |_, args| Ok(Value::String(dir(args.str(0)?).into()))),
    Function::new("osExt", &[&STRING], |_, args| Ok(slice(ext(args.str(0)?)))),
    Function::new("osIsAbs", &[&STRING], |_, args| Ok(args.str(0)?.starts_with(b"/").into())),
];

fn slice(bytes: &[u8]) -> Value {
    Value::String(Str::new(bytes))
}

/// `path.Clean`.
fn clean(path: &[u8]) -> Vec<u8> {
    let rooted = path.starts_with(b"/");
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|&b| b == b'/') {
        match part {
            b"" | b"." => {}
            b".." if parts.last().is_some_and(|last| *last != b"..") => {
                parts.pop();
            }
            b".." if rooted => {}
            _ => parts.push(part),
        }
    }
    let joined = parts.join(&b'/');
    match (rooted, joined.is_empty()) {
        (true, _) => [b"/".as_slice(), &joined].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => joined,
    }
}

/// `path.Base`.
fn base(path: &[u8]) -> &[u8] {
    if path.is_empty() {
        return b".";
    }
    let end = path.iter().rposition(|&b| b != b'/').map_or(0, |at| at + 1);
    if end == 0 {
        return b"/";
    }
    let start = memchr::memrchr(b'/', &path[..end]).map_or(0, |at| at + 1);
    &path[start..end]
}

/// `path.Dir`.
fn dir(path: &[u8]) -> Vec<u8> {
    clean(&path[..memchr::memrchr(b'/', path).map_or(0, |at| at + 1)])
}

/// `path.Ext`.
fn ext(path: &[u8]) -> &[u8] {
    let start = memchr::memrchr(b'/', path).map_or(0, |at| at + 1);
    memchr::memrchr(b'.', &path[start..]).map_or(&[], |at| &path[start + at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_gos() {
        for (path, want) in [
            ("", "."),
            ("a//b/../c/.", "a/c"),
            ("/../a", "/a"),
            ("../../a", "../../a"),
            ("a/..", "."),
            ("/", "/"),
            ("a/../..", ".."),
        ] {
            assert_eq!(clean(path.as_bytes()), want.as_bytes(), "{path}");
        }
        assert_eq!((base(b"a/b//"), base(b"//"), base(b"")), (&b"b"[..], &b"/"[..], &b"."[..]));
        assert_eq!((dir(b"a/b"), dir(b"a"), dir(b"/a")), (b"a".to_vec(), b".".to_vec(), b"/".to_vec()));
        assert_eq!((ext(b"a.b/c"), ext(b"x.tar.gz")), (&b""[..], &b".gz"[..]));
    }
}
