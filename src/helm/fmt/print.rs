//! Verbs over values (Go's fmt/print.go).

use super::MAX_BYTES;
use super::format::{Flags, Formatter};
use crate::helm::strconv::{append_float, decode_rune};
use crate::helm::template::FuncError;
use crate::helm::value::{Kind, ObjectRef, Value};

/// How deep a printed value may be nested.
const MAX_NESTING: usize = 1000;

/// `fmt.Sprintf`.
pub fn sprintf(format: &[u8], args: &[Value]) -> Result<Vec<u8>, FuncError> {
    let mut printer = Printer::default();
    printer.printf(format, args)?;
    printer.finish()
}

/// `fmt.Sprint`: a space between two operands of which neither is a string.
pub fn sprint(args: &[Value]) -> Result<Vec<u8>, FuncError> {
    let mut printer = Printer::default();
    let mut after_string = false;
    for (at, arg) in args.iter().enumerate() {
        let string = arg.kind() == Kind::String;
        if at > 0 && !string && !after_string {
            printer.to.write(b" ");
        }
        printer.argument(arg, 'v')?;
        after_string = string;
    }
    printer.finish()
}

/// `fmt.Sprintln`: spaces between all operands, and a newline.
pub fn sprintln(args: &[Value]) -> Result<Vec<u8>, FuncError> {
    let mut printer = Printer::default();
    for (at, arg) in args.iter().enumerate() {
        if at > 0 {
            printer.to.write(b" ");
        }
        printer.argument(arg, 'v')?;
    }
    printer.to.write(b"\n");
    printer.finish()
}

/// Appends one value as `%v` prints it.
pub fn append_value(out: &mut Vec<u8>, value: &Value) -> Result<(), FuncError> {
    match value {
        Value::Nil => out.extend_from_slice(b"<nil>"),
        Value::Bool(b) => out.extend_from_slice(if *b { b"true" } else { b"false" }),
        Value::Int(_, n) => append_int(out, *n),
        Value::Uint(_, n) => out.extend_from_slice(n.to_string().as_bytes()),
        Value::Float(f) => append_float(out, *f, b'g', None),
        Value::String(text) => out.extend_from_slice(text),
        _ => {
            let mut printer = Printer {
                to: Formatter { out: std::mem::take(out), ..Formatter::default() },
                ..Printer::default()
            };
            let result = printer.argument(value, 'v');
            *out = printer.to.out;
            result?;
            if printer.to.full {
                return Err(too_large());
            }
        }
    }
    Ok(())
}

/// Appends a value as `{{ }}` prints it: a pointer as what it points at, with the methods of the pointer.
pub fn append_indirect(out: &mut Vec<u8>, value: &Value) -> Result<(), FuncError> {
    if let Value::Object(object) = value {
        if let Some(text) = object.to_text_addressed() {
            out.extend_from_slice(&text);
            return Ok(());
        }
        if object.type_of().kind == Kind::Ptr {
            if let Some(pointee) = object.pointee() {
                return append_value(out, &pointee);
            }
            let mut printer = Printer::default();
            printer.fields(object, "", 'v', 0)?;
            out.extend(printer.finish()?);
            return Ok(());
        }
    }
    append_value(out, value)
}

