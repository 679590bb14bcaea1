//! Base 64 and 32, checksums.

use crate::helm::funcs::{FuncError, Function};
use crate::helm::strconv::hex;
use crate::helm::value::types::STRING;
use crate::helm::value::{Str, Value};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::Digest as _;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("b64enc", &[&STRING], |ctx, args| {
        let text = args.str(0)?;
        ctx.charge(text.len() / 3 * 4)?;
        Ok(STANDARD.encode(text.as_bytes()).into())
    }),
    Function::new("b64dec", &[&STRING], |_, args| Ok(decoded(decode_base64(args.str(0)?), "base64"))),
    Function::new("b32enc", &[&STRING], |ctx, args| {
        let text = args.str(0)?;
        ctx.charge(text.len() / 5 * 8)?;
        Ok(Value::String(encode_base32(text).into()))
    }),
    Function::new("b32dec", &[&STRING], |_, args| Ok(decoded(decode_base32(args.str(0)?), "base32"))),
    Function::new("sha1sum", &[&STRING], |_, args| {
        Ok(hex(&sha1::Sha1::digest(args.str(0)?.as_bytes())).into())
    }),
    Function::new("sha256sum", &[&STRING], |_, args| {
        Ok(hex(&sha2::Sha256::digest(args.str(0)?.as_bytes())).into())
    }),
    Function::new("sha512sum", &[&STRING], |_, args| {
        Ok(hex(&sha2::Sha512::digest(args.str(0)?.as_bytes())).into())
    }),
    Function::new("adler32sum", &[&STRING], |_, args| Ok(adler32(args.str(0)?).to_string().into())),
];

/// What a decoding function answers: the bytes, or Go's error as text.
fn decoded(result: Result<Vec<u8>, usize>, name: &str) -> Value {
    match result {
        Ok(bytes) => Value::String(bytes.into()),
        Err(at) => format!("illegal {name} data at input byte {at}").into(),
    }
}

fn is_break(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// `base64.StdEncoding.DecodeString`: line breaks are skipped anywhere. The error is the place Go reports.
pub(super) fn decode_base64(text: &[u8]) -> Result<Vec<u8>, usize> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut group, mut filled) = (0u32, 0);
    let mut at = 0;
    let skip_breaks = |mut at: usize| {
        while text.get(at).is_some_and(|&b| is_break(b)) {
            at += 1;
        }
        at
    };
    while at < text.len() {
        let byte = text[at];
        at += 1;
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ if is_break(byte) => continue,
            b'=' if filled >= 2 => {
                if filled == 2 {
                    at = skip_breaks(at);
                    match text.get(at) {
                        None => return Err(text.len()),
                        Some(b'=') => at += 1,
                        Some(_) => return Err(at - 1),
                    }
                }
                at = skip_breaks(at);
                if at < text.len() {
                    return Err(at);
                }
                let bytes = (group << (6 * (4 - filled))).to_be_bytes();
                out.extend_from_slice(&bytes[1..filled]);
                return Ok(out);
            }
            _ => return Err(at - 1),
        };
        group = group << 6 | u32::from(digit);
        filled += 1;
        if filled == 4 {
            out.extend_from_slice(&group.to_be_bytes()[1..]);
            (group, filled) = (0, 0);
        }
    }
    if filled == 0 { Ok(out) } else { Err(text.len() - filled) }
}

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

fn encode_base32(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len().div_ceil(5) * 8);
    for chunk in text.chunks(5) {
        let number = (0..5).fold(0u64, |n, at| n << 8 | u64::from(chunk.get(at).copied().unwrap_or(0)));
        let used = (chunk.len() * 8).div_ceil(5);
        for place in 0..8 {
            let digit = BASE32[(number >> (35 - 5 * place) & 31) as usize];
            out.push(if place < used { digit } else { b'=' });
        }
    }
    out
}

/// `base32.StdEncoding.DecodeString`; line breaks are taken out before places are counted.
fn decode_base32(text: &[u8]) -> Result<Vec<u8>, usize> {
    let text: Vec<u8> = text.iter().copied().filter(|&b| !is_break(b)).collect();
    let len = text.len();
    let mut out = Vec::with_capacity(len / 8 * 5);
    let mut at = 0;
    while at < len {
        let (mut group, mut filled, mut ended) = (0u64, 0, false);
        while filled < 8 {
            let Some(&byte) = text.get(at) else {
                return Err(len - filled);
            };
            at += 1;
            let left = len - at;
            if byte == b'=' && filled >= 2 && left < 8 {
                if left + filled < 7 {
                    return Err(len);
                }
                for place in 0..7 - filled {
                    if text.get(at + place).is_some_and(|&b| b != b'=') {
                        return Err(at + place - 1);
                    }
                }
                if matches!(filled, 3 | 6) {
                    return Err(at - 1);
                }
                ended = true;
                break;
            }
            let digit = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'2'..=b'7' => byte - b'2' + 26,
                _ => return Err(at - 1),
            };
            group = group << 5 | u64::from(digit);
            filled += 1;
        }
        let bytes = (group << (5 * (8 - filled))).to_be_bytes();
        out.extend_from_slice(&bytes[3..3 + filled * 5 / 8]);
        if ended {
            break;
        }
    }
    Ok(out)
}

fn adler32(text: &[u8]) -> u32 {
    const MODULUS: u32 = 65_521;
    let (mut low, mut high) = (1u32, 0u32);
    for chunk in text.chunks(5552) {
        for &byte in chunk {
            low += u32::from(byte);
            high += low;
        }
        low %= MODULUS;
        high %= MODULUS;
    }
    high << 16 | low
}

/// The bytes of a base 64 text for functions that fail on bad input.
pub(super) fn base64_or(text: &Str, message: &str) -> Result<Vec<u8>, FuncError> {
    decode_base64(text).map_err(|_not_base64| FuncError::message(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_faults_are_at_gos_places() {
        for (text, at) in
            [("a", 0), ("!", 0), ("YQ=", 3), ("YQ", 0), ("YWJj!", 4), ("YQ==YQ", 4), ("Y=Q=", 1)]
        {
            assert_eq!(decode_base64(text.as_bytes()), Err(at), "{text}");
        }
        assert_eq!(decode_base64(b"YW\nJj\r\nZA=\n=\n").unwrap(), b"abcd");
    }

    #[test]
    fn base32_round_trips() {
        for text in ["", "f", "fo", "foo", "foob", "fooba", "foobar"] {
            assert_eq!(decode_base32(&encode_base32(text.as_bytes())).unwrap(), text.as_bytes());
        }
        assert_eq!(encode_base32(b"foo"), b"MZXW6===");
        assert_eq!(adler32(b"Wikipedia"), 300_286_872);
    }
}
