//! Passwords and ciphers.

use super::encoding::decode_base64;
use crate::helm::funcs::{Args, Ctx, FuncError, Function, Impurity};
use crate::helm::value::types::{STRING, UINT32};
use crate::helm::value::{Str, Value};
use aes::cipher::block_padding::NoPadding;
use aes::cipher::{BlockDecryptMut as _, BlockEncryptMut as _, KeyIvInit as _};
use base64::Engine as _;
use hmac::Mac as _;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("bcrypt", &[&STRING], |ctx, args| {
        let password = args.str(0)?.clone();
        bcrypt_hash(ctx, &password).map(Value::String)
    })
    .impure(Impurity::Random),
    Function::new("htpasswd", &[&STRING, &STRING], htpasswd).impure(Impurity::Random),
    Function::new("derivePassword", &[&UINT32, &STRING, &STRING, &STRING, &STRING], derive_password),
    Function::new("encryptAES", &[&STRING, &STRING], encrypt_aes).impure(Impurity::Random),
    Function::new("decryptAES", &[&STRING, &STRING], decrypt_aes),
];

type Answer = Result<Value, FuncError>;

/// Steps that one slow hash counts for.
const HASH_STEPS: u64 = 400_000;

fn bcrypt_hash(ctx: &mut Ctx<'_>, password: &[u8]) -> Result<Str, FuncError> {
    ctx.spend(HASH_STEPS)?;
    let mut salt = [0; 16];
    ctx.random(&mut salt);
    if password.len() > 72 {
        return Ok("failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes".into());
    }
    Ok(match bcrypt::hash_with_salt(password, 10, salt) {
        Ok(parts) => parts.format_for_version(bcrypt::Version::TwoA).into(),
        Err(error) => format!("failed to encrypt string with bcrypt: {error}").into(),
    })
}

fn htpasswd(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let (user, password) = (args.str(0)?.clone(), args.str(1)?.clone());
    if user.contains(&b':') {
        return Ok(Value::String([b"invalid username: ", user.as_bytes()].concat().into()));
    }
    let hash = bcrypt_hash(ctx, &password)?;
    Ok(Value::String([user.as_bytes(), b":", &hash].concat().into()))
}

/// The Master Password algorithm: the shapes of each kind of password, a letter for a set of characters.
fn password_shapes(kind: &[u8]) -> Option<&'static [&'static [u8]]> {
    Some(match kind {
        b"maximum" => &[b"anoxxxxxxxxxxxxxxxxx", b"axxxxxxxxxxxxxxxxxno"],
        b"long" => &[
            b"CvcvnoCvcvCvcv",
            b"CvcvCvcvnoCvcv",
            b"CvcvCvcvCvcvno",
            b"CvccnoCvcvCvcv",
            b"CvccCvcvnoCvcv",
            b"CvccCvcvCvcvno",
            b"CvcvnoCvccCvcv",
            b"CvcvCvccnoCvcv",
            b"CvcvCvccCvcvno",
            b"CvcvnoCvcvCvcc",
            b"CvcvCvcvnoCvcc",
            b"CvcvCvcvCvccno",
            b"CvccnoCvccCvcv",
            b"CvccCvccnoCvcv",
            b"CvccCvccCvcvno",
            b"CvcvnoCvccCvcc",
            b"CvcvCvccnoCvcc",
            b"CvcvCvccCvccno",
            b"CvccnoCvcvCvcc",
            b"CvccCvcvnoCvcc",
            b"CvccCvcvCvccno",
        ],
        b"medium" => &[b"CvcnoCvc", b"CvcCvcno"],
        b"short" => &[b"Cvcn"],
        b"basic" => &[b"aaanaaan", b"aannaaan", b"aaannaaa"],
        b"pin" => &[b"nnnn"],
        _ => return None,
    })
}

fn password_set(letter: u8) -> &'static [u8] {
    match letter {
        b'V' => b"AEIOU",
        b'C' => b"BCDFGHJKLMNPQRSTVWXYZ",
        b'v' => b"aeiou",
        b'c' => b"bcdfghjklmnpqrstvwxyz",
        b'a' => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
        b'n' => b"0123456789",
        b'o' => b"@&%?,=[]_:-+*$#!'^~;()/.",
        _ => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
    }
}

fn length(text: &[u8]) -> [u8; 4] {
    u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes()
}

