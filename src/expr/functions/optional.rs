//! Optional values, which rules of Kubernetes have, and what only a server can answer.

use super::kubernetes::{format_named, is_valid, sign};
use super::{Function, list, member, text, wants, within};
use crate::expr::data::Val;
use crate::expr::fault::Fault;

pub(super) const TABLE: &[Function] = &[
    within("optional", "of", 1, 1, "optional.of(x)", |_, args| Ok(Val::optional(Some(args[0].clone())))),
    within("optional", "none", 0, 0, "optional.none()", |_, _| Ok(Val::optional(None))),
    within("optional", "ofNonZeroValue", 1, 1, "optional.ofNonZeroValue(x)", |_, args| {
        Ok(Val::optional(Some(args[0].clone()).filter(|val| !val.is_zero())))
    }),
    within("optional", "unwrap", 1, 1, "optional.unwrap(list)", |_, args| unwrap(args)),
    member("unwrapOpt", 1, 1, "list.unwrapOpt()", |_, args| unwrap(args)),
    member("hasValue", 1, 1, "x.hasValue()", |_, args| Ok(Val::Bool(inner(&args[0])?.is_some()))),
    member("value", 1, 1, "x.value()", |_, args| {
        inner(&args[0])?.cloned().ok_or_else(|| Fault::of_value("the optional value is absent"))
    }),
    member("or", 2, 2, "x.or(y)", |_, args| {
        inner(&args[1])?;
        Ok(if inner(&args[0])?.is_some() { args[0].clone() } else { args[1].clone() })
    }),
    member("orValue", 2, 2, "x.orValue(y)", |_, args| {
        Ok(inner(&args[0])?.cloned().unwrap_or_else(|| args[1].clone()))
    }),
    member("first", 1, 1, "list.first()", |_, args| list(&args[0])?.item(0).transpose().map(Val::optional)),
    member("last", 1, 1, "list.last()", |_, args| {
        let items = list(&args[0])?;
        let last = items.len().checked_sub(1).and_then(|last| items.item(last));
        last.transpose().map(Val::optional)
    }),
    within("format", "named", 1, 1, "format.named('dns1123Label')", |_, args| {
        Ok(Val::optional(format_named(text(&args[0])?).map(Val::Format)))
    }),
    member("validate", 2, 2, "format.dns1123Label().validate(text)", |_, args| {
        let Val::Format(name) = &args[0] else { return Err(wants("a format", &args[0])) };
        let refused = || Val::list(vec![Val::text(format!("this is no {name}"))]);
        Ok(Val::optional((!is_valid(args)?).then(refused)))
    }),
    // Not called on the quantity, unlike all else that quantities have.
    super::global("sign", 1, 1, "sign(quantity(text))", sign),
    super::both("ip", 1, 1, "ip('10.0.0.1')", |_, args| match &args[0] {
        Val::Cidr(net) => Ok(Val::Ip(net.address)),
        other => super::convert::address(other).map(Val::Ip),
    }),
];

/// What an authorizer is asked: known to the check of types, answered by servers alone.
pub(super) const AUTHORIZER: &[Function] = &[
    member("path", 2, 2, "authorizer.path('/healthz')", ask),
    member("group", 2, 2, "authorizer.group('apps')", ask),
    member("serviceAccount", 3, 3, "authorizer.serviceAccount(namespace, name)", ask),
    member("resource", 2, 2, "authorizer.group('').resource('pods')", ask),
    member("subresource", 2, 2, "resource.subresource('status')", ask),
    member("namespace", 2, 2, "resource.namespace('default')", ask),
    member("name", 2, 2, "resource.name('one')", ask),
    member("fieldSelector", 2, 2, "resource.fieldSelector('a=b')", ask),
    member("labelSelector", 2, 2, "resource.labelSelector('a=b')", ask),
    member("check", 2, 2, "resource.check('get')", ask),
    member("allowed", 1, 1, "resource.check('get').allowed()", ask),
    member("reason", 1, 1, "resource.check('get').reason()", ask),
    member("errored", 1, 1, "resource.check('get').errored()", ask),
    member("error", 1, 1, "resource.check('get').error()", ask),
];

fn ask<'a>(_: &mut super::Tools, _: &[Val<'a>]) -> Result<Val<'a>, Fault> {
    Err(Fault::of_value("only a server can answer `{f}`"))
}

fn inner<'v, 'a>(val: &'v Val<'a>) -> Result<Option<&'v Val<'a>>, Fault> {
    match val {
        Val::Optional(inner) => Ok(inner.as_deref()),
        other => Err(wants("an optional value", other)),
    }
}

fn unwrap<'a>(args: &[Val<'a>]) -> Result<Val<'a>, Fault> {
    let mut found = Vec::new();
    for item in list(&args[0])?.items()? {
        found.extend(inner(&item)?.cloned());
    }
    Ok(Val::list(found))
}