fn append_int(out: &mut Vec<u8>, n: i64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    let mut rest = n.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if n < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

fn too_large() -> FuncError {
    FuncError::Limit("64 MiB for one string")
}

#[derive(Default)]
struct Printer {
    to: Formatter,
    erroring: bool,
    reordered: bool,
    good_number: bool,
}

impl Printer {
    fn finish(self) -> Result<Vec<u8>, FuncError> {
        if self.to.full { Err(too_large()) } else { Ok(self.to.out) }
    }

    fn bad_verb(&mut self, value: &Value, verb: char) -> Result<(), FuncError> {
        self.erroring = true;
        self.to.write(b"%!");
        self.to.write_char(verb);
        self.to.write(b"(");
        if value.is_untyped_nil() {
            self.to.write(b"<nil>");
        } else {
            self.to.write(value.type_name().as_bytes());
            self.to.write(b"=");
            self.argument(value, 'v')?;
        }
        self.to.write(b")");
        self.erroring = false;
        Ok(())
    }

    fn argument(&mut self, value: &Value, verb: char) -> Result<(), FuncError> {
        match (value, verb) {
            (Value::Nil, 'T' | 'v') => self.to.pad(b"<nil>"),
            (Value::Nil, _) => return self.bad_verb(value, verb),
            (_, 'T') => self.to.string(value.type_name().as_bytes()),
            (_, 'p') => return self.pointer(value, 'p'),
            _ => return self.value(value, verb, 0),
        }
        Ok(())
    }

    /// Prints a value nested `depth` deep; at 0 it is an operand itself.
    fn value(&mut self, value: &Value, verb: char, depth: usize) -> Result<(), FuncError> {
        if depth > MAX_NESTING {
            return Err(FuncError::Limit("nesting in a printed value"));
        }
        if self.to.full {
            return Err(too_large());
        }
        match value {
            Value::Nil => {
                if self.to.flags.sharp_v {
                    self.to.write(b"interface {}(nil)");
                } else {
                    self.to.write(b"<nil>");
                }
                Ok(())
            }
            Value::Bool(b) => match verb {
                't' | 'v' => {
                    self.to.boolean(*b);
                    Ok(())
                }
                _ => self.bad_verb(value, verb),
            },
            Value::Int(_, n) => self.integer(value, n.unsigned_abs(), *n < 0, true, verb),
            Value::Uint(_, n) => self.integer(value, *n, false, false, verb),
            Value::Float(f) => self.float(value, *f, verb),
            Value::String(text) => self.string(value, text, verb),
            Value::Bytes(bytes) => self.bytes(bytes, verb, depth),
            Value::List(list) => {
                let sharp = self.to.flags.sharp_v;
                list.read_all();
                if sharp {
                    self.to.write(list.type_of().name.as_bytes());
                    if list.is_nil() {
                        self.to.write(b"(nil)");
                        return Ok(());
                    }
                }
                self.to.write(if sharp { b"{" } else { b"[" });
                for (at, item) in list.iter().enumerate() {
                    if at > 0 {
                        self.to.write(if sharp { b", " } else { b" " });
                    }
                    self.value(item, verb, depth + 1)?;
                }
                self.to.write(if sharp { b"}" } else { b"]" });
                Ok(())
            }
            Value::Map(map) => {
                let sharp = self.to.flags.sharp_v;
                if sharp {
                    self.to.write(map.type_of().name.as_bytes());
                    if map.is_nil() {
                        self.to.write(b"(nil)");
                        return Ok(());
                    }
                }
                self.to.write(if sharp { b"{" } else { b"map[" });
                let mut first = true;
                map.try_each(|key, item| {
                    if !std::mem::take(&mut first) {
                        self.to.write(if sharp { b", " } else { b" " });
                    }
                    self.string(&Value::Nil, key, verb)?;
                    self.to.write(b":");
                    self.value(item, verb, depth + 1)
                })?;
                self.to.write(if sharp { b"}" } else { b"]" });
                Ok(())
            }
            Value::Object(object) => self.object(value, object, verb, depth),
        }
    }

    fn object(
        &mut self,
        value: &Value,
        object: &ObjectRef,
        verb: char,
        depth: usize,
    ) -> Result<(), FuncError> {
        let sharp = self.to.flags.sharp_v;
        if !self.erroring
            && !sharp
            && matches!(verb, 'v' | 's' | 'x' | 'X' | 'q')
            && let Some(text) = object.to_text()
        {
            return self.string(value, &text, verb);
        }
        if let Some(plain) = object.underlying() {
            return match &plain {
                Value::Int(_, n) => self.integer(value, n.unsigned_abs(), *n < 0, true, verb),
                Value::Uint(_, n) => self.integer(value, *n, false, false, verb),
                Value::Float(f) => self.float(value, *f, verb),
                Value::String(text) => self.string(value, text, verb),
                plain => self.value(plain, verb, depth),
            };
        }
        let ty = object.type_of();
        if ty.kind == Kind::Ptr {
            if depth == 0 {
                self.to.write(b"&");
                if let Some(pointee) = object.pointee() {
                    return self.value(&pointee, verb, depth + 1);
                }
                return self.fields(object, ty.elem.map_or("", |t| t.name), verb, depth);
            }
            return self.pointer(value, verb);
        }
        self.fields(object, ty.name, verb, depth)
    }

    fn fields(&mut self, object: &ObjectRef, name: &str, verb: char, depth: usize) -> Result<(), FuncError> {
        let sharp = self.to.flags.sharp_v;
        if sharp {
            self.to.write(name.as_bytes());
        }
        self.to.write(b"{");
        for (at, field) in object.fields().iter().enumerate() {
            if at > 0 {
                self.to.write(if sharp { b", " } else { b" " });
            }
            if sharp || self.to.flags.plus_v {
                self.to.write(field.name.as_bytes());
                self.to.write(b":");
            }
            self.value(&field.value, verb, depth + 1)?;
        }
        self.to.write(b"}");
        Ok(())
    }

    /// Addresses differ from run to run in Go; here they are all one.
    fn pointer(&mut self, value: &Value, verb: char) -> Result<(), FuncError> {
        const ADDRESS: u64 = 0x00c0_0000_0000;
        if !matches!(value.kind(), Kind::Map | Kind::Ptr | Kind::Slice | Kind::Func) {
            return self.bad_verb(value, verb);
        }
        let address = if value.is_nil() { 0 } else { ADDRESS };
        match verb {
            'v' if self.to.flags.sharp_v => {
                self.to.write(format!("({})(", value.type_name()).as_bytes());
                self.hex(address, true);
                self.to.write(b")");
            }
            'v' | 'p' => {
                let sharp = !self.to.flags.sharp;
                self.hex(address, sharp);
            }
            'b' | 'o' | 'd' | 'x' | 'X' => return self.integer(value, address, false, false, verb),
            _ => return self.bad_verb(value, verb),
        }
        Ok(())
    }

    fn hex(&mut self, n: u64, leading: bool) {
        let sharp = std::mem::replace(&mut self.to.flags.sharp, leading);
        self.to.integer(n, false, 16, false, false);
        self.to.flags.sharp = sharp;
    }

    fn integer(
        &mut self,
        value: &Value,
        magnitude: u64,
        negative: bool,
        signed: bool,
        verb: char,
    ) -> Result<(), FuncError> {
        // `%c`, `%q` and `%U` take the two's complement.
        let bits = if negative { magnitude.wrapping_neg() } else { magnitude };
        match verb {
            'v' if self.to.flags.sharp_v && !signed => self.hex(magnitude, true),
            'v' | 'd' => self.to.integer(magnitude, negative, 10, false, false),
            'b' => self.to.integer(magnitude, negative, 2, false, false),
            'o' => self.to.integer(magnitude, negative, 8, false, false),
            'O' => self.to.integer(magnitude, negative, 8, false, true),
            'x' => self.to.integer(magnitude, negative, 16, false, false),
            'X' => self.to.integer(magnitude, negative, 16, true, false),
            'c' => self.to.character(bits),
            'q' => self.to.quoted_character(bits),
            'U' => self.to.unicode(bits),
            _ => return self.bad_verb(value, verb),
        }
        Ok(())
    }

    fn float(&mut self, value: &Value, f: f64, verb: char) -> Result<(), FuncError> {
        match verb {
            'v' => self.to.float(f, b'g', None),
            'b' | 'g' | 'G' | 'x' | 'X' => self.to.float(f, u8::try_from(verb).unwrap_or(b'g'), None),
            'f' | 'F' => self.to.float(f, b'f', Some(6)),
            'e' => self.to.float(f, b'e', Some(6)),
            'E' => self.to.float(f, b'E', Some(6)),
            _ => return self.bad_verb(value, verb),
        }
        Ok(())
    }

    /// A string operand, or the text of `value`; a map's key passes nil for itself.
    fn string(&mut self, value: &Value, text: &[u8], verb: char) -> Result<(), FuncError> {
        match verb {
            'v' if self.to.flags.sharp_v => self.to.quoted(text),
            'v' | 's' => self.to.string(text),
            'x' => self.to.hex_string(text, false),
            'X' => self.to.hex_string(text, true),
            'q' => self.to.quoted(text),
            _ if value.is_untyped_nil() => return self.bad_verb(&Value::String(text.into()), verb),
            _ => return self.bad_verb(value, verb),
        }
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8], verb: char, depth: usize) -> Result<(), FuncError> {
        match verb {
            's' => self.to.string(bytes),
            'x' => self.to.hex_string(bytes, false),
            'X' => self.to.hex_string(bytes, true),
            'q' => self.to.quoted(bytes),
            'v' | 'd' if self.to.flags.sharp_v => {
                // An operand prints as `[]byte`, a nested one by its reflected name.
                self.to.write(if depth == 0 { b"[]byte{" } else { b"[]uint8{" });
                for (at, byte) in bytes.iter().enumerate() {
                    if at > 0 {
                        self.to.write(b", ");
                    }
                    self.hex(u64::from(*byte), true);
                }
                self.to.write(b"}");
            }
            'v' | 'd' if self.to.flags.are_none() => self.to.decimals(bytes),
            _ => {
                self.to.write(b"[");
                for (at, byte) in bytes.iter().enumerate() {
                    if at > 0 {
                        self.to.write(b" ");
                    }
                    let item = Value::Uint(Kind::Uint8, u64::from(*byte));
                    self.integer(&item, u64::from(*byte), false, false, verb)?;
                }
                self.to.write(b"]");
            }
        }
        Ok(())
    }

    fn printf(&mut self, format: &[u8], args: &[Value]) -> Result<(), FuncError> {
        let end = format.len();
        let mut number = 0;
        let mut at = 0;
        self.reordered = false;
        while at < end {
            self.good_number = true;
            let plain = memchr::memchr(b'%', &format[at..]).unwrap_or(end - at);
            self.to.write(&format[at..at + plain]);
            at += plain;
            if at >= end {
                break;
            }
            at += 1;
            self.to.flags = Flags::default();
            while let Some(&byte) = format.get(at) {
                match byte {
                    b'#' => self.to.flags.sharp = true,
                    b'0' => self.to.flags.zero = true,
                    b'+' => self.to.flags.plus = true,
                    b'-' => self.to.flags.minus = true,
                    b' ' => self.to.flags.space = true,
                    _ => break,
                }
                at += 1;
            }
            let mut after_index = self.argument_number(&mut number, format, &mut at, args.len());
            if format.get(at) == Some(&b'*') {
                at += 1;
                match integer_argument(args, &mut number) {
                    Some(width) => {
                        self.to.flags.width = usize::try_from(width.unsigned_abs()).ok();
                        if width < 0 {
                            self.to.flags.minus = true;
                            self.to.flags.zero = false;
                        }
                    }
                    None => self.to.write(b"%!(BADWIDTH)"),
                }
                after_index = false;
            } else {
                self.to.flags.width = parse_number(format, &mut at);
                if after_index && self.to.flags.width.is_some() {
                    self.good_number = false;
                }
            }
            if at + 1 < end && format[at] == b'.' {
                at += 1;
                if after_index {
                    self.good_number = false;
                }
                after_index = self.argument_number(&mut number, format, &mut at, args.len());
                if format.get(at) == Some(&b'*') {
                    at += 1;
                    match integer_argument(args, &mut number) {
                        Some(precision) if precision >= 0 => {
                            self.to.flags.precision = usize::try_from(precision).ok();
                        }
                        _ => self.to.write(b"%!(BADPREC)"),
                    }
                    after_index = false;
                } else {
                    self.to.flags.precision = Some(parse_number(format, &mut at).unwrap_or(0));
                }
            }
            if !after_index {
                self.argument_number(&mut number, format, &mut at, args.len());
            }
            if at >= end {
                self.to.write(b"%!(NOVERB)");
                break;
            }
            let (verb, size) = decode_rune(&format[at..]);
            at += size;
            if verb == '%' {
                self.to.write(b"%");
            } else if !self.good_number {
                self.bad_operand(verb, b"(BADINDEX)");
            } else if let Some(arg) = args.get(number) {
                if matches!(verb, 'v' | 'w') {
                    self.to.flags.sharp_v = std::mem::take(&mut self.to.flags.sharp);
                    self.to.flags.plus_v = std::mem::take(&mut self.to.flags.plus);
                }
                if verb == 'w' {
                    self.bad_verb(arg, verb)?;
                } else {
                    self.argument(arg, verb)?;
                }
                number += 1;
            } else {
                self.bad_operand(verb, b"(MISSING)");
            }
            if self.to.full {
                return Err(too_large());
            }
        }
        if !self.reordered && number < args.len() {
            self.to.flags = Flags::default();
            self.to.write(b"%!(EXTRA ");
            for (at, arg) in args[number..].iter().enumerate() {
                if at > 0 {
                    self.to.write(b", ");
                }
                if arg.is_untyped_nil() {
                    self.to.write(b"<nil>");
                } else {
                    self.to.write(arg.type_name().as_bytes());
                    self.to.write(b"=");
                    self.argument(arg, 'v')?;
                }
            }
            self.to.write(b")");
        }
        Ok(())
    }

    fn bad_operand(&mut self, verb: char, what: &[u8]) {
        self.to.write(b"%!");
        self.to.write_char(verb);
        self.to.write(what);
    }

    /// Takes an explicit `[n]`; whether there was one.
    fn argument_number(&mut self, number: &mut usize, format: &[u8], at: &mut usize, count: usize) -> bool {
        if format.get(*at) != Some(&b'[') {
            return false;
        }
        self.reordered = true;
        let rest = &format[*at..];
        let close = if rest.len() < 3 { None } else { memchr::memchr(b']', rest) };
        let Some(close) = close else {
            self.good_number = false;
            *at += 1;
            return false;
        };
        let mut inner = 0;
        let index = parse_number(&rest[1..close], &mut inner).filter(|_| inner == close - 1);
        *at += close + 1;
        match index {
            Some(index) if index >= 1 && index <= count => {
                *number = index - 1;
                true
            }
            other => {
                self.good_number = false;
                other.is_some()
            }
        }
    }
}

/// A decimal number up to Go's limit of a million.
fn parse_number(format: &[u8], at: &mut usize) -> Option<usize> {
    let mut number = None;
    while let Some(digit) = format.get(*at).filter(|b| b.is_ascii_digit()) {
        let next = number.unwrap_or(0) * 10 + usize::from(digit - b'0');
        if number.unwrap_or(0) > 1_000_000 {
            return None;
        }
        number = Some(next);
        *at += 1;
    }
    number
}

/// The operand of a `*`; `None` where it is no integer or a large one.
fn integer_argument(args: &[Value], number: &mut usize) -> Option<i64> {
    let arg = args.get(*number)?;
    *number += 1;
    let n = i64::try_from(arg.as_integer()?).ok()?;
    (-1_000_000..=1_000_000).contains(&n).then_some(n)
}

const _: () = assert!(MAX_BYTES > 1_000_000, "a width of Go's largest must fit");
