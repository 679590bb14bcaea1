//! OCI registries: tags, manifests and the chart layer, with anonymous or token authentication.
//!
//! The shape follows the OCI distribution specification and Helm's media types. The digest of the manifest pins the
//! package; the layer's digest pins its bytes.

use super::credentials::{Login, login};
use super::http::{Url, exchange, is_this_machine, post};
use super::{ContentDigest, PackageError};
use crate::world::World;
use crate::world::net::Response;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";
const CHART: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
const CHART_LEGACY: &str = "application/tar+gzip";
const SMALL: u64 = 8 * 1024 * 1024;
/// How many manifests of an index are looked into, where it does not say what they are.
const LISTED: usize = 16;

/// One repository of a registry, and the token for it once the registry asked for one.
pub(super) struct Repository<'a> {
    world: &'a dyn World,
    base: Url,
    name: String,
    authorization: Option<String>,
}

/// A chart as it was pulled.
pub(super) struct Pulled {
    pub(super) manifest: ContentDigest,
    pub(super) bytes: Vec<u8>,
}

impl<'a> Repository<'a> {
    /// The repository behind `oci://host/path`, with the chart's name behind it.
    pub(super) fn new(world: &'a dyn World, location: &str, chart: &str) -> Result<Self, PackageError> {
        let rest = location.strip_prefix("oci://").ok_or_else(|| PackageError::Url(location.to_owned()))?;
        let (host, path) =
            rest.trim_end_matches('/').split_once('/').unwrap_or((rest.trim_end_matches('/'), ""));
        let name = if path.is_empty() { chart.to_owned() } else { format!("{path}/{chart}") };
        let host =
            if host == "docker.io" || host == "index.docker.io" { "registry-1.docker.io" } else { host };
        // Registries on this machine speak plain HTTP, as every OCI client has it.
        let local = is_this_machine(host);
        let base = Url::parse(&format!("{}://{host}/", if local { "http" } else { "https" }))?;
        Ok(Self { world, base, name: name.to_ascii_lowercase(), authorization: None })
    }

    /// All tags, with `_` back to the `+` of versions.
    pub(super) fn tags(&mut self) -> Result<Vec<String>, PackageError> {
        let mut tags = Vec::new();
        let mut url = self.base.join(&format!("/v2/{}/tags/list?n=1000", self.name))?;
        for _ in 0..1000 {
            let response = self.send(&url, "application/json", SMALL)?;
            let page: serde_json::Value = self.json(&response)?;
            tags.extend(
                page["tags"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|tag| tag.as_str().map(|tag| tag.replace('_', "+"))),
            );
            match response.header("link").and_then(next_page) {
                Some(next) => {
                    let next = url.join(&next)?;
                    if !next.is_at(&self.base) {
                        return Err(self.malformed("the next page of tags is on another host"));
                    }
                    url = next;
                }
                None => return Ok(tags),
            }
        }
        Err(self.malformed("the list of tags does not end"))
    }

    /// The chart behind a tag or a manifest's digest.
    pub(super) fn pull(&mut self, reference: &str, limit: u64) -> Result<Pulled, PackageError> {
        let reference = reference.replace('+', "_");
        let (mut manifest, mut document) = self.manifest(&reference)?;
        if let Some(listed) = listed(&document) {
            (manifest, document) = self.chart_among(&listed)?;
        }
        let layers = document["layers"].as_array().map_or(&[] as &[_], Vec::as_slice);
        let layer = [CHART, CHART_LEGACY]
            .iter()
            .find_map(|kind| layers.iter().find(|layer| layer["mediaType"].as_str() == Some(*kind)))
            .ok_or_else(|| self.malformed("there is no Helm chart among its layers"))?;
        let digest = layer["digest"]
            .as_str()
            .and_then(ContentDigest::parse)
            .ok_or_else(|| self.malformed("the chart layer has no SHA-256 digest"))?;
        if layer["size"].as_u64().is_some_and(|size| size > limit) {
            return Err(self.malformed("the chart layer is larger than a chart may be"));
        }
        let url = self.base.join(&format!("/v2/{}/blobs/{digest}", self.name))?;
        let blob = self.send(&url, "application/octet-stream", limit)?;
        self.same(&digest, &ContentDigest::of(&blob.body))?;
        Ok(Pulled { manifest, bytes: blob.body })
    }

    /// What lies behind a tag or a digest, a manifest or an index of manifests.
    fn manifest(&mut self, reference: &str) -> Result<(ContentDigest, serde_json::Value), PackageError> {
        let url = self.base.join(&format!("/v2/{}/manifests/{reference}", self.name))?;
        let accepted = format!("{MANIFEST}, {INDEX}, {LIST}");
        let response = self.send(&url, &accepted, SMALL)?;
        let got = ContentDigest::of(&response.body);
        if let Some(wanted) = ContentDigest::parse(reference) {
            self.same(&wanted, &got)?;
        }
        Ok((got, self.json(&response)?))
    }

    /// The one manifest of an index that is a Helm chart. Charts are for no platform, so two of them are not told apart.
    fn chart_among(&mut self, listed: &[Listed]) -> Result<(ContentDigest, serde_json::Value), PackageError> {
        let said = listed.iter().any(|entry| entry.artifact.as_deref() == Some(CONFIG));
        let mut charts = Vec::new();
        let candidates = listed.iter().filter(|entry| match &entry.artifact {
            Some(artifact) => artifact == CONFIG,
            None => !said,
        });
        for entry in candidates.take(LISTED) {
            let (digest, document) = self.manifest(entry.digest.as_str())?;
            if document["config"]["mediaType"].as_str() == Some(CONFIG) {
                charts.push((digest, document));
            }
        }
        match (charts.pop(), charts.pop()) {
            (Some(chart), None) => Ok(chart),
            (Some((first, _)), Some((second, _))) => {
                let words = format!("its index lists several Helm charts, {second} and {first} among them");
                Err(self.malformed(&words))
            }
            (None, _) => Err(self.malformed("there is no Helm chart among the manifests of its index")),
        }
    }

