//! Certificates and keys. They are fit for use: X.509 version 3, signed with SHA-256, serial numbers of 128 bits.

mod der;
mod key;
mod prime;
mod strong;

use super::encoding::base64_or;
use crate::helm::fmt;
use crate::helm::funcs::{Args, Ctx, FuncError, Function, Impurity};
use crate::helm::time::{Time, Zone, format as format_time};
use crate::helm::value::types::{INT, LIST, STRING};
use crate::helm::value::{FieldInfo, Kind, Object, Str, Type, TypeInfo, Value};
use der::{Reader, bit_string, integer, object, sequence, tag, value};
use key::Key;
use sha2::Digest as _;
use std::net::IpAddr;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("genPrivateKey", &[&STRING], private_key).impure(Impurity::Random),
    Function::new("buildCustomCert", &[&STRING, &STRING], build_custom),
    Function::new("genCA", &[&STRING, &INT], |ctx, args| {
        let key = new_key(ctx)?;
        authority(ctx, args, &key)
    })
    .impure(Impurity::Random),
    Function::new("genCAWithKey", &[&STRING, &INT, &STRING], |ctx, args| {
        let key = given_key(ctx, args, 2)?;
        authority(ctx, args, &key)
    })
    .impure(Impurity::Random),
    Function::new("genSelfSignedCert", &[&STRING, &LIST, &LIST, &INT], |ctx, args| {
        let key = new_key(ctx)?;
        self_signed(ctx, args, &key)
    })
    .impure(Impurity::Random),
    Function::new("genSelfSignedCertWithKey", &[&STRING, &LIST, &LIST, &INT, &STRING], |ctx, args| {
        let key = given_key(ctx, args, 4)?;
        self_signed(ctx, args, &key)
    })
    .impure(Impurity::Random),
    Function::new("genSignedCert", &[&STRING, &LIST, &LIST, &INT, &CERTIFICATE], |ctx, args| {
        let key = new_key(ctx)?;
        signed(ctx, args, &key)
    })
    .impure(Impurity::Random),
    Function::new(
        "genSignedCertWithKey",
        &[&STRING, &LIST, &LIST, &INT, &CERTIFICATE, &STRING],
        |ctx, args| {
            let key = given_key(ctx, args, 5)?;
            signed(ctx, args, &key)
        },
    )
    .impure(Impurity::Random),
];

type Answer = Result<Value, FuncError>;

/// Steps that making an RSA key of 2048 bits counts for.
const KEY_STEPS: u64 = 600_000;
/// Steps that making a key on a curve counts for.
const CURVE_STEPS: u64 = 5_000;
/// Steps that reading a key and checking its numbers counts for.
const READ_STEPS: u64 = 20_000;
/// Steps that signing counts for.
const SIGN_STEPS: u64 = 20_000;

/// `sprig.certificate`.
static CERTIFICATE: TypeInfo = TypeInfo::plain("sprig.certificate", Kind::Struct);

struct Certificate {
    cert: Str,
    key: Str,
}

impl Object for Certificate {
    fn type_of(&self) -> Type {
        &CERTIFICATE
    }
    fn fields(&self) -> Vec<FieldInfo> {
        let field = |name, text: &Str| FieldInfo {
            name,
            value: Value::String(text.clone()),
            json: Some(name),
            omit_empty: false,
        };
        vec![field("Cert", &self.cert), field("Key", &self.key)]
    }
}

fn new_key(ctx: &mut Ctx<'_>) -> Result<Key, FuncError> {
    ctx.spend(KEY_STEPS)?;
    Key::rsa(ctx, 2048).map_err(|error| FuncError::message(format!("error generating rsa key: {error}")))
}

fn given_key(ctx: &mut Ctx<'_>, args: &Args<'_>, at: usize) -> Result<Key, FuncError> {
    ctx.spend(READ_STEPS)?;
    Key::parse(args.str(at)?).map_err(|words| FuncError::message(format!("parsing private key: {words}")))
}

