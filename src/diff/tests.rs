use super::*;
use crate::check::ProgramParts;
use crate::emit::tests::emitted;
use crate::order::tests::operated;
use crate::render::tests::{instance, object};
use crate::world::memory::MemoryWorld;
use serde_json::json;

pub(crate) fn tree(parts: ProgramParts) -> Tree {
    emitted(parts, &[]).0.expect("a tree")
}

/// A world in which a tree was written before.
pub(crate) fn world_with(tree: &Tree) -> MemoryWorld {
    tree.files().iter().fold(MemoryWorld::new(), |world, (path, bytes)| world.with(path.as_str(), bytes))
}

pub(crate) fn changed(parts: ProgramParts) -> ProgramParts {
    let mut parts = parts;
    let settings = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "x: ${y}", "b": "1"}});
    let extra = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "extra"}, "data": {}});
    parts.instances[1] = instance("app", "shop", &[settings, extra]);
    parts
}

fn diffed(tree: Tree, base: &Base, world: &dyn World) -> (Option<ChangeSet>, Vec<Diagnostic>) {
    let mut sink = Sink::new();
    let changes = diff(vec![tree], base, world, &mut sink).ok();
    (changes, sink.into_found())
}

#[test]
fn a_tree_differs_from_nothing_and_not_from_itself() {
    let (changes, found) = diffed(tree(operated()), &Base::Files, &MemoryWorld::new());
    assert_eq!(found, []);
    let changes = changes.expect("changes");
    assert_eq!(changes.environments()[0].files().len(), tree(operated()).files().len());
    let world = world_with(&tree(operated()));
    let (changes, found) = diffed(tree(operated()), &Base::Files, &world);
    assert_eq!(found, []);
    let changes = changes.expect("changes");
    assert!(changes.is_empty());
    assert_eq!(text(&changes), "no changes\n");
}

#[test]
fn changes_are_shown_object_by_object() {
    let world = world_with(&tree(operated()));
    let (changes, found) = diffed(tree(changed(operated())), &Base::Files, &world);
    assert_eq!(found, []);
    let changes = changes.expect("changes");
    assert_eq!(
        text(&changes),
        "test: 1 added, 3 changed, 1 removed
  ~ ConfigMap/shop/c  (app)
      + data.b: 1
  + ConfigMap/shop/extra  (app)
  - Thing/shop/theirs  (app)
  ~ Kustomization/flux-system/app
      - spec.dependsOn[name=operator]: {\"name\":\"operator\"}
      + spec.dependsOn[name=namespaces]: {\"name\":\"namespaces\"}
  ~ envs/test/deployment.yaml
            - namespaces
          - barrier: true
            message: level 0
        + - path: app
        +   waitReadiness: true
        +   tags:
        +   - app
          - path: operator
            waitReadiness: true
            tags:
            - operator
          - barrier: true
            message: level 1
        - - path: app
        -   waitReadiness: true
        -   tags:
        -   - app
          - path: operator-config
            waitReadiness: true
            tags:
"
    );
    let printed = json(&changes);
    assert_eq!(
        printed.pointer("/environments/0/documents/0/fields/0"),
        Some(&json!({"path": "data.b", "after": "1"}))
    );
    assert!(
        unified(&changes)
            .contains("--- a/envs/test/app/configmap-c.yaml\n+++ b/envs/test/app/configmap-c.yaml\n@@ ")
    );
}

#[test]
fn an_edit_by_hand_is_reported_and_a_file_of_others_is_refused() {
    let path = "envs/test/app/configmap-c.yaml";
    let world = world_with(&tree(operated())).with(path, "edited: true\n");
    let (changes, found) = diffed(tree(operated()), &Base::Files, &world);
    assert_eq!(found[0].code, codes::EDITED_BY_HAND);
    assert_eq!(changes.expect("changes").environments()[0].files().len(), 1);
    // Edited and no longer part of the output: left alone.
    let mut without = operated();
    without.instances[1].objects.pop();
    let (changes, found) = diffed(tree(without), &Base::Files, &world);
    assert_eq!(found.len(), 1);
    let changes = changes.expect("changes");
    assert!(changes.environments()[0].files().iter().all(|file| file.path != path));

    let theirs = MemoryWorld::new().with(path, "not: ours\n");
    let (changes, found) = diffed(tree(operated()), &Base::Files, &theirs);
    assert!(changes.is_none());
    assert_eq!(found[0].code, codes::FOREIGN_FILE);
    let damaged = world_with(&tree(operated())).with("envs/test/.stackc-files", "nonsense");
    assert_eq!(diffed(tree(operated()), &Base::Files, &damaged).1[0].code, codes::DAMAGED_LIST);
    let merged = "<<<<<<< HEAD\na\n=======\nb\n>>>>>>> other\n";
    let merged = world_with(&tree(operated())).with("envs/test/.stackc-files", merged);
    let found = diffed(tree(operated()), &Base::Files, &merged).1;
    assert_eq!(found[0].code, codes::DAMAGED_LIST);
    assert!(found[0].helps[0].contains("take one side"), "{:?}", found[0].helps);
}

#[test]
fn an_object_that_moves_to_another_unit_is_one_change() {
    let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "moving", "namespace": "shop"}, "data": {"a": "1"}});
    let mut before = operated();
    before.instances[0].objects.push(object(&config));
    let mut after = operated();
    after.instances[1].objects.push(object(&config));
    let world = world_with(&tree(before));
    let (changes, _) = diffed(tree(after), &Base::Files, &world);
    let documents = changes.expect("changes").environments()[0].documents();
    let moved: Vec<_> = documents.iter().filter(|change| change.moved_from.is_some()).collect();
    assert_eq!(moved.len(), 1);
    assert_eq!((moved[0].moved_from.as_deref(), moved[0].unit.as_deref()), (Some("operator"), Some("app")));
}

#[test]
fn text_and_encrypted_files_are_compared_as_a_whole() {
    let change = |path: &str, before: &str, after: &str| FileChange {
        path: path.into(),
        before: Some(before.into()),
        after: Some(after.into()),
    };
    let files = [
        change("hosts/test/n1/motd", "a\nb\n", "a\nc\n"),
        change("envs/test/secrets/s.sops.yaml", "a: ENC[AES256_GCM,x]\n", "a: ENC[AES256_GCM,y]\n"),
    ];
    let documents = objects::changes("test", &files);
    assert_eq!(documents[0].whole, Whole::Rewritten { before: None, after: None });
    assert!(matches!(&documents[1].whole, Whole::Rewritten { after: Some(text), .. } if text == "a\nc\n"));
}