    fn same(&self, wanted: &ContentDigest, got: &ContentDigest) -> Result<(), PackageError> {
        if wanted == got {
            return Ok(());
        }
        Err(PackageError::Digest { what: self.to_string(), wanted: wanted.clone(), got: got.clone() })
    }

    fn malformed(&self, words: &str) -> PackageError {
        PackageError::Malformed { what: self.to_string(), words: words.to_owned() }
    }

    fn json(&self, response: &Response) -> Result<serde_json::Value, PackageError> {
        serde_json::from_slice(&response.body).map_err(|error| self.malformed(&format!("no JSON: {error}")))
    }

    fn send(&mut self, url: &Url, accept: &str, limit: u64) -> Result<Response, PackageError> {
        let ask = |authorization: Option<&str>| {
            exchange(self.world, url, &[("accept", accept)], authorization, limit)
        };
        let mut answer = ask(self.authorization.as_deref())?;
        if answer.response.status == 401 && answer.at.is_at(&self.base) {
            let challenge = answer.response.header("www-authenticate").unwrap_or("").to_owned();
            let authorization = self.authorize(&challenge)?;
            answer = ask(authorization.as_deref())?;
            self.authorization = authorization;
        }
        Ok(answer.fine()?.1)
    }

    /// Answers a challenge: `Basic`, or `Bearer` by asking its realm for a token.
    fn authorize(&self, challenge: &str) -> Result<Option<String>, PackageError> {
        let login = login(self.world, &self.base.host);
        let (scheme, parameters) = challenge.split_once(' ').unwrap_or((challenge, ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Ok(login.map(|login| login.basic()));
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Ok(None);
        }
        let parameters = parameters_of(parameters);
        let find =
            |name: &str| parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let realm = Url::parse(find("realm").ok_or_else(|| self.malformed("a challenge without a realm"))?)?;
        if self.base.scheme == "https" && realm.scheme != "https" {
            return Err(self.malformed("the realm of its tokens is not https"));
        }
        let scope = find("scope").map_or_else(|| format!("repository:{}:pull", self.name), str::to_owned);
        let mut form = vec![
            ("service".to_owned(), find("service").unwrap_or("").to_owned()),
            ("scope".to_owned(), scope),
        ];
        let answer = match &login {
            // An identity token is traded in by POST; a password goes along as Basic.
            Some(login) if login.user.is_empty() => {
                form.extend([
                    ("grant_type".to_owned(), "refresh_token".to_owned()),
                    ("client_id".to_owned(), "stackc".to_owned()),
                    ("refresh_token".to_owned(), login.secret.0.clone()),
                ]);
                post(self.world, &realm, form, SMALL)?
            }
            _ => {
                let query: Vec<String> =
                    form.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
                let joint = if realm.path.contains('?') { '&' } else { '?' };
                let url = realm.join(&format!("{}{joint}{}", realm.path, query.join("&")))?;
                let basic = login.as_ref().map(Login::basic);
                exchange(self.world, &url, &[], basic.as_deref(), SMALL)?
            }
        };
        let token = self.json(&answer.fine()?.1)?;
        let token = token["token"].as_str().or_else(|| token["access_token"].as_str());
        Ok(token.map(|token| format!("Bearer {token}")))
    }
}

/// A manifest as an index lists it.
struct Listed {
    digest: ContentDigest,
    artifact: Option<String>,
}

/// What an index lists, other indexes left out; `None` for what is no index.
fn listed(document: &serde_json::Value) -> Option<Vec<Listed>> {
    let kind = document["mediaType"].as_str();
    let is_index = kind.is_none_or(|kind| kind == INDEX || kind == LIST) && document["layers"].is_null();
    let entries = document["manifests"].as_array().filter(|_| is_index)?;
    let read = |entry: &serde_json::Value| {
        let is_manifest = !matches!(entry["mediaType"].as_str(), Some(INDEX | LIST));
        Some(Listed {
            digest: ContentDigest::parse(entry["digest"].as_str().filter(|_| is_manifest)?)?,
            artifact: entry["artifactType"].as_str().map(str::to_owned),
        })
    };
    Some(entries.iter().filter_map(read).collect())
}

impl std::fmt::Display for Repository<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "oci://{}/{}", self.base.host, self.name)
    }
}

/// `key="value"` pairs of a challenge.
fn parameters_of(text: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.trim_matches([' ', ',']).to_ascii_lowercase();
        let (value, tail) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(',').unwrap_or((after, "")),
        };
        pairs.push((name, value.to_owned()));
        rest = tail;
    }
    pairs
}

/// The target of `<...>; rel="next"`.
fn next_page(link: &str) -> Option<String> {
    let (target, rest) = link.strip_prefix('<')?.split_once('>')?;
    rest.contains("next").then(|| target.to_owned())
}

fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_and_links_are_read() {
        let pairs = parameters_of(
            r#"realm="https://auth.example.org/token",service="r", scope="repository:a/b:pull""#,
        );
        assert_eq!(pairs[0], ("realm".to_owned(), "https://auth.example.org/token".to_owned()));
        assert_eq!(pairs[2].1, "repository:a/b:pull");
        assert_eq!(
            next_page("</v2/a/tags/list?last=x>; rel=\"next\"").as_deref(),
            Some("/v2/a/tags/list?last=x")
        );
        assert_eq!(encode("repository:a/b:pull"), "repository%3Aa%2Fb%3Apull");
    }
}
