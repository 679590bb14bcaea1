//! What a merged overlay says beside its instances: delivery, externals, patches.

use crate::diag::{Diagnostic, Reported, Sink, codes};
use crate::load::OverlayDocument;
use crate::load::fields::{self, Fields};
use crate::model::{
    ChartDelivery, Deliver, External, FluxDelivery, Gvk, KluctlDelivery, ObjectId, Patch, PatchBody,
};
use crate::source::Span;
use crate::value::{Node, Value};
use std::sync::Arc;

/// The words for [`ChartDelivery`].
pub(crate) const DELIVERIES: &[(&str, ChartDelivery)] = &[
    ("rendered", ChartDelivery::Rendered),
    ("release", ChartDelivery::Release),
    ("k3s", ChartDelivery::K3s),
];

/// The words for `environment`.
const ENVIRONMENTS: &[(&str, &str)] = &[
    ("production", "production"),
    ("staging", "staging"),
    ("development", "development"),
    ("testing", "testing"),
];

/// `environment`; where nothing says it, the one with the strictest checks.
pub(super) fn environment(spec: &Node, sink: &mut Sink) -> Result<Arc<str>, Reported> {
    match spec.get("environment").filter(|node| node.value != Value::Null) {
        None => Ok("production".into()),
        Some(node) => fields::word(node, "`environment` of an overlay", ENVIRONMENTS, sink).map(Arc::from),
    }
}

/// Advice where an environment lacks something and its name says that it was meant as a base.
pub(super) fn meant_as_base(name: &str) -> Option<String> {
    ["base", "bases", "common", "shared"].contains(&name).then(|| {
        format!("every `overlays/*/overlay.yaml` is an environment: a base lies a folder deeper, as `overlays/{name}/NAME/overlay.yaml`")
    })
}

/// `kubernetes`, as `MAJOR.MINOR`.
pub(super) fn kubernetes(
    spec: &Node,
    name: &str,
    span: Span,
    sink: &mut Sink,
) -> Result<(Arc<str>, Option<Span>), Reported> {
    let Some(node) = spec.get("kubernetes").filter(|node| node.value != Value::Null) else {
        let finding =
            Diagnostic::error(codes::MISSING_FIELD, "the overlay does not say which Kubernetes it is for")
                .at(span, "");
        let finding = meant_as_base(name).into_iter().fold(finding, Diagnostic::help);
        return Err(sink.report(finding.help(
            "add `kubernetes: \"1.34\"` to its `spec`, to a base, or to `defaults` in `stackc.yaml`",
        )));
    };
    let text = fields::text(node, "`kubernetes` of an overlay", sink)?;
    let digits = |part: &str| {
        let is_number = !part.is_empty() && part.len() <= 3 && part.bytes().all(|b| b.is_ascii_digit());
        is_number && (part == "0" || !part.starts_with('0'))
    };
    match text.split_once('.') {
        Some((major, minor)) if digits(major) && digits(minor) => Ok((text, node.span())),
        _ => Err(sink.report(
            Diagnostic::error(codes::INVALID_VALUE, format!("`{text}` is no version of Kubernetes"))
                .at(node.span(), "")
                .help("write its major and minor number, such as `\"1.34\"`"),
        )),
    }
}

/// `deliver`.
pub(super) fn deliver(spec: &Node, name: &str, sink: &mut Sink) -> Result<Deliver, Reported> {
    let both = |sink: &mut Sink| -> Result<_, Reported> {
        let empty = Node::new(crate::value::Map::new(), crate::value::Origin::Compiler);
        Ok((Some(flux(&empty, sink)?), Some(kluctl(&empty, name, sink)?)))
    };
    let Some(node) = spec.get("deliver").filter(|node| node.value != Value::Null) else {
        let (flux, kluctl) = both(sink)?;
        return Ok(Deliver { charts: ChartDelivery::Rendered, charts_span: None, flux, kluctl });
    };
    let fields = Fields::open(node, "`deliver`", &["charts", "flux", "kluctl"], sink)?;
    let charts = fields.word("charts", DELIVERIES, sink);
    let found_flux = fields.get("flux").map(|node| flux(node, sink)).transpose();
    let found_kluctl = fields.get("kluctl").map(|node| kluctl(node, name, sink)).transpose();
    let (charts, found_flux, found_kluctl) = (charts?, found_flux?, found_kluctl?);
    let (flux, kluctl) =
        if found_flux.is_none() && found_kluctl.is_none() { both(sink)? } else { (found_flux, found_kluctl) };
    Ok(Deliver {
        charts: charts.unwrap_or(ChartDelivery::Rendered),
        charts_span: fields.get("charts").and_then(Node::span),
        flux,
        kluctl,
    })
}

