//! How a unit's health is known, how long it may take, and whether deleting it may delete what it holds.

use super::{Unit, UnitKind, health};
use crate::link::pod_spec;
use crate::model::DeclaredBy;
use crate::render::{KindOwner, Part, Placed, Scopes};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How the health of a unit is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// Nobody waits.
    None,
    /// Everything that is applied is waited for, with expressions for the kinds that kstatus misjudges.
    All {
        /// Kinds and their expressions.
        expressions: Vec<Expression>,
    },
    /// What is listed is waited for: some of it is made by an operator, after the unit is applied.
    Listed {
        /// The objects.
        checks: Vec<HealthCheck>,
        /// Kinds and their expressions.
        expressions: Vec<Expression>,
    },
}

/// An object to wait for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HealthCheck {
    /// `apps/v1`.
    pub api_version: Arc<str>,
    /// `Deployment`.
    pub kind: Arc<str>,
    /// Its namespace; `None` on cluster-scoped ones.
    pub namespace: Option<Arc<str>>,
    /// Its name.
    pub name: Arc<str>,
    /// Whether an operator makes it, so that the tree does not hold it.
    pub made_later: bool,
}

/// A kind and the expression that is true once an object of it is healthy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Expression {
    /// `cert-manager.io/v1`.
    pub api_version: Arc<str>,
    /// `ClusterIssuer`.
    pub kind: Arc<str>,
    /// The expression.
    pub current: &'static str,
}

/// Capabilities whose loss takes the cluster down: the network of Pods and Services, and DNS.
const VITAL: &[&str] = &["podNetwork", "serviceProxy", "clusterDns"];

pub(super) fn decide(unit: &mut Unit, parts: &[Part], objects: &[Placed], scopes: &Scopes) {
    let part = unit.part.map(|part| &parts[part]);
    let own = || unit.objects.iter().map(|index| &objects[*index].object);
    let of_kind = |kinds: &[&str]| own().any(|object| kinds.contains(&&*object.id.kind));

    let mut expressions = BTreeMap::new();
    for object in own() {
        if let Some(current) = health::current(&object.id.group, &object.id.kind) {
            let api_version = Arc::from(object.gvk.api_version());
            let kind = Arc::clone(&object.id.kind);
            expressions.insert(
                (Arc::clone(&object.id.group), Arc::clone(&kind)),
                Expression { api_version, kind, current },
            );
        }
    }
    let expressions: Vec<Expression> = expressions.into_values().collect();

    let stateful = own()
        .any(|object| scopes.custom(&object.id.group, &object.id.kind).is_some_and(|known| known.stateful));
    let definitions = of_kind(&["CustomResourceDefinition"])
        || unit.kind == UnitKind::Reference
        || (unit.kind == UnitKind::Main && part.is_some_and(|part| !part.instance.declares.crds.is_empty()));
    let vital = part.is_some_and(|part| part.instance.provides.iter().any(|name| VITAL.contains(&&**name)));
    unit.orphan = stateful || definitions || vital || unit.kind == UnitKind::Namespaces;

    let runs = own().any(|object| pod_spec(object).is_some());
    let installs = !unit.releases.is_empty() || of_kind(&["HelmChart"]);
    unit.timeout = match () {
        () if unit.kind == UnitKind::Leaf => 60,
        () if stateful || installs => 600,
        () if runs => 300,
        () if definitions || !expressions.is_empty() => 120,
        () => 60,
    };

    let later = part
        .filter(|_| unit.kind == UnitKind::Main)
        .map(|_| made_later(unit.part, scopes))
        .unwrap_or_default();
    unit.health = if unit.kind == UnitKind::Leaf {
        Health::None
    } else if later.is_empty() {
        Health::All { expressions }
    } else {
        let mut checks: Vec<HealthCheck> = own()
            .filter(|object| {
                pod_spec(object).is_some() || health::current(&object.id.group, &object.id.kind).is_some()
            })
            .map(|object| HealthCheck {
                api_version: Arc::from(object.gvk.api_version()),
                kind: Arc::clone(&object.id.kind),
                namespace: object.id.namespace.clone(),
                name: Arc::clone(&object.id.name),
                made_later: false,
            })
            .collect();
        for index in &unit.releases {
            if let Some(part) = part {
                let release = &part.releases[*index].release;
                checks.push(HealthCheck {
                    api_version: "helm.toolkit.fluxcd.io/v2".into(),
                    kind: "HelmRelease".into(),
                    namespace: Some(Arc::clone(&release.namespace)),
                    name: Arc::clone(&release.name),
                    made_later: false,
                });
            }
        }
        checks.extend(later);
        Health::Listed { checks, expressions }
    };
}

/// The definitions that an instance's operator makes once it runs.
fn made_later(part: Option<usize>, scopes: &Scopes) -> Vec<HealthCheck> {
    scopes
        .customs()
        .filter(|(_, _, known)| {
            matches!(known.owner, KindOwner::Declared(owner, DeclaredBy::Operator) if Some(owner) == part)
        })
        .map(|(group, kind, known)| {
            let plural = known.plural.as_deref().map_or_else(|| plural(kind), str::to_owned);
            HealthCheck {
                api_version: "apiextensions.k8s.io/v1".into(),
                kind: "CustomResourceDefinition".into(),
                namespace: None,
                name: format!("{plural}.{group}").into(),
                made_later: true,
            }
        })
        .collect()
}

/// The plural that English, and so controller-gen, gives a kind: `gateways`, `backendtlspolicies`, `gatewayclasses`.
/// A definition that is named otherwise states its plural.
fn plural(kind: &str) -> String {
    let lower = kind.to_lowercase();
    let vowel = |letter: char| matches!(letter, 'a' | 'e' | 'i' | 'o' | 'u');
    if ["s", "x", "z", "ch", "sh"].iter().any(|ending| lower.ends_with(ending)) {
        return format!("{lower}es");
    }
    match lower.strip_suffix('y') {
        Some(stem) if !stem.ends_with(vowel) => format!("{stem}ies"),
        _ => format!("{lower}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::plural;

    #[test]
    fn plurals_are_those_of_real_definitions() {
        for (kind, expected) in [
            ("Gateway", "gateways"),
            ("GatewayClass", "gatewayclasses"),
            ("BackendTLSPolicy", "backendtlspolicies"),
            ("EnvoyProxy", "envoyproxies"),
            ("XMesh", "xmeshes"),
            ("HTTPRoute", "httproutes"),
            ("CiliumCIDRGroup", "ciliumcidrgroups"),
        ] {
            assert_eq!(plural(kind), expected);
        }
    }
}
