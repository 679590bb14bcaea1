//! Random text. All bytes come from the render's own source, and every function here is recorded as random.

use crate::helm::funcs::{Args, Ctx, FuncError, Function, Impurity};
use crate::helm::value::types::{INT, STRING};
use crate::helm::value::{Value, lossy};
use base64::Engine as _;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("randAlphaNum", &[&INT], |ctx, args| characters(ctx, args, &alphanumeric()))
        .impure(Impurity::Random),
    Function::new("randAlpha", &[&INT], |ctx, args| characters(ctx, args, &alphanumeric()[10..]))
        .impure(Impurity::Random),
    Function::new("randNumeric", &[&INT], |ctx, args| characters(ctx, args, b"0123456789"))
        .impure(Impurity::Random),
    Function::new("randAscii", &[&INT], |ctx, args| {
        let printable: Vec<u8> = (b' '..=b'~').collect();
        characters(ctx, args, &printable)
    })
    .impure(Impurity::Random),
    Function::new("randBytes", &[&INT], rand_bytes).impure(Impurity::Random),
    Function::new("randInt", &[&INT, &INT], rand_int).impure(Impurity::Random),
    Function::new("shuffle", &[&STRING], shuffle).impure(Impurity::Random),
    Function::new("uuidv4", &[], uuid).impure(Impurity::Random),
];

/// Digits, then letters.
fn alphanumeric() -> Vec<u8> {
    (b'0'..=b'9').chain(b'A'..=b'Z').chain(b'a'..=b'z').collect()
}

/// A number below `end`, each as likely as the others. `end` is above 0.
fn below(ctx: &mut Ctx<'_>, end: u64) -> u64 {
    let fair = u64::MAX - u64::MAX % end;
    loop {
        let mut bytes = [0; 8];
        ctx.random(&mut bytes);
        let number = u64::from_le_bytes(bytes);
        if number < fair {
            return number % end;
        }
    }
}

/// So many characters of an alphabet; none for a negative count.
fn characters(ctx: &mut Ctx<'_>, args: &mut Args<'_>, alphabet: &[u8]) -> Result<Value, FuncError> {
    let count = usize::try_from(args.int(0)?).unwrap_or(0);
    ctx.charge(count)?;
    ctx.spend(count as u64)?;
    let text: Vec<u8> = (0..count)
        .map(|_| {
            let at = below(ctx, alphabet.len() as u64);
            alphabet[usize::try_from(at).unwrap_or(0)]
        })
        .collect();
    Ok(Value::String(text.into()))
}

fn rand_bytes(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Value, FuncError> {
    let count = usize::try_from(args.int(0)?)
        .map_err(|_negative| FuncError::message("runtime error: makeslice: len out of range"))?;
    ctx.charge(count.saturating_mul(2))?;
    let mut bytes = vec![0; count];
    ctx.random(&mut bytes);
    Ok(base64::engine::general_purpose::STANDARD.encode(bytes).into())
}

fn rand_int(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Value, FuncError> {
    let (low, high) = (args.int(0)?, args.int(1)?);
    match u64::try_from(high.wrapping_sub(low)) {
        Ok(width) if width > 0 => Ok(Value::int(low.wrapping_add_unsigned(below(ctx, width)))),
        _ => Err(FuncError::message("invalid argument to Intn")),
    }
}

fn shuffle(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Value, FuncError> {
    let text = args.str(0)?;
    ctx.charge(text.len().saturating_mul(8))?;
    ctx.spend(text.len() as u64)?;
    let mut runes: Vec<char> = lossy(text).chars().collect();
    for at in (1..runes.len()).rev() {
        let other = below(ctx, at as u64 + 1);
        runes.swap(at, usize::try_from(other).unwrap_or(0));
    }
    Ok(runes.into_iter().collect::<String>().into())
}

#[allow(clippy::unnecessary_wraps, reason = "the shape of every function")]
fn uuid(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Value, FuncError> {
    let mut bytes = [0; 16];
    ctx.random(&mut bytes);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let text = crate::helm::strconv::hex(&bytes);
    let parts = [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]];
    Ok(parts.join("-").into())
}
