//! HTTP for packages: redirects are followed here, and credentials stay with the host they are for.

use super::credentials::login;
use super::{PackageError, retry};
use crate::world::World;
use crate::world::net::{NetError, Request, Response};
use std::net::IpAddr;
use std::time::Duration;

const HOPS: usize = 10;

/// A URL cut into what matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    pub(super) scheme: String,
    /// Host and port, lower case, without credentials.
    pub(super) host: String,
    /// From the first `/`, query included.
    pub(super) path: String,
}

impl Url {
    /// Reads an absolute `http` or `https` URL; user info is refused, because it would end up in messages.
    pub(super) fn parse(text: &str) -> Result<Self, PackageError> {
        let fail = || PackageError::Url(text.to_owned());
        let (scheme, rest) = text.split_once("://").ok_or_else(fail)?;
        let scheme = scheme.to_ascii_lowercase();
        if scheme != "https" && scheme != "http" {
            return Err(fail());
        }
        let cut = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (host, path) = rest.split_at(cut);
        if let Some((_, host)) = host.rsplit_once('@') {
            return Err(PackageError::Login(format!("{scheme}://{host}{path}")));
        }
        if host.is_empty() || text.chars().any(|c| c.is_control() || c == ' ') {
            return Err(fail());
        }
        let path = path.split('#').next().unwrap_or("");
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Self { scheme, host: host.to_ascii_lowercase(), path })
    }

    /// Whether the other end is the same: scheme, host and port.
    pub(super) fn is_at(&self, other: &Self) -> bool {
        self.scheme == other.scheme && self.host == other.host
    }

    /// Whether nobody on the way can read what is sent.
    fn is_private(&self) -> bool {
        self.scheme == "https" || is_this_machine(&self.host)
    }

    /// The URL that `reference` means when it stands in a document at this URL.
    pub(super) fn join(&self, reference: &str) -> Result<Self, PackageError> {
        if reference.contains("://") {
            return Self::parse(reference);
        }
        if let Some(rest) = reference.strip_prefix("//") {
            return Self::parse(&format!("{}://{rest}", self.scheme));
        }
        let base = self.path.split('?').next().unwrap_or("/");
        let joined = if reference.starts_with('/') {
            reference.to_owned()
        } else {
            format!("{}/{reference}", base.rsplit_once('/').map_or("", |(folder, _)| folder))
        };
        let (path, query) =
            joined.split_once('?').map_or((joined.as_str(), None), |(path, query)| (path, Some(query)));
        let mut parts: Vec<&str> = Vec::new();
        for part in path.split('/').skip(1) {
            match part {
                "." => {}
                ".." => {
                    parts.pop();
                }
                other => parts.push(other),
            }
        }
        let mut path = format!("/{}", parts.join("/"));
        if let Some(query) = query {
            path.push('?');
            path.push_str(query);
        }
        Ok(Self { path, ..self.clone() })
    }
}

impl std::fmt::Display for Url {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}://{}{}", self.scheme, self.host, self.path)
    }
}

/// Whether a host, with its port or without, is this machine.
pub(super) fn is_this_machine(host: &str) -> bool {
    let port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let name = host.rsplit_once(':').filter(|(_, behind)| port(behind)).map_or(host, |(name, _)| name);
    let address = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name);
    address == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// How long one exchange may take: two minutes, or the seconds in `STACKC_TIMEOUT`.
fn timeout(world: &dyn World) -> Duration {
    let seconds = world.variable("STACKC_TIMEOUT").and_then(|text| text.parse().ok());
    seconds.filter(|seconds| *seconds > 0).map_or(Duration::from_mins(2), Duration::from_secs)
}

/// What a server said in the end.
pub(super) struct Answer {
    /// The URL that answered, behind all redirects.
    pub(super) at: Url,
    pub(super) response: Response,
    /// How often it was asked.
    tries: u32,
}

impl Answer {
    /// The answer where it is one, else its status as an error.
    pub(super) fn fine(self) -> Result<(Url, Response), PackageError> {
        let Self { at, response, tries } = self;
        match response.status {
            200 => Ok((at, response)),
            status => Err(PackageError::Status { url: at.to_string(), status, tries }),
        }
    }
}

/// One exchange, tried again where that may help, and the number of attempts.
fn send(world: &dyn World, at: &Url, request: &Request) -> Result<(Response, u32), PackageError> {
    let (outcome, tries) = retry::fetch(world, request);
    let response = outcome.map_err(|error| match error {
        NetError::Offline => PackageError::Offline(format!("`{at}`")),
        other if tries > 1 => {
            PackageError::Exchange { url: at.to_string(), words: format!("{other} (after {tries} attempts)") }
        }
        other => PackageError::Exchange { url: at.to_string(), words: other.to_string() },
    })?;
    Ok((response, tries))
}