fn private_key(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let key = match args.str(0)?.as_bytes() {
        b"" | b"rsa" => {
            ctx.spend(10 * KEY_STEPS)?;
            match Key::rsa(ctx, 4096) {
                Ok(key) => key,
                Err(error) => return Ok(format!("failed to generate private key: {error}").into()),
            }
        }
        b"dsa" => {
            ctx.spend(10 * KEY_STEPS)?;
            Key::dsa(ctx)
        }
        b"ecdsa" | b"ed25519" => {
            ctx.spend(CURVE_STEPS)?;
            if args.str(0)?.as_bytes() == b"ecdsa" { Key::ec(ctx) } else { Key::ed25519(ctx) }
        }
        other => return Ok(Value::String([b"Unknown type ", other].concat().into())),
    };
    Ok(key.to_pem().unwrap_or_default().into())
}

fn build_custom(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    ctx.spend(READ_STEPS)?;
    let cert = base64_or(args.str(0)?, "unable to decode base64 certificate")?;
    let key = base64_or(args.str(1)?, "unable to decode base64 private key")?;
    let (_, der) = der::from_pem(&cert).ok_or_else(|| FuncError::message("unable to decode certificate"))?;
    Issuer::parse(&der)?;
    Key::parse(&key).map_err(|words| FuncError::message(format!("error parsing private key: {words}")))?;
    Ok(Value::object(Certificate { cert: cert.into(), key: key.into() }))
}

/// What a certificate that signs another one has to tell.
struct Issuer {
    subject: Vec<u8>,
    key_id: Option<Vec<u8>>,
}

impl Issuer {
    fn parse(der: &[u8]) -> Result<Self, FuncError> {
        Self::read(der).ok_or_else(|| {
            FuncError::message("error parsing certificate: decodedCert.Bytes: x509: malformed certificate")
        })
    }

    fn read(der: &[u8]) -> Option<Self> {
        let mut certificate = Reader(Reader(der).expect(tag::SEQUENCE)?);
        let mut body = Reader(certificate.expect(tag::SEQUENCE)?);
        certificate.expect(tag::SEQUENCE)?;
        certificate.expect(tag::BIT_STRING)?;
        let mut next = body.next()?;
        if next.0 == 0xa0 {
            next = body.next()?;
        }
        (next.0 == tag::INTEGER).then_some(())?;
        body.expect(tag::SEQUENCE)?;
        body.expect(tag::SEQUENCE)?;
        body.expect(tag::SEQUENCE)?;
        let (_, _, subject) = body.next().filter(|(found, ..)| *found == tag::SEQUENCE)?;
        body.expect(tag::SEQUENCE)?;
        let mut key_id = None;
        while let Some((found, contents, _)) = body.next() {
            if found == 0xa3 {
                let mut extensions = Reader(Reader(contents).expect(tag::SEQUENCE)?);
                while let Some(extension) = extensions.expect(tag::SEQUENCE) {
                    let mut parts = Reader(extension);
                    if parts.expect(tag::OBJECT)? == SUBJECT_KEY_ID {
                        key_id = Reader(parts.expect(tag::OCTET_STRING)?).expect(tag::OCTET_STRING);
                    }
                }
            }
        }
        Some(Self { subject: subject.to_vec(), key_id: key_id.map(<[u8]>::to_vec) })
    }
}

const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const SUBJECT_KEY_ID: &[u8] = &[0x55, 0x1d, 0x0e];
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
const ALTERNATE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const AUTHORITY_KEY_ID: &[u8] = &[0x55, 0x1d, 0x23];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
const SERVER_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 1];
const CLIENT_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 2];

/// What the functions say of the certificate they want.
struct Request {
    name: Str,
    addresses: Vec<IpAddr>,
    hosts: Vec<Str>,
    days: i64,
    authority: bool,
}

