//! Every container image that the objects of an environment name, and the fields that name it.
//!
//! Read are the fields `image` and `imageName` of every object, the arguments and variables of containers that carry
//! an image for an operator to run later, and manifests inside a `ConfigMap`. Definitions of custom resources name none.

use crate::model::{ChartDelivery, ObjectId};
use crate::order::Sequence;
use crate::source::Sources;
use crate::value::{Node, Path, Segment, Value};
use crate::yaml;
use serde_json::{Value as Json, json as object};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

/// The images of an environment.
#[derive(Clone, Debug)]
pub struct Images {
    /// The environment.
    pub environment: Arc<str>,
    /// The fields that name each image, by the image.
    pub images: BTreeMap<Arc<str>, Vec<Field>>,
    /// Releases that are not rendered, so that their images are not known.
    pub unknown: Vec<Arc<str>>,
}

/// A field of an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Field {
    /// The object.
    pub object: ObjectId,
    /// The field in it.
    pub path: String,
}

/// The images of an environment.
pub fn images(sequence: &Sequence) -> Images {
    let mut images: BTreeMap<Arc<str>, Vec<Field>> = BTreeMap::new();
    for placed in sequence.objects() {
        let id = &placed.object.id;
        if *id.kind == *"CustomResourceDefinition" {
            continue;
        }
        let mut add = |path: String, image: Arc<str>| {
            images.entry(image).or_default().push(Field { object: id.clone(), path });
        };
        if *id.kind == *"ConfigMap" && id.group.is_empty() {
            in_config(&placed.object.node, &mut add);
        } else {
            in_object(&placed.object.node, "", &mut add);
        }
    }
    for fields in images.values_mut() {
        fields.sort();
    }
    let unknown = sequence
        .parts()
        .iter()
        .flat_map(|part| &part.releases)
        .filter(|delivered| delivered.release.delivery != ChartDelivery::Rendered)
        .map(|delivered| Arc::clone(&delivered.release.name))
        .collect();
    Images { environment: Arc::clone(&sequence.surroundings().environment.name), images, unknown }
}

/// Fields of one object; `before` is the path of the text that it was read from.
fn in_object(node: &Node, before: &str, add: &mut dyn FnMut(String, Arc<str>)) {
    node.each_leaf(&mut |path, leaf| {
        let Value::String(text) = &leaf.value else { return };
        let Some(image) = image(node, path, text) else { return };
        add(format!("{before}{path}"), image);
    });
}

/// The image that a leaf names, if it does.
fn image(root: &Node, path: &Path, text: &Arc<str>) -> Option<Arc<str>> {
    let segments = path.segments();
    match segments.last()? {
        Segment::Key(key) => match key.as_ref() {
            "image" | "imageName" => is_image(text).then(|| Arc::clone(text)),
            // `volumes[].image.reference`: an image mounted as a volume.
            "reference" if matches!(segments.iter().rev().nth(1), Some(Segment::Key(above)) if **above == *"image") => {
                is_image(text).then(|| Arc::clone(text))
            }
            // A variable such as `POSTGRES_IMAGE_NAME`, with which an operator is told what to run.
            "value" => {
                let variable: Path =
                    [&segments[..segments.len() - 1], &[Segment::Key("name".into())]].concat().into();
                let name = root.lookup(&variable)?.as_str()?;
                let says = name.split('_').any(|word| word.eq_ignore_ascii_case("image"));
                (says && is_qualified(text)).then(|| Arc::clone(text))
            }
            _ => None,
        },
        Segment::Index(_) => {
            let listed = matches!(segments.iter().rev().nth(1), Some(Segment::Key(list)) if matches!(&**list, "args" | "command"));
            let (flag, value) = text.split_once('=').filter(|_| listed)?;
            let flag = flag.strip_prefix("--").or_else(|| flag.strip_prefix('-'))?;
            let says = flag.split(['-', '_', '.']).any(|word| word.eq_ignore_ascii_case("image"));
            // `--prometheus-config-reloader=...` says it by its value alone: a tag behind a path.
            (is_image(value) && (says || is_qualified(value))).then(|| Arc::from(value))
        }
    }
}

/// Manifests that a `ConfigMap` holds as text.
fn in_config(node: &Node, add: &mut dyn FnMut(String, Arc<str>)) {
    for (key, entry) in node.get("data").and_then(Node::as_map).into_iter().flatten() {
        let Some(text) = entry.node.as_str().filter(|text| text.contains("image:")) else { continue };
        let sources = Sources::new();
        let file = sources.add(key.as_ref(), text);
        let (documents, _unreadable) = yaml::read_all(file, text, yaml::Options::LENIENT);
        let before = format!("{}: ", Path::of(&["data", key]));
        for document in documents {
            if document.node.get("kind").is_some() {
                in_object(&document.node, &before, add);
            }
        }
    }
}