fn flux(node: &Node, sink: &mut Sink) -> Result<FluxDelivery, Reported> {
    let fields =
        Fields::open(node, "`deliver.flux`", &["source", "namespace", "decryption", "ignore"], sink)?;
    let namespace = fields.text("namespace", sink)?;
    let mut found = FluxDelivery {
        source_kind: "GitRepository".into(),
        source_name: "flux-system".into(),
        namespace: namespace.clone().unwrap_or_else(|| "flux-system".into()),
        decryption_secret: None,
        ignore: fields.get("ignore").cloned(),
    };
    if let Some(node) = fields.get("source") {
        let fields = Fields::open(node, "`deliver.flux.source`", &["kind", "name", "namespace"], sink)?;
        let kinds = [
            ("GitRepository", "GitRepository"),
            ("OCIRepository", "OCIRepository"),
            ("Bucket", "Bucket"),
            ("ExternalArtifact", "ExternalArtifact"),
        ];
        if let Some(kind) = fields.word("kind", &kinds, sink)? {
            found.source_kind = kind.into();
        }
        if let Some(name) = fields.text("name", sink)? {
            found.source_name = name;
        }
        if let (None, Some(of_source)) = (namespace, fields.text("namespace", sink)?) {
            found.namespace = of_source;
        }
    }
    if let Some(node) = fields.get("decryption") {
        let fields = Fields::open(node, "`deliver.flux.decryption`", &["secret"], sink)?;
        found.decryption_secret = Some(fields.required_text("secret", sink)?);
    }
    Ok(found)
}

fn kluctl(node: &Node, name: &str, sink: &mut Sink) -> Result<KluctlDelivery, Reported> {
    let fields = Fields::open(node, "`deliver.kluctl`", &["context", "discriminator"], sink)?;
    let discriminator =
        fields.text("discriminator", sink)?.unwrap_or_else(|| format!("stackc-{name}").into());
    let middle = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let end = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    let bytes = discriminator.as_bytes();
    if bytes.len() > 63
        || !bytes.iter().all(|byte| middle(*byte))
        || !end(bytes.first().copied())
        || !end(bytes.last().copied())
    {
        let finding =
            Diagnostic::error(codes::INVALID_NAME, format!("`{discriminator}` cannot be a discriminator"));
        let place = fields.get("discriminator").and_then(Node::span);
        return Err(sink.report(finding.at(place, "").help(
            "it becomes the value of a label: at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends",
        )));
    }
    Ok(KluctlDelivery { context: fields.text("context", sink)?, discriminator })
}

/// `externals`, in order.
pub(super) fn externals(spec: &Node, sink: &mut Sink) -> Vec<External> {
    let mut found = Vec::new();
    for (name, entry) in spec.get("externals").and_then(Node::as_map).into_iter().flatten() {
        if let Ok(external) = external(name, &entry.node, entry.key.span(), sink) {
            found.push(external);
        }
    }
    found
}

fn external(name: &Arc<str>, node: &Node, span: Option<Span>, sink: &mut Sink) -> Result<External, Reported> {
    let known = ["apiVersion", "kind", "namespace", "name", "keys", "supersedable"];
    let what = format!("the external `{name}`");
    let fields = Fields::open(node, &what, &known, sink)?;
    let id = identity(&fields, sink)?;
    let keys = fields.texts("keys", sink)?;
    Ok(External {
        name: Arc::clone(name),
        id,
        keys: keys.into_iter().map(|(key, _)| key).collect(),
        supersedable: fields.flag("supersedable", sink)?,
        span: span.or(node.span()).ok_or_else(|| placeless(name, sink))?,
    })
}

fn placeless(name: &str, sink: &mut Sink) -> Reported {
    sink.report(Diagnostic::error(codes::INTERNAL, format!("`{name}` was read without places")))
}

