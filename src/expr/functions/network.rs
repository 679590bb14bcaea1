//! IP addresses, networks and URLs.

use super::convert::{address, network};
use super::{Function, global, member, text, wants, within};
use crate::expr::data::{Key, Val};
use crate::expr::fault::Fault;
use crate::expr::net::{
    Cidr, Url, is_global_unicast, is_link_local_multicast, is_link_local_unicast, parse_ip,
};
use std::sync::Arc;

pub(super) const TABLE: &[Function] = &[
    super::both("ip", 1, 1, "ip('10.0.0.1')", |_, args| match &args[0] {
        Val::Cidr(net) => Ok(Val::Ip(net.address)),
        other => address(other).map(Val::Ip),
    }),
    global("isIP", 1, 1, "isIP(text)", |_, args| Ok(Val::Bool(parse_ip(text(&args[0])?).is_some()))),
    within("ip", "isCanonical", 1, 1, "ip.isCanonical(text)", |_, args| {
        let text = text(&args[0])?;
        Ok(Val::Bool(address(&args[0])?.to_string() == text.as_ref()))
    }),
    member("family", 1, 1, "ip(text).family()", |_, args| {
        Ok(Val::Int(if address(&args[0])?.is_ipv4() { 4 } else { 6 }))
    }),
    member("isUnspecified", 1, 1, "ip(text).isUnspecified()", |_, args| {
        Ok(Val::Bool(address(&args[0])?.is_unspecified()))
    }),
    member("isLoopback", 1, 1, "ip(text).isLoopback()", |_, args| {
        Ok(Val::Bool(address(&args[0])?.is_loopback()))
    }),
    member("isLinkLocalMulticast", 1, 1, "ip(text).isLinkLocalMulticast()", |_, args| {
        Ok(Val::Bool(is_link_local_multicast(address(&args[0])?)))
    }),
    member("isLinkLocalUnicast", 1, 1, "ip(text).isLinkLocalUnicast()", |_, args| {
        Ok(Val::Bool(is_link_local_unicast(address(&args[0])?)))
    }),
    member("isGlobalUnicast", 1, 1, "ip(text).isGlobalUnicast()", |_, args| {
        Ok(Val::Bool(is_global_unicast(address(&args[0])?)))
    }),
    global("cidr", 1, 1, "cidr('10.0.0.0/16')", |_, args| network(&args[0]).map(Val::Cidr)),
    global("isCIDR", 1, 1, "isCIDR(text)", |_, args| Ok(Val::Bool(Cidr::parse(text(&args[0])?).is_some()))),
    member("containsIP", 2, 2, "cidr(text).containsIP(ip)", |_, args| {
        Ok(Val::Bool(net(&args[0])?.contains(address(&args[1])?)))
    }),
    member("containsCIDR", 2, 2, "cidr(text).containsCIDR(cidr)", |_, args| {
        Ok(Val::Bool(net(&args[0])?.contains_cidr(network(&args[1])?)))
    }),
    member("masked", 1, 1, "cidr(text).masked()", |_, args| Ok(Val::Cidr(net(&args[0])?.masked()))),
    member("prefixLength", 1, 1, "cidr(text).prefixLength()", |_, args| {
        Ok(Val::Int(i64::from(net(&args[0])?.bits)))
    }),
    global("url", 1, 1, "url('https://example.org/')", |_, args| {
        let text = text(&args[0])?;
        let parsed = Url::parse(text);
        parsed
            .map(|url| Val::Url(Arc::new(url)))
            .ok_or_else(|| Fault::of_value(format!("\"{text}\" is no URL")))
    }),
    global("isURL", 1, 1, "isURL(text)", |_, args| Ok(Val::Bool(Url::parse(text(&args[0])?).is_some()))),
    member("getScheme", 1, 1, "url(text).getScheme()", |_, args| {
        Ok(Val::text(url(&args[0])?.scheme.as_str()))
    }),
    member("getHost", 1, 1, "url(text).getHost()", |_, args| Ok(Val::text(url(&args[0])?.host.as_str()))),
    member("getHostname", 1, 1, "url(text).getHostname()", |_, args| {
        Ok(Val::text(url(&args[0])?.host_name()))
    }),
    member("getPort", 1, 1, "url(text).getPort()", |_, args| Ok(Val::text(url(&args[0])?.port()))),
    member("getEscapedPath", 1, 1, "url(text).getEscapedPath()", |_, args| {
        Ok(Val::text(url(&args[0])?.path.as_str()))
    }),
    member("getQuery", 1, 1, "url(text).getQuery()", |_, args| {
        let parameters = url(&args[0])?.parameters();
        Ok(Val::map(
            parameters
                .into_iter()
                .map(|(key, values)| {
                    (Key::String(key.into()), Val::list(values.into_iter().map(Val::text).collect()))
                })
                .collect(),
        ))
    }),
];

fn net(val: &Val<'_>) -> Result<Cidr, Fault> {
    match val {
        Val::Cidr(net) => Ok(*net),
        Val::String(text) => Err(wants("a CIDR", val).help(format!("write `cidr('{text}')`"))),
        other => Err(wants("a CIDR", other)),
    }
}

fn url<'v>(val: &'v Val<'_>) -> Result<&'v Url, Fault> {
    match val {
        Val::Url(url) => Ok(url),
        other => Err(wants("a URL", other).help("write `url(text)`")),
    }
}