/// Whether a text can be an image: `[host[:port]/]path[:tag][@digest]`.
fn is_image(text: &str) -> bool {
    let (named, digest) = text.split_once('@').map_or((text, None), |(named, digest)| (named, Some(digest)));
    let slash = named.rfind('/').map_or(0, |at| at + 1);
    let (last, tag) =
        named[slash..].split_once(':').map_or((&named[slash..], None), |(last, tag)| (last, Some(tag)));
    let word = |text: &str, others: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(c))
    };
    let path = |text: &str| word(text, "-_.") && !text.chars().any(|c| c.is_ascii_uppercase());
    let folders = named[..slash].trim_end_matches('/');
    let (host, folders) = match folders.split_once('/') {
        _ if folders.is_empty() => (None, None),
        Some((host, rest)) => (Some(host), Some(rest)),
        None => (Some(folders), None),
    };
    host.is_none_or(|host| word(host, "-_.:"))
        && folders.is_none_or(|folders| folders.split('/').all(path))
        && path(last)
        && tag.is_none_or(|tag| word(tag, "-_."))
        && digest.is_none_or(|digest| {
            digest.split_once(':').is_some_and(|(kind, hex)| word(kind, "+") && word(hex, ""))
        })
}

/// Whether a text can hardly be anything but an image: it has a path and a tag or digest.
fn is_qualified(text: &str) -> bool {
    let named = text.split('@').next().unwrap_or(text);
    let tagged = named.rfind('/').is_some_and(|at| named[at..].contains(':'));
    !text.contains("://") && is_image(text) && (tagged || (named.contains('/') && text.contains("@sha256:")))
}

/// For people: each image, and the fields that name it.
pub fn text(images: &Images) -> String {
    let mut out = String::new();
    for (image, fields) in &images.images {
        let _ = writeln!(out, "{image}");
        for field in fields {
            let _ = writeln!(out, "  {}  {}", field.object, field.path);
        }
    }
    out
}

/// For scripts: the images alone, a line each.
pub fn list<'i>(all: impl IntoIterator<Item = &'i Images>) -> String {
    let names: std::collections::BTreeSet<&str> =
        all.into_iter().flat_map(|images| images.images.keys().map(AsRef::as_ref)).collect();
    names.into_iter().fold(String::new(), |out, name| out + name + "\n")
}

/// For programs.
pub fn json(images: &Images) -> Json {
    let fields = |fields: &[Field]| -> Vec<Json> {
        fields.iter().map(|field| object!({"object": field.object.to_string(), "path": field.path})).collect()
    };
    let named: Vec<Json> = images
        .images
        .iter()
        .map(|(image, named)| object!({"image": &**image, "fields": fields(named)}))
        .collect();
    let unknown: Vec<&str> = images.unknown.iter().map(AsRef::as_ref).collect();
    object!({"environment": &*images.environment, "images": named, "notRendered": unknown})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Origin;
    use serde_json::json;

    fn found(object: &Json) -> Vec<(String, String)> {
        let node = Node { value: Value::from_json(object, &Origin::Compiler), origin: Origin::Compiler };
        node_images(&node)
    }

    fn node_images(node: &Node) -> Vec<(String, String)> {
        let mut all = Vec::new();
        in_object(node, "", &mut |path, image| all.push((path, image.to_string())));
        all
    }

    #[test]
    fn fields_variables_and_arguments_name_images() {
        let object = json!({"spec": {
            "imageName": "ghcr.io/a/postgresql:17.4",
            "image": {"repository": "x"},
            "volumes": [{"image": {"reference": "quay.io/a/data:v1"}}],
            "containers": [{
                "image": "registry:5000/a/b@sha256:0123",
                "env": [{"name": "POSTGRES_IMAGE_NAME", "value": "ghcr.io/a/p:1"}, {"name": "IMAGE_PULL_SECRET", "value": "x"}, {"name": "URL", "value": "http://a/b:1"}],
                "args": ["--acme-http01-solver-image=quay.io/j/solver:v1", "--reloader=quay.io/p/reloader:v0.1", "--listen=0.0.0.0:80", "--url=http://x/y:1", "--image"],
            }],
        }});
        let mut images: Vec<String> = found(&object).into_iter().map(|(_, image)| image).collect();
        images.sort();
        assert_eq!(
            images,
            [
                "ghcr.io/a/p:1",
                "ghcr.io/a/postgresql:17.4",
                "quay.io/a/data:v1",
                "quay.io/j/solver:v1",
                "quay.io/p/reloader:v0.1",
                "registry:5000/a/b@sha256:0123",
            ]
        );
    }

    #[test]
    fn what_is_an_image() {
        for image in ["nginx", "nginx:1.25", "a/b", "localhost:5000/a/b:c", "a.b/c/d_e:F-1@sha256:ab"] {
            assert!(is_image(image), "{image}");
        }
        for other in ["", "a b", "A/B/c", "a:", "a/", "http://a/b", "{{ .image }}", "a@sha256"] {
            assert!(!is_image(other), "{other}");
        }
    }

    #[test]
    fn manifests_in_a_config_map_are_read() {
        let object = json!({"data": {"helper.yaml": "kind: Pod\nspec: {containers: [{image: 'busybox:1.36'}]}\n", "image": "x"}});
        let node = Node { value: Value::from_json(&object, &Origin::Compiler), origin: Origin::Compiler };
        let mut all = Vec::new();
        in_config(&node, &mut |path, image| all.push((path, image.to_string())));
        assert_eq!(
            all,
            [("data[\"helper.yaml\"]: spec.containers[0].image".to_owned(), "busybox:1.36".to_owned())]
        );
    }
}