/// The answer to a form with a secret in it.
pub(super) fn post(
    world: &dyn World,
    url: &Url,
    form: Vec<(String, String)>,
    limit: u64,
) -> Result<Answer, PackageError> {
    if !url.is_private() {
        return Err(PackageError::Readable(url.to_string()));
    }
    let request =
        Request { form: Some(form), timeout: timeout(world), ..Request::get(url.to_string(), limit) };
    let (response, tries) = send(world, url, &request)?;
    Ok(Answer { at: url.clone(), response, tries })
}

/// One answer, redirects followed. `authorization` goes to the first host only, and over https unless that is this machine; a
/// redirect from https to http is refused.
pub(super) fn exchange(
    world: &dyn World,
    url: &Url,
    headers: &[(&str, &str)],
    authorization: Option<&str>,
    limit: u64,
) -> Result<Answer, PackageError> {
    if authorization.is_some() && !url.is_private() {
        return Err(PackageError::Readable(url.to_string()));
    }
    let mut at = url.clone();
    for _ in 0..HOPS {
        let mut request = Request { timeout: timeout(world), ..Request::get(at.to_string(), limit) }
            .header("accept-encoding", "identity");
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        if let Some(value) = authorization.filter(|_| at.is_at(url)) {
            request = request.header("authorization", value);
        }
        let (response, tries) = send(world, &at, &request)?;
        if !matches!(response.status, 301 | 302 | 303 | 307 | 308) {
            return Ok(Answer { at, response, tries });
        }
        let target = response.header("location").ok_or_else(|| PackageError::Exchange {
            url: at.to_string(),
            words: "a redirect without a target".into(),
        })?;
        let next = at.join(target)?;
        if at.scheme == "https" && next.scheme != "https" {
            return Err(PackageError::Exchange {
                url: at.to_string(),
                words: "a redirect from https to http".into(),
            });
        }
        at = next;
    }
    Err(PackageError::Exchange { url: url.to_string(), words: format!("more than {HOPS} redirects") })
}

/// The body behind a URL: with the user's login for that host where the server asks for one.
pub(super) fn get(world: &dyn World, url: &Url, limit: u64) -> Result<(Url, Vec<u8>), PackageError> {
    let mut answer = exchange(world, url, &[], None, limit)?;
    // Some servers deny that there is anything to whoever has not said who they are.
    let denied =
        matches!(answer.response.status, 401 | 403) || (answer.response.status == 404 && url.is_private());
    if denied && let Some(login) = login(world, &url.host) {
        answer = exchange(world, url, &[], Some(&login.basic()), limit)?;
    }
    let (at, response) = answer.fine()?;
    Ok((at, response.body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::memory::MemoryWorld;

    #[test]
    fn urls_join_as_documents_do() {
        let base = Url::parse("https://charts.example.org/stable/index.yaml").expect("a URL");
        let join = |reference: &str| base.join(reference).expect("a URL").to_string();
        assert_eq!(join("a-1.tgz"), "https://charts.example.org/stable/a-1.tgz");
        assert_eq!(join("../x/a-1.tgz?y=1"), "https://charts.example.org/x/a-1.tgz?y=1");
        assert_eq!(join("/a"), "https://charts.example.org/a");
        assert_eq!(join("http://other.example.org/a"), "http://other.example.org/a");
        assert!(Url::parse("https://user:pw@example.org/").is_err(), "credentials do not belong into a URL");
        assert!(Url::parse("file:///etc/passwd").is_err());
    }

    #[test]
    fn a_login_is_sent_over_https_or_to_this_machine() {
        for (url, private) in [
            ("https://example.org/", true),
            ("http://example.org/", false),
            ("http://localhost:5000/", true),
            ("http://127.0.0.1/", true),
            ("http://[::1]:5000/", true),
            ("http://[::1]/", true),
            ("http://localhost.example.org/", false),
            ("http://127.0.0.1.example.org:80/", false),
        ] {
            assert_eq!(Url::parse(url).expect("a URL").is_private(), private, "{url}");
        }
        let world = MemoryWorld::new();
        let there = Url::parse("http://example.org/x").expect("a URL");
        let told = |answer: Result<Answer, PackageError>| answer.err();
        let readable = Some(PackageError::Readable("http://example.org/x".to_owned()));
        assert_eq!(told(exchange(&world, &there, &[], Some("Basic x"), 1)), readable);
        assert_eq!(told(post(&world, &there, Vec::new(), 1)), readable);
        assert!(matches!(told(exchange(&world, &there, &[], None, 1)), Some(PackageError::Offline(_))));
    }
}
