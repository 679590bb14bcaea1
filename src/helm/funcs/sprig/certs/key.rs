//! Private keys: made, read, written, signing.

use super::der::{self, Reader, bit_string, integer, object, sequence, tag, value};
use super::prime;
use crate::helm::funcs::Ctx;
use ed25519_dalek::Signer as _;
use p256::ecdsa::signature::DigestSigner as _;
use p256::elliptic_curve::sec1::ToEncodedPoint as _;
use rsa::BigUint;
use rsa::pkcs1::{DecodeRsaPrivateKey as _, EncodeRsaPrivateKey as _, EncodeRsaPublicKey as _};
use rsa::pkcs8::DecodePrivateKey as _;
use sha2::Digest as _;

/// Encoded object identifiers.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// The public exponent of every RSA key.
const EXPONENT: u32 = 65_537;
const RSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

/// A private key.
pub(super) enum Key {
    Rsa(Box<rsa::RsaPrivateKey>),
    Ec(p256::SecretKey),
    Ed25519(Box<ed25519_dalek::SigningKey>),
    /// Kept as it is; signs nothing.
    Dsa(Vec<u8>),
    /// A key on a curve that this program does not compute with: well formed, and no more is known.
    OtherCurve,
}

/// The render's source of random bytes for the crates that make keys.
pub(super) struct Random<'a, 'c>(pub(super) &'a mut Ctx<'c>);

impl rsa::rand_core::RngCore for Random<'_, '_> {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.0.random(&mut bytes);
        u32::from_le_bytes(bytes)
    }
    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.random(&mut bytes);
        u64::from_le_bytes(bytes)
    }
    fn fill_bytes(&mut self, out: &mut [u8]) {
        self.0.random(out);
    }
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), rsa::rand_core::Error> {
        self.0.random(out);
        Ok(())
    }
}

impl rsa::rand_core::CryptoRng for Random<'_, '_> {}

impl Key {
    /// A new RSA key of so many bits, a multiple of 128.
    pub(super) fn rsa(ctx: &mut Ctx<'_>, bits: usize) -> Result<Self, String> {
        let mut random = Random(ctx);
        let (p, q) = prime::pair(&mut random, bits / 128, EXPONENT);
        let key = rsa::RsaPrivateKey::from_p_q(p, q, EXPONENT.into()).map_err(|error| error.to_string())?;
        Ok(Self::Rsa(Box::new(key)))
    }

    /// A new key on the curve P-256.
    pub(super) fn ec(ctx: &mut Ctx<'_>) -> Self {
        Self::Ec(p256::SecretKey::random(&mut Random(ctx)))
    }

