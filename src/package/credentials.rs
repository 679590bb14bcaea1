//! Credentials: read from Docker's configuration and credential helpers, or from variables; bound to one host.
//!
//! A [`Secret`] never prints itself. Nothing here is written to the lock, the cache or a message.

use crate::world::World;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use camino::Utf8PathBuf;
use std::fmt;

/// A value that does not show itself.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret(pub(super) String);

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("***")
    }
}

/// A name and a password, or a token, for one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Login {
    /// Empty where the secret is an identity token.
    pub(super) user: String,
    /// The password or token.
    pub(super) secret: Secret,
}

impl Login {
    /// The value of an `Authorization` header.
    pub(super) fn basic(&self) -> String {
        format!("Basic {}", STANDARD.encode(format!("{}:{}", self.user, self.secret.0)))
    }
}

/// The variable that may hold the login of a host (`a.example-b.org:5000`): capitals, with `_` for `.` and `:`, and `__` for
/// `-`. No two hosts have one: `None` for what could be read as another, and for IPv6.
pub(super) fn variable(host: &str) -> Option<String> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (name, port) = host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port)));
    let labels: Vec<&str> = name.split('.').collect();
    let plain = |label: &&str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // A last label of digits is a port, except in an address of four numbers.
    let is_address = labels.len() == 4 && labels.iter().all(|label| digits(label));
    let numbered = labels.last().is_some_and(|label| digits(label)) && !is_address;
    if numbered || !labels.iter().all(plain) || !port.is_none_or(digits) {
        return None;
    }
    let name = host.to_ascii_uppercase().replace('-', "__").replace(['.', ':'], "_");
    Some(format!("STACKC_LOGIN_{name}"))
}

/// The login for a registry or repository host, if the user has one.
///
/// Looked up in the host's [`variable`] (`user:password`), then in `$DOCKER_CONFIG/config.json` or
/// `~/.docker/config.json` by `credHelpers`, `auths` and `credsStore`.
pub(super) fn login(world: &dyn World, host: &str) -> Option<Login> {
    let own = variable(host).and_then(|name| world.variable(&name));
    if let Some((user, secret)) = own.as_deref().and_then(|value| value.split_once(':')) {
        return Some(Login { user: user.to_owned(), secret: Secret(secret.to_owned()) });
    }
    let folder = world.variable("DOCKER_CONFIG").map(Utf8PathBuf::from).or_else(|| {
        world
            .variable("HOME")
            .or_else(|| world.variable("USERPROFILE"))
            .map(|home| Utf8PathBuf::from(home).join(".docker"))
    })?;
    let config: serde_json::Value =
        serde_json::from_slice(&world.read(&folder.join("config.json")).ok()?).ok()?;
    // Docker Hub is kept under the name of its old index.
    let keys: &[&str] = match host {
        "registry-1.docker.io" | "docker.io" | "index.docker.io" => {
            &["https://index.docker.io/v1/", "docker.io", "index.docker.io", "registry-1.docker.io"]
        }
        other => &[other],
    };
    for key in keys {
        let asked = config["credHelpers"][key].as_str().and_then(|helper| ask_helper(world, helper, key));
        if asked.is_some() {
            return asked;
        }
    }
    for key in keys {
        let entry = [(*key).to_owned(), format!("https://{key}"), format!("https://{key}/")]
            .into_iter()
            .find_map(|form| config["auths"].get(form));
        if let Some(login) = entry.and_then(from_entry) {
            return Some(login);
        }
    }
    let store = config["credsStore"].as_str()?;
    keys.iter().find_map(|key| ask_helper(world, store, key))
}

fn from_entry(entry: &serde_json::Value) -> Option<Login> {
    if let Some(token) = entry["identitytoken"].as_str().filter(|token| !token.is_empty()) {
        return Some(Login { user: String::new(), secret: Secret(token.to_owned()) });
    }
    if let Some(auth) = entry["auth"].as_str().filter(|auth| !auth.is_empty()) {
        let text = String::from_utf8(STANDARD.decode(auth).ok()?).ok()?;
        let (user, secret) = text.split_once(':')?;
        return Some(Login {
            user: user.to_owned(),
            secret: Secret(secret.trim_end_matches('\0').to_owned()),
        });
    }
    let (user, secret) = (entry["username"].as_str()?, entry["password"].as_str()?);
    Some(Login { user: user.to_owned(), secret: Secret(secret.to_owned()) })
}

fn ask_helper(world: &dyn World, helper: &str, host: &str) -> Option<Login> {
    let plain = helper.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if !plain {
        return None;
    }
    let answer = world.execute(&format!("docker-credential-{helper}"), &["get"], host.as_bytes()).ok()?;
    if answer.code != Some(0) {
        return None;
    }
    let reply: serde_json::Value = serde_json::from_slice(&answer.out).ok()?;
    let (user, secret) = (reply["Username"].as_str()?, reply["Secret"].as_str()?);
    let user = if user == "<token>" { "" } else { user };
    Some(Login { user: user.to_owned(), secret: Secret(secret.to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::memory::MemoryWorld;

    #[test]
    fn no_two_hosts_have_one_variable() {
        let hosts = [
            "a.b.c",
            "a-b.c",
            "a.b-c",
            "a-b-c",
            "a--b.c",
            "a.b.c:80",
            "a-b.c:80",
            "127.0.0.1",
            "127.0.0.1:80",
            "xn--a.org",
        ];
        let names: std::collections::BTreeSet<String> =
            hosts.iter().filter_map(|host| variable(host)).collect();
        assert_eq!(names.len(), hosts.len(), "{names:?}");
        assert_eq!(
            variable("charts.my-site.org:5000").as_deref(),
            Some("STACKC_LOGIN_CHARTS_MY__SITE_ORG_5000")
        );
        for odd in [
            "a..b",
            "a.-b",
            "a-.b",
            "a.b.",
            "a_b",
            "a.80",
            "1.2.3:4",
            "127.0.0.1.80",
            "[::1]:80",
            "a:b",
            "a:",
            "",
            "ä.org",
        ] {
            assert_eq!(variable(odd), None, "{odd}");
        }
        let world = MemoryWorld::new().with_variable("STACKC_LOGIN_A_B_C", "me:pw");
        assert!(login(&world, "a.b.c").is_some());
        assert_eq!(login(&world, "a-b-c"), None);
    }

    #[test]
    fn reads_docker_and_variables_and_shows_nothing() {
        let config = r#"{"auths": {"ghcr.io": {"auth": "dXNlcjpwYXNz"}, "https://index.docker.io/v1/": {"identitytoken": "t"}}}"#;
        let world = MemoryWorld::new()
            .with("/home/u/.docker/config.json", config)
            .with_variable("HOME", "/home/u")
            .with_variable("STACKC_LOGIN_CHARTS_EXAMPLE_ORG", "me:pw");
        let found = login(&world, "ghcr.io").expect("a login");
        assert_eq!((found.user.as_str(), found.secret.0.as_str()), ("user", "pass"));
        assert_eq!(found.basic(), "Basic dXNlcjpwYXNz");
        assert_eq!(format!("{found:?}"), "Login { user: \"user\", secret: *** }");
        assert_eq!(login(&world, "registry-1.docker.io").expect("a login").user, "");
        assert_eq!(login(&world, "charts.example.org").expect("a login").user, "me");
        assert_eq!(login(&world, "quay.io"), None);
    }
}
