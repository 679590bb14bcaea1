//! What a stack brings that is not in the tree.

use super::instance::each;
use crate::diag::{Reported, Sink};
use crate::load::Stack;
use crate::load::fields::Fields;
use crate::model::{CreatedObject, DeclaredBy, DeclaredCrd, DeclaredWebhook, Declares};
use crate::resolve::{InstanceScope, ResolvedInstance, overlay};
use crate::source::Span;
use crate::value::Node;
use std::sync::Arc;

/// `declares` of an instance.
pub(super) fn declares(
    stack: &Stack,
    scope: &InstanceScope<'_>,
    instance: &ResolvedInstance,
    sink: &mut Sink,
) -> Declares {
    let mut found = Declares::default();
    for rule in &stack.crds {
        each(rule, scope, sink, |body, sink| {
            found.crds.push(crd(&body, rule.span, sink)?);
            Ok(())
        });
    }
    for rule in &stack.webhooks {
        each(rule, scope, sink, |body, sink| {
            let fields = Fields::any(&body, "a declared webhook", sink)?;
            let groups = fields.texts("groups", sink)?;
            found.webhooks.push(DeclaredWebhook {
                groups: groups.into_iter().map(|(group, _)| group).collect(),
                service: fields.required_text("service", sink)?,
                span: rule.span,
            });
            Ok(())
        });
    }
    for rule in &stack.creates {
        each(rule, scope, sink, |body, sink| {
            let fields = Fields::any(&body, "an object of `creates`", sink)?;
            let mut id = overlay::identity(&fields, sink)?;
            if id.namespace.is_none() && !cluster_scoped(&id.kind) {
                id.namespace = instance.namespace.as_ref().and_then(Node::as_str).map(Arc::from);
            }
            let keys = fields.texts("keys", sink)?;
            found.creates.push(CreatedObject {
                id,
                keys: keys.into_iter().map(|(key, _)| key).collect(),
                span: rule.span,
            });
            Ok(())
        });
    }
    found
}

/// Kinds of Kubernetes itself that live outside namespaces and that controllers make.
fn cluster_scoped(kind: &str) -> bool {
    matches!(
        kind,
        "APIService"
            | "CSIDriver"
            | "ClusterRole"
            | "ClusterRoleBinding"
            | "CustomResourceDefinition"
            | "IngressClass"
            | "MutatingWebhookConfiguration"
            | "Namespace"
            | "Node"
            | "PersistentVolume"
            | "PriorityClass"
            | "RuntimeClass"
            | "StorageClass"
            | "ValidatingAdmissionPolicy"
            | "ValidatingAdmissionPolicyBinding"
            | "ValidatingWebhookConfiguration"
            | "VolumeAttachment"
    )
}

fn crd(body: &Node, span: Span, sink: &mut Sink) -> Result<DeclaredCrd, Reported> {
    let fields = Fields::any(body, "a declared CRD", sink)?;
    let by = [("chart", DeclaredBy::Chart), ("operator", DeclaredBy::Operator)];
    let scopes = [("Namespaced", true), ("Cluster", false)];
    let versions = fields.texts("versions", sink)?;
    Ok(DeclaredCrd {
        group: fields.required_text("group", sink)?,
        kind: fields.required_text("kind", sink)?,
        plural: fields.text("plural", sink)?,
        versions: versions.into_iter().map(|(version, _)| version).collect(),
        namespaced: fields.word("scope", &scopes, sink)?.unwrap_or(true),
        by: fields.word("by", &by, sink)?.unwrap_or(DeclaredBy::Chart),
        stateful: fields.flag("stateful", sink)?,
        span,
    })
}