/// The same password from the same words, always.
fn derive_password(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    const SCOPE: &[u8] = b"com.lyndir.masterpassword";
    let counter = match args.value(0) {
        // A constant too large for the type wraps around.
        Value::Uint(_, counter) => u32::try_from(*counter & u64::from(u32::MAX)).unwrap_or(0),
        _ => 0,
    };
    let (kind, password, user, site) = (args.str(1)?, args.str(2)?, args.str(3)?, args.str(4)?);
    let Some(shapes) = password_shapes(kind) else {
        return Ok(Value::String([b"cannot find password template ", kind.as_bytes()].concat().into()));
    };
    // The key is hashed out of the name in 64 pieces, each of which reads all of it.
    ctx.spend((2 * HASH_STEPS).saturating_add(password.len() as u64 + user.len() as u64))?;
    let salt = [SCOPE, &length(user), user.as_bytes()].concat();
    let mut key = [0; 64];
    let derived = scrypt::Params::new(15, 8, 2, 32)
        .map_err(|error| error.to_string())
        .and_then(|params| scrypt::scrypt(password, &salt, &params, &mut key).map_err(|e| e.to_string()));
    if let Err(error) = derived {
        return Ok(format!("failed to derive password: {error}").into());
    }
    let message = [SCOPE, &length(site), site.as_bytes(), &counter.to_be_bytes()].concat();
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(&key)
        .map_err(|error| FuncError::message(error.to_string()))?;
    mac.update(&message);
    let seed = mac.finalize().into_bytes();
    let shape = shapes[usize::from(seed[0]) % shapes.len()];
    let pick = |(letter, seed): (&u8, &u8)| {
        let set = password_set(*letter);
        set[usize::from(*seed) % set.len()]
    };
    let derived: Vec<u8> = shape.iter().zip(&seed[1..]).map(pick).collect();
    Ok(Value::String(derived.into()))
}

/// A key of 32 bytes: the password, cut or filled with zeros.
fn aes_key(password: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    let used = password.len().min(32);
    key[..used].copy_from_slice(&password[..used]);
    key
}

fn encrypt_aes(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let (password, text) = (args.str(0)?, args.str(1)?);
    if text.is_empty() {
        return Ok("".into());
    }
    ctx.charge(text.len().saturating_mul(2))?;
    let mut iv = [0; 16];
    ctx.random(&mut iv);
    let padding = 16 - text.len() % 16;
    let mut content = text.to_vec();
    content.resize(text.len() + padding, u8::try_from(padding).unwrap_or(16));
    let cipher = cbc::Encryptor::<aes::Aes256>::new(&aes_key(password).into(), &iv.into());
    let encrypted = cipher.encrypt_padded_vec_mut::<NoPadding>(&content);
    Ok(base64::engine::general_purpose::STANDARD.encode([&iv[..], &encrypted].concat()).into())
}

fn decrypt_aes(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let (password, text) = (args.str(0)?, args.str(1)?);
    if text.is_empty() {
        return Ok("".into());
    }
    ctx.charge(text.len())?;
    let data = decode_base64(text)
        .map_err(|at| FuncError::message(format!("illegal base64 data at input byte {at}")))?;
    let out_of_range =
        |bounds: String| FuncError::message(format!("runtime error: slice bounds out of range {bounds}"));
    let Some((iv, content)) = data.split_at_checked(16) else {
        // Go's decoder hands out a slice with room to spare, and only that counts here.
        let room = text.len() / 4 * 3;
        return Err(out_of_range(format!("[:16] with capacity {room}")));
    };
    if content.len() % 16 != 0 {
        return Err(FuncError::message("crypto/cipher: input not full blocks"));
    }
    let mut fixed = [0; 16];
    fixed.copy_from_slice(iv);
    let cipher = cbc::Decryptor::<aes::Aes256>::new(&aes_key(password).into(), &fixed.into());
    let plain = cipher
        .decrypt_padded_vec_mut::<NoPadding>(content)
        .map_err(|error| FuncError::message(error.to_string()))?;
    let Some(&padding) = plain.last() else {
        return Err(FuncError::message("runtime error: index out of range [-1]"));
    };
    if let Some(end) = plain.len().checked_sub(usize::from(padding)) {
        Ok(Value::String(plain[..end].into()))
    } else {
        let end = i64::try_from(plain.len()).unwrap_or(0) - i64::from(padding);
        Err(out_of_range(format!("[:{end}]")))
    }
}