    /// A new Ed25519 key.
    pub(super) fn ed25519(ctx: &mut Ctx<'_>) -> Self {
        let mut seed = [0; 32];
        ctx.random(&mut seed);
        Self::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(&seed)))
    }

    #[expect(clippy::many_single_char_names, reason = "the names of the standard")]
    /// A new DSA key of 2048 and 256 bits (FIPS 186-3).
    pub(super) fn dsa(ctx: &mut Ctx<'_>) -> Self {
        let one = BigUint::from(1u8);
        let random = |ctx: &mut Ctx<'_>, bytes: usize| {
            let mut buffer = vec![0; bytes];
            ctx.random(&mut buffer);
            buffer[0] |= 0x80;
            buffer
        };
        let q = loop {
            let mut bytes = random(ctx, 32);
            bytes[31] |= 1;
            let q = BigUint::from_bytes_be(&bytes);
            if prime::is_prime(&q, &mut Random(ctx)) {
                break q;
            }
        };
        let double = &q << 1;
        let p = loop {
            let x = BigUint::from_bytes_be(&random(ctx, 256));
            let p = &x - (&x % &double) + &one;
            if p.bits() == 2048 && prime::is_prime(&p, &mut Random(ctx)) {
                break p;
            }
        };
        let power = (&p - &one) / &q;
        let mut h = BigUint::from(2u8);
        let g = loop {
            let g = h.modpow(&power, &p);
            if g != one {
                break g;
            }
            h += 1u8;
        };
        let x = loop {
            let x = BigUint::from_bytes_be(&random(ctx, 32)) % &q;
            if x >= one {
                break x;
            }
        };
        let y = g.modpow(&x, &p);
        let numbers: Vec<Vec<u8>> =
            [BigUint::from(0u8), p, q, g, y, x].iter().map(|n| integer(&n.to_bytes_be())).collect();
        Self::Dsa(value(tag::SEQUENCE, &numbers.concat()))
    }

    /// The key of a PEM text; the error has sprig's words.
    pub(super) fn parse(pem: &[u8]) -> Result<Self, String> {
        let Some((kind, der)) = der::from_pem(pem) else {
            return Err("no PEM data in input".into());
        };
        if kind == "PRIVATE KEY" {
            return Self::parse_pkcs8(&der).map_err(|words| format!("decoding PEM as PKCS#8: {words}"));
        }
        match kind.strip_suffix(" PRIVATE KEY") {
            None => Err(format!("no private key data in PEM block of type {kind}")),
            Some("RSA") => rsa::RsaPrivateKey::from_pkcs1_der(&der)
                .map(|key| Self::Rsa(Box::new(key)))
                .map_err(|_error| {
                    format!("parsing RSA private key from PEM: {}", malformed("rsa private key", &der))
                }),
            Some("EC") => Self::parse_sec1(&der).ok_or_else(|| {
                format!("parsing EC private key from PEM: {}", malformed("EC private key", &der))
            }),
            Some("DSA") => {
                let mut contents = Reader(&der);
                let numbers = contents.expect(tag::SEQUENCE).map(Reader);
                let whole =
                    numbers.is_some_and(|mut numbers| (0..6).all(|_| numbers.expect(tag::INTEGER).is_some()));
                if whole {
                    Ok(Self::Dsa(der))
                } else {
                    Err("parsing DSA private key from PEM: asn1: structure error: malformed key".into())
                }
            }
            Some(kind) => Err(format!("invalid private key type {kind}")),
        }
    }

    fn parse_sec1(der: &[u8]) -> Option<Self> {
        if let Ok(key) = p256::SecretKey::from_sec1_der(der) {
            return Some(Self::Ec(key));
        }
        let mut parts = Reader(Reader(der).expect(tag::SEQUENCE)?);
        parts.expect(tag::INTEGER)?;
        parts.expect(tag::OCTET_STRING)?;
        Some(Self::OtherCurve)
    }

    fn parse_pkcs8(der: &[u8]) -> Result<Self, String> {
        if let Ok(key) = rsa::RsaPrivateKey::from_pkcs8_der(der) {
            return Ok(Self::Rsa(Box::new(key)));
        }
        if let Ok(key) = p256::SecretKey::from_pkcs8_der(der) {
            return Ok(Self::Ec(key));
        }
        let inner = || {
            let mut parts = Reader(Reader(der).expect(tag::SEQUENCE)?);
            parts.expect(tag::INTEGER)?;
            let algorithm = Reader(parts.expect(tag::SEQUENCE)?).expect(tag::OBJECT)?;
            Some((algorithm, parts.expect(tag::OCTET_STRING)?))
        };
        match inner() {
            Some((ED25519, contents)) => Reader(contents)
                .expect(tag::OCTET_STRING)
                .and_then(|seed| <[u8; 32]>::try_from(seed).ok())
                .map(|seed| Self::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(&seed))))
                .ok_or_else(|| "x509: invalid Ed25519 private key".into()),
            Some((EC, _)) => Ok(Self::OtherCurve),
            Some(_) => Err("x509: PKCS#8 wrapping contained private key with unknown algorithm".into()),
            None => Err(malformed("PKCS#8 private key", der)),
        }
    }

    /// The key as PEM, in the form that sprig writes.
    pub(super) fn to_pem(&self) -> Option<String> {
        Some(match self {
            Self::Rsa(key) => der::to_pem("RSA PRIVATE KEY", key.to_pkcs1_der().ok()?.as_bytes()),
            Self::Ec(key) => {
                let point = key.public_key().to_encoded_point(false);
                let contents = sequence(&[
                    &integer(&[1]),
                    &value(tag::OCTET_STRING, &key.to_bytes()),
                    &value(0xa0, &object(P256)),
                    &value(0xa1, &bit_string(point.as_bytes())),
                ]);
                der::to_pem("EC PRIVATE KEY", &contents)
            }
            Self::Ed25519(key) => {
                let seed = value(tag::OCTET_STRING, &value(tag::OCTET_STRING, key.as_bytes()));
                der::to_pem(
                    "PRIVATE KEY",
                    &sequence(&[&integer(&[0]), &sequence(&[&object(ED25519)]), &seed]),
                )
            }
            Self::Dsa(contents) => der::to_pem("DSA PRIVATE KEY", contents),
            Self::OtherCurve => return None,
        })
    }

    /// The public key as certificates hold it, and the bits in it that are the key alone.
    pub(super) fn public(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        let (algorithm, bits) = match self {
            Self::Rsa(key) => {
                let bits = key.to_public_key().to_pkcs1_der().ok()?.as_bytes().to_vec();
                (sequence(&[&object(RSA), &value(tag::NULL, &[])]), bits)
            }
            Self::Ec(key) => {
                let bits = key.public_key().to_encoded_point(false).as_bytes().to_vec();
                (sequence(&[&object(EC), &object(P256)]), bits)
            }
            Self::Ed25519(key) => (sequence(&[&object(ED25519)]), key.verifying_key().to_bytes().to_vec()),
            Self::Dsa(_) | Self::OtherCurve => return None,
        };
        Some((sequence(&[&algorithm, &bit_string(&bits)]), bits))
    }

    /// The identifier of this key's signatures.
    pub(super) fn algorithm(&self) -> Option<Vec<u8>> {
        Some(match self {
            Self::Rsa(_) => sequence(&[&object(RSA_SHA256), &value(tag::NULL, &[])]),
            Self::Ec(_) => sequence(&[&object(ECDSA_SHA256)]),
            Self::Ed25519(_) => sequence(&[&object(ED25519)]),
            Self::Dsa(_) | Self::OtherCurve => return None,
        })
    }

    /// The signature of a message.
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Rsa(key) => {
                let hash = sha2::Sha256::digest(message);
                key.sign(rsa::Pkcs1v15Sign::new::<sha2::Sha256>(), &hash).ok()
            }
            Self::Ec(key) => {
                let digest = sha2::Sha256::new_with_prefix(message);
                let signer = p256::ecdsa::SigningKey::from(key);
                let signature: p256::ecdsa::Signature = signer.sign_digest(digest);
                Some(signature.to_der().as_bytes().to_vec())
            }
            Self::Ed25519(key) => Some(key.sign(message).to_bytes().to_vec()),
            Self::Dsa(_) | Self::OtherCurve => None,
        }
    }
}

/// Go's words for DER that does not parse.
fn malformed(what: &str, der: &[u8]) -> String {
    if Reader(der).next().is_none() {
        "asn1: syntax error: data truncated".into()
    } else {
        format!("x509: failed to parse {what}")
    }
}
