//! Secrets that exist in no place of the tree, and the commands that make them.
//!
//! A command holds the names of keys and never a value: each is a shell variable or a path that a person fills.

use crate::model::{ObjectId, RequiredSecret};
use crate::order::Sequence;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A Secret that a person makes.
#[derive(Clone, Debug)]
pub struct HandMade {
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// Its keys.
    pub keys: Vec<Key>,
    /// The instances that read it; `flux` where it is Flux itself.
    pub readers: Vec<Arc<str>>,
    /// An encrypted one may take over later.
    pub supersedable: bool,
}

/// A key of a Secret that a person makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The key.
    pub name: Arc<str>,
    /// The form of its value, where the stack states one.
    pub format: Option<Arc<str>>,
    /// What stands for it in a cloud-config.
    pub placeholder: Option<Arc<str>>,
    /// What it is and where a person gets it.
    pub description: Option<Arc<str>>,
}

impl Key {
    fn of(name: &Arc<str>) -> Self {
        Self { name: Arc::clone(name), format: None, placeholder: None, description: None }
    }

    /// Whether the value is more than a line, so that it comes from a file.
    fn is_file(&self) -> bool {
        let formats = ["pem", "json", "yaml", "file", "age-key", "ssh-key", "known-hosts", "kubeconfig"];
        self.format.as_deref().is_some_and(|format| formats.contains(&format))
            || self.name.ends_with(".agekey")
    }
}

/// The Secrets that the overlay says are outside and the tree does not bring after all.
pub(super) fn hand_made(sequence: &Sequence) -> Vec<HandMade> {
    let surroundings = sequence.surroundings();
    let brought: BTreeSet<&ObjectId> = sequence
        .objects()
        .iter()
        .map(|placed| &placed.object.id)
        .chain(
            surroundings
                .encrypted
                .iter()
                .flat_map(|file| file.objects.iter().chain(&file.creates).map(|(id, _)| id)),
        )
        .collect();
    let mut found = Vec::new();
    for (index, external) in surroundings.externals.iter().enumerate() {
        let id = &external.id;
        let Some(namespace) = &id.namespace else { continue };
        if !id.group.is_empty() || &*id.kind != "Secret" || brought.contains(id) {
            continue;
        }
        let mut keys: Vec<Key> = external.keys.iter().map(Key::of).collect();
        let wanted = |secret: &&RequiredSecret| secret.name == id.name && secret.namespace == *namespace;
        for secret in sequence.parts().iter().flat_map(|part| &part.instance.secrets).filter(wanted) {
            for key in &secret.keys {
                let at = keys.iter().position(|known| known.name == key.name).unwrap_or_else(|| {
                    keys.push(Key::of(&key.name));
                    keys.len() - 1
                });
                let known = &mut keys[at];
                known.format = known.format.take().or_else(|| key.format.clone());
                known.placeholder = known.placeholder.take().or_else(|| key.placeholder.clone());
                known.description = known.description.take().or_else(|| key.description.clone());
            }
        }
        found.push(HandMade {
            namespace: Arc::clone(namespace),
            name: Arc::clone(&id.name),
            keys,
            readers: sequence.readers(index).iter().cloned().collect(),
            supersedable: external.supersedable,
        });
    }
    found.extend(flux_key(sequence));
    found
}

/// The key with which Flux decrypts, where there is something to decrypt.
fn flux_key(sequence: &Sequence) -> Option<HandMade> {
    let surroundings = sequence.surroundings();
    let flux = surroundings.deliver.flux.as_ref()?;
    let secret = flux.decryption_secret.as_ref()?;
    surroundings.encrypted.iter().any(|file| !file.sops_secret).then(|| HandMade {
        namespace: Arc::clone(&flux.namespace),
        name: Arc::clone(secret),
        keys: vec![Key {
            name: "age.agekey".into(),
            format: Some("age-key".into()),
            placeholder: None,
            description: Some("an age key whose recipient the encrypted files are for".into()),
        }],
        readers: vec!["flux".into()],
        supersedable: false,
    })
}

impl HandMade {
    /// The command that makes it, with a variable or a path in place of each value.
    pub fn command(&self) -> String {
        let mut out = format!("kubectl -n {} create secret ", self.namespace);
        let names: BTreeSet<&str> = self.keys.iter().map(|key| &*key.name).collect();
        if names == BTreeSet::from([".dockerconfigjson"]) {
            out.push_str(&format!(
                "docker-registry {} --docker-server=\"$REGISTRY\" --docker-username=\"$USERNAME\" --docker-password=\"$PASSWORD\"",
                self.name
            ));
            return out;
        }
        if names == BTreeSet::from(["tls.crt", "tls.key"]) {
            out.push_str(&format!("tls {} --cert=PATH --key=PATH", self.name));
            return out;
        }
        out.push_str(&format!("generic {}", self.name));
        if names == BTreeSet::from(["password", "username"]) {
            out.push_str(" --type=kubernetes.io/basic-auth");
        }
        for key in &self.keys {
            if key.is_file() {
                out.push_str(&format!(" --from-file={}=PATH", key.name));
            } else {
                out.push_str(&format!(" --from-literal={}=\"${}\"", key.name, variable(&key.name)));
            }
        }
        out
    }
}

/// A key as the name of a shell variable.
fn variable(key: &str) -> String {
    let mut name: String =
        key.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(keys: &[(&str, Option<&str>)]) -> String {
        let keys = keys
            .iter()
            .map(|(name, format)| Key {
                name: (*name).into(),
                format: format.map(Into::into),
                placeholder: None,
                description: None,
            })
            .collect();
        HandMade { namespace: "ns".into(), name: "s".into(), keys, readers: Vec::new(), supersedable: false }
            .command()
    }

    #[test]
    fn commands_suit_the_keys_and_hold_no_value() {
        assert_eq!(
            secret(&[("api-key", None)]),
            "kubectl -n ns create secret generic s --from-literal=api-key=\"$API_KEY\""
        );
        assert_eq!(
            secret(&[("id", Some("ssh-key")), ("2fa", None)]),
            "kubectl -n ns create secret generic s --from-file=id=PATH --from-literal=2fa=\"$_2FA\""
        );
        assert!(
            secret(&[(".dockerconfigjson", Some("json"))]).contains("docker-registry s --docker-server=")
        );
        assert_eq!(
            secret(&[("tls.crt", None), ("tls.key", None)]),
            "kubectl -n ns create secret tls s --cert=PATH --key=PATH"
        );
        assert!(
            secret(&[("username", None), ("password", None)]).contains("--type=kubernetes.io/basic-auth")
        );
    }
}