impl Request {
    /// From the arguments: name, addresses, hosts, days.
    fn read(args: &Args<'_>) -> Result<Self, FuncError> {
        let shown = |item: &Value| {
            let mut out = Vec::new();
            fmt::append_value(&mut out, item)?;
            Ok::<_, FuncError>(out)
        };
        let mut addresses = Vec::new();
        for item in args.list(1)?.iter() {
            let Some(text) = item.as_str() else {
                let words = [b"error parsing ip: ".as_slice(), &shown(item)?, b" is not a string"].concat();
                return Err(FuncError::message(words));
            };
            let address = text.as_str().and_then(|text| text.parse().ok());
            let words = || FuncError::message([b"error parsing ip: ", text.as_bytes()].concat());
            addresses.push(address.ok_or_else(words)?);
        }
        let mut hosts = Vec::new();
        for item in args.list(2)?.iter() {
            let Some(text) = item.as_str() else {
                let lead = b"error processing alternate dns name: ".as_slice();
                let words = [lead, &shown(item)?, b" is not a string"].concat();
                return Err(FuncError::message(words));
            };
            hosts.push(text.clone());
        }
        Ok(Self { name: args.str(0)?.clone(), addresses, hosts, days: args.int(3)?, authority: false })
    }
}

/// Accounts for a certificate with these words in it: its parts are put together from the inside out, signed and
/// written as PEM.
fn charge(ctx: &mut Ctx<'_>, request: &Request) -> Result<(), FuncError> {
    let hosts = request.hosts.iter().map(|host| host.len() + 16).sum::<usize>();
    let words = request.name.len().saturating_add(hosts).saturating_add(16 * request.addresses.len());
    ctx.spend(words as u64 / 4)?;
    ctx.charge(words.saturating_mul(8))
}

fn authority(ctx: &mut Ctx<'_>, args: &Args<'_>, key: &Key) -> Answer {
    let request = Request {
        name: args.str(0)?.clone(),
        addresses: Vec::new(),
        hosts: Vec::new(),
        days: args.int(1)?,
        authority: true,
    };
    certify(ctx, &request, key, None)
}

fn self_signed(ctx: &mut Ctx<'_>, args: &Args<'_>, key: &Key) -> Answer {
    certify(ctx, &Request::read(args)?, key, None)
}

fn signed(ctx: &mut Ctx<'_>, args: &Args<'_>, key: &Key) -> Answer {
    ctx.spend(READ_STEPS)?;
    let given = args.value(4).as_object::<Certificate>().ok_or_else(super::cast::nil_dereference)?;
    let (_, der) =
        der::from_pem(&given.cert).ok_or_else(|| FuncError::message("unable to decode certificate"))?;
    let issuer = Issuer::read(&der).ok_or_else(|| {
        FuncError::message("error parsing certificate: decodedSignerCert.Bytes: x509: malformed certificate")
    })?;
    let issuer_key = Key::parse(&given.key)
        .map_err(|words| FuncError::message(format!("error parsing private key: {words}")))?;
    certify(ctx, &Request::read(args)?, key, Some((&issuer, &issuer_key)))
}

fn name(text: &[u8]) -> Vec<u8> {
    if text.is_empty() {
        return sequence(&[]);
    }
    let printable = |b: &u8| b.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(b);
    let kind = if text.iter().all(printable) { tag::PRINTABLE } else { tag::UTF8 };
    let attribute = sequence(&[&object(COMMON_NAME), &value(kind, text)]);
    sequence(&[&value(tag::SET, &attribute)])
}

fn moment(unix: i64) -> Vec<u8> {
    let time = Time { unix, nanos: 0, zone: Zone::Utc };
    if (1950..2050).contains(&time.civil().year) {
        value(tag::UTC_TIME, &format_time(&time, b"060102150405Z"))
    } else {
        value(tag::GENERALIZED_TIME, &format_time(&time, b"20060102150405Z"))
    }
}

fn extension(id: &[u8], critical: bool, contents: &[u8]) -> Vec<u8> {
    let flag = if critical { value(tag::BOOLEAN, &[0xff]) } else { Vec::new() };
    sequence(&[&object(id), &flag, &value(tag::OCTET_STRING, contents)])
}

