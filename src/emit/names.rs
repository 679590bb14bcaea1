//! File names: readable, stable, and safe on every file system.

use crate::model::Object;
use std::collections::BTreeMap;

/// The longest name of a file.
const LONGEST: usize = 200;

/// `kind-name`, with the namespace where it is not the unit's usual one.
fn stem(object: &Object, usual: Option<&str>) -> String {
    let kind = object.id.kind.to_lowercase();
    let kind = if kind == "customresourcedefinition" { "crd" } else { &kind };
    match object.id.namespace.as_deref().filter(|namespace| Some(*namespace) != usual) {
        Some(namespace) => format!("{kind}-{namespace}-{}", object.id.name),
        None => format!("{kind}-{}", object.id.name),
    }
}

/// What a stem becomes as a file name: anything odd is replaced, and then, as where it is too long, eight digits of
/// a hash of what it stood for keep it apart from others.
fn safe(stem: &str, ending: &str, identity: &str, clashes: bool) -> String {
    let odd = |c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-'));
    let clean: String = stem.chars().map(|c| if odd(c) { '-' } else { c }).collect();
    if clean == stem && stem.len() + ending.len() <= LONGEST && !clashes {
        return format!("{stem}{ending}");
    }
    let hash = &super::digest(identity.as_bytes())[..8];
    let room = LONGEST - ending.len() - hash.len() - 1;
    let short: String = clean.chars().take(room).collect();
    format!("{short}-{hash}{ending}")
}

/// The file names of the objects of a unit, in their order. Names that would be one for two objects, also where the
/// file system does not tell cases apart, get a hash each.
pub(super) fn of_objects<'a>(objects: impl Iterator<Item = &'a Object>, usual: Option<&str>) -> Vec<String> {
    let stems: Vec<(String, String)> =
        objects.map(|object| (stem(object, usual), format!("{}/{}", object.id.group, object.id))).collect();
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for (stem, _) in &stems {
        *count.entry(stem).or_default() += 1;
    }
    stems
        .iter()
        .map(|(stem, identity)| {
            safe(stem, ".yaml", identity, count.get(stem.as_str()).is_some_and(|n| *n > 1))
        })
        .collect()
}

/// The names of copied files: their own, with a hash where two files of different folders have one name.
pub(super) fn of_copies<'a>(
    paths: impl Iterator<Item = &'a camino::Utf8Path>,
    ending: Option<&str>,
) -> Vec<String> {
    let named: Vec<(String, String, String)> = paths
        .map(|path| {
            let name = path.file_name().unwrap_or("file").to_lowercase();
            let own = [".sops.yaml", ".sops.yml", ".yaml", ".yml"]
                .iter()
                .find(|own| name.ends_with(**own))
                .copied();
            let stem = name.strip_suffix(own.unwrap_or("")).unwrap_or(&name).to_owned();
            (stem, ending.or(own).unwrap_or("").to_owned(), path.to_string())
        })
        .collect();
    let twins = |stem: &str| named.iter().filter(|(other, _, _)| other == stem).count() > 1;
    named.iter().map(|(stem, ending, path)| safe(stem, ending, path, twins(stem))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::tests::object;
    use serde_json::json;

    fn names(objects: &[(&str, &str, &str)]) -> Vec<String> {
        let objects: Vec<Object> = objects
            .iter()
            .map(|(kind, namespace, name)| {
                object(&json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": namespace}}))
            })
            .collect();
        of_objects(objects.iter(), Some("shop"))
    }

    #[test]
    fn names_are_readable_and_safe() {
        assert_eq!(
            names(&[("ConfigMap", "shop", "a"), ("Role", "kube-system", "a")]),
            ["configmap-a.yaml", "role-kube-system-a.yaml"]
        );
        let odd = names(&[("Role", "shop", "system:A_b"), ("Role", "shop", "system:a_b")]);
        assert!(odd[0].starts_with("role-system---b-") && odd[0].strip_suffix(".yaml").is_some(), "{odd:?}");
        assert_ne!(odd[0], odd[1]);
        let long = names(&[("ConfigMap", "shop", &"x".repeat(253))]);
        assert_eq!(long[0].len(), LONGEST);
    }

    #[test]
    fn two_objects_never_share_a_file() {
        // `a-b` in the namespace `x` and `b` in `x-a` would both be `configmap-x-a-b`.
        let twins = names(&[("ConfigMap", "x", "a-b"), ("ConfigMap", "x-a", "b")]);
        assert_ne!(twins[0], twins[1]);
    }

    #[test]
    fn copies_keep_their_names() {
        let paths =
            ["secrets/a.sops.yaml", "secrets/b/a.sops.yaml", "secrets/c.yaml"].map(camino::Utf8Path::new);
        let copied = of_copies(paths.into_iter(), None);
        assert_eq!(copied[2], "c.yaml");
        assert!(copied[0] != copied[1] && copied[0].ends_with(".sops.yaml"));
        assert_eq!(
            of_copies([camino::Utf8Path::new("x/db.sops.yaml")].into_iter(), Some(".sopssecret")),
            ["db.sopssecret"]
        );
    }
}