/// `apiVersion kind namespace name` of an object that is not written out.
pub(crate) fn identity(fields: &Fields<'_>, sink: &mut Sink) -> Result<ObjectId, Reported> {
    let kind = fields.required_text("kind", sink)?;
    let group = match fields.text("apiVersion", sink)? {
        Some(api_version) => Gvk::new(&api_version, &kind).group,
        None => group_of(&kind).ok_or_else(|| {
            let place = fields.get("kind").and_then(Node::span);
            let fact = format!("`{kind}` is no kind of Kubernetes itself");
            sink.report(
                Diagnostic::error(codes::MISSING_FIELD, fact).at(place, "").help("add its `apiVersion`"),
            )
        })?,
    };
    Ok(ObjectId {
        group,
        kind,
        namespace: fields.text("namespace", sink)?,
        name: fields.required_text("name", sink)?,
    })
}

/// The API group of a kind that Kubernetes itself has.
pub(crate) fn group_of(kind: &str) -> Option<Arc<str>> {
    let group = match kind {
        "ConfigMap"
        | "Endpoints"
        | "LimitRange"
        | "Namespace"
        | "Node"
        | "PersistentVolume"
        | "PersistentVolumeClaim"
        | "Pod"
        | "ReplicationController"
        | "ResourceQuota"
        | "Secret"
        | "Service"
        | "ServiceAccount" => "",
        "DaemonSet" | "Deployment" | "ReplicaSet" | "StatefulSet" => "apps",
        "CronJob" | "Job" => "batch",
        "HorizontalPodAutoscaler" => "autoscaling",
        "Ingress" | "IngressClass" | "NetworkPolicy" => "networking.k8s.io",
        "PodDisruptionBudget" => "policy",
        "ClusterRole" | "ClusterRoleBinding" | "Role" | "RoleBinding" => "rbac.authorization.k8s.io",
        "PriorityClass" => "scheduling.k8s.io",
        "CSIDriver" | "StorageClass" | "VolumeAttachment" => "storage.k8s.io",
        "RuntimeClass" => "node.k8s.io",
        "CustomResourceDefinition" => "apiextensions.k8s.io",
        "APIService" => "apiregistration.k8s.io",
        "MutatingWebhookConfiguration"
        | "ValidatingAdmissionPolicy"
        | "ValidatingAdmissionPolicyBinding"
        | "ValidatingWebhookConfiguration" => "admissionregistration.k8s.io",
        _ => return None,
    };
    Some(group.into())
}

/// `patches`: those of bases first, then by key.
pub(super) fn patches(spec: &Node, chain: &[Arc<OverlayDocument>], sink: &mut Sink) -> Vec<Patch> {
    let mut found = Vec::new();
    for (name, entry) in spec.get("patches").and_then(Node::as_map).into_iter().flatten() {
        let introduced = chain.iter().position(|document| {
            document
                .spec
                .get("patches")
                .and_then(|patches| patches.get(name))
                .is_some_and(|patch| patch.value != Value::Null)
        });
        if let Ok(patch) = patch(name, &entry.node, entry.key.span(), sink) {
            found.push((introduced, patch));
        }
    }
    found.sort_by(|(a, one), (b, other)| (a, &one.name).cmp(&(b, &other.name)));
    found.into_iter().map(|(_, patch)| patch).collect()
}

fn patch(name: &Arc<str>, node: &Node, span: Option<Span>, sink: &mut Sink) -> Result<Patch, Reported> {
    let what = format!("the patch `{name}`");
    let fields = Fields::open(node, &what, &["target", "patch"], sink)?;
    let target = fields.required("target", sink)?;
    let what = format!("`target` of the patch `{name}`");
    let parts = Fields::open(target, &what, &["apiVersion", "group", "kind", "namespace", "name"], sink)?;
    let kind = parts.required_text("kind", sink)?;
    let group = match (parts.text("group", sink)?, parts.text("apiVersion", sink)?) {
        (Some(group), _) => Some(group),
        (None, Some(api_version)) => Some(Gvk::new(&api_version, &kind).group),
        (None, None) => None,
    };
    let body = fields.required("patch", sink)?;
    let body = match &body.value {
        Value::Map(_) => PatchBody::Merge(body.clone()),
        Value::List(_) => PatchBody::Json(body.clone()),
        _ => {
            let finding =
                fields::wrong_type(body, &fields.name("patch"), "a map (a merge) or a list (JSON 6902)");
            return Err(sink.report(finding));
        }
    };
    Ok(Patch {
        name: Arc::clone(name),
        group,
        kind,
        namespace: parts.text("namespace", sink)?,
        target_name: parts.text("name", sink)?,
        body,
        target_span: target.span().ok_or_else(|| placeless(name, sink))?,
        span: span.or(node.span()).ok_or_else(|| placeless(name, sink))?,
    })
}