/// The extensions, in the order in which Go writes them.
fn extensions(request: &Request, own_id: Option<&[u8]>, issuer_id: Option<&[u8]>) -> Vec<u8> {
    let mut all = Vec::new();
    // Digital signature, key encipherment, and for an authority the signing of certificates.
    let usage: &[u8] = if request.authority { &[2, 0xa4] } else { &[5, 0xa0] };
    all.extend(extension(KEY_USAGE, true, &value(tag::BIT_STRING, usage)));
    all.extend(extension(
        EXTENDED_KEY_USAGE,
        false,
        &sequence(&[&object(SERVER_AUTH), &object(CLIENT_AUTH)]),
    ));
    let authority = if request.authority { value(tag::BOOLEAN, &[0xff]) } else { Vec::new() };
    all.extend(extension(BASIC_CONSTRAINTS, true, &sequence(&[&authority])));
    if let Some(id) = own_id {
        all.extend(extension(SUBJECT_KEY_ID, false, &value(tag::OCTET_STRING, id)));
    }
    if let Some(id) = issuer_id {
        all.extend(extension(AUTHORITY_KEY_ID, false, &sequence(&[&value(0x80, id)])));
    }
    let hosts = request.hosts.iter().map(|host| value(0x82, host));
    let addresses = request.addresses.iter().map(|address| match address {
        IpAddr::V4(address) => value(0x87, &address.octets()),
        IpAddr::V6(address) => value(
            0x87,
            &address.to_ipv4_mapped().map_or(address.octets().to_vec(), |v4| v4.octets().to_vec()),
        ),
    });
    let names: Vec<u8> = hosts.chain(addresses).flatten().collect();
    if !names.is_empty() {
        let critical = request.name.is_empty();
        all.extend(extension(ALTERNATE_NAMES, critical, &value(tag::SEQUENCE, &names)));
    }
    value(0xa3, &value(tag::SEQUENCE, &all))
}

/// A certificate for `key`, signed by an issuer, else by itself.
fn certify(ctx: &mut Ctx<'_>, request: &Request, key: &Key, issuer: Option<(&Issuer, &Key)>) -> Answer {
    ctx.spend(SIGN_STEPS)?;
    charge(ctx, request)?;
    let failed = |words: &str| FuncError::message(format!("error creating certificate: {words}"));
    let unsupported = || failed("x509: only RSA, ECDSA and Ed25519 keys supported");
    if let Some(host) = request.hosts.iter().find(|host| !host.is_ascii()) {
        return Err(failed(&format!("x509: \"{host}\" cannot be encoded as an IA5String")));
    }
    let (public, bits) = key.public().ok_or_else(unsupported)?;
    let signer = issuer.map_or(key, |(_, key)| key);
    let algorithm = signer.algorithm().ok_or_else(unsupported)?;
    let subject = name(&request.name);
    let (issuer_name, issuer_id) = match issuer {
        Some((issuer, _)) => (issuer.subject.clone(), issuer.key_id.clone()),
        None => (subject.clone(), None),
    };
    let key_id = request.authority.then(|| sha2::Sha256::digest(&bits)[..20].to_vec());
    let issuer_id = issuer_id.filter(|_| issuer_name != subject);
    let mut serial = [0; 16];
    ctx.random(&mut serial);
    let (now, _) = ctx.now();
    let end = now.saturating_add(request.days.saturating_mul(86_400));
    let body = sequence(&[
        &value(0xa0, &integer(&[2])),
        &integer(&serial),
        &algorithm,
        &issuer_name,
        &sequence(&[&moment(now), &moment(end)]),
        &subject,
        &public,
        &extensions(request, key_id.as_deref(), issuer_id.as_deref()),
    ]);
    let signature = signer.sign(&body).ok_or_else(unsupported)?;
    let whole = sequence(&[&body, &algorithm, &bit_string(&signature)]);
    Ok(Value::object(Certificate {
        cert: der::to_pem("CERTIFICATE", &whole).into(),
        key: key.to_pem().unwrap_or_default().into(),
    }))
}
