//! `docs/write-a-stack.md`: what a newcomer types along the page compiles, without a word of complaint.

use camino::Utf8PathBuf;
use stackc::cli::{self, Console};
use stackc::world::memory::MemoryWorld;
use std::collections::BTreeMap;

/// The files that the page shows: a line that is a path in backquotes and a colon, and the block of code after it.
fn shown(page: &str) -> BTreeMap<Utf8PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(path) = line.strip_prefix('`').and_then(|line| line.strip_suffix("`:")) else { continue };
        let code = lines.by_ref().skip_while(|line| !line.starts_with("```")).skip(1);
        let mut text = String::new();
        for line in code.take_while(|line| !line.starts_with("```")) {
            text.push_str(line);
            text.push('\n');
        }
        found.insert(Utf8PathBuf::from(path), text);
    }
    found
}

fn run(world: &MemoryWorld, line: &str) -> (u8, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let arguments = std::iter::once("stackc").chain(line.split_whitespace()).map(Into::into);
    let exit = cli::run(arguments, world, &mut Console::new(&mut out, &mut err));
    (exit.code(), String::from_utf8(err).expect("text"))
}

#[test]
fn the_guide_compiles_as_it_is_written() {
    let files = shown(include_str!("../../docs/write-a-stack.md"));
    assert_eq!(files.len(), 6, "{:?}", files.keys());
    let mut world = MemoryWorld::new();
    let (exit, words) = run(&world, "init");
    assert_eq!(exit, 0, "{words}");
    let (exit, words) = run(&world, "check");
    assert_eq!((exit, words.contains("1 environment fine")), (0, true), "{words}");
    for (path, text) in &files {
        world = world.with(path.as_str(), text);
    }
    for line in ["check --deny-warnings", "build"] {
        let (exit, words) = run(&world, line);
        assert_eq!(exit, 0, "{words}");
    }
    let written = world.files();
    let units = &written[&Utf8PathBuf::from("dist/clusters/dev/units.yaml")];
    let units = String::from_utf8_lossy(units);
    assert!(
        units.contains("name: counter\n  namespace: flux-system\nspec:\n  dependsOn:\n  - name: valkey"),
        "{units}"
    );
}
