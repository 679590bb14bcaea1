//! From the files of a project to the trees of its environments, and YAML alone.
//!
//! `cargo bench --bench pipeline`. The generated environments are docfast's, 12 stacks each, under other names: what one more of
//! them costs is what an environment costs.
#![allow(clippy::panic, reason = "a bench that cannot run says so and stops")]

use camino::Utf8PathBuf;
use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use stackc::diag::{Sink, render};
use stackc::driver::{Build, Wish, compile};
use stackc::load::Selection;
use stackc::source::Sources;
use stackc::value::Node;
use stackc::world::World;
use stackc::world::memory::MemoryWorld;
use stackc::world::os::OsWorld;
use stackc::yaml;

/// The program's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    divan::main();
}

fn here() -> OsWorld {
    OsWorld::new(Utf8PathBuf::from(env!("CARGO_MANIFEST_DIR")))
}

fn build(world: &dyn World, selection: Selection) -> Build {
    let (sources, mut sink) = (Sources::new(), Sink::new());
    let wish = Wish { selection, ..Wish::default() };
    compile(world, &sources, &wish, &mut sink)
        .unwrap_or_else(|_| panic!("{}", render::short(sink.found(), &sources)))
}

fn docfast() -> Selection {
    Selection::Named(vec!["docfast".into()])
}

/// A project of `count` environments.
fn fleet(count: usize) -> MemoryWorld {
    let real = here();
    let text = |path: &str| {
        let bytes = real.read(path.into()).unwrap_or_else(|error| panic!("{error}"));
        String::from_utf8(bytes).expect("UTF-8")
    };
    let base = "overlays/base/k3s-hetzner/overlay.yaml";
    let (head, rest) = ("metadata: {name: docfast,", text("overlays/docfast/overlay.yaml"));
    assert!(rest.contains(head), "the overlay opens otherwise");
    (0..count).fold(
        MemoryWorld::new().with("stackc.yaml", text("stackc.yaml")).with(base, text(base)),
        |world, number| {
            let overlay = rest.replacen(head, &format!("metadata: {{name: e{number},"), 1);
            world.with(&format!("overlays/e{number}/overlay.yaml"), overlay)
        },
    )
}

#[divan::bench]
fn one_environment(bencher: Bencher<'_, '_>) {
    let world = here();
    bencher.bench(|| build(&world, docfast()));
}

#[divan::bench]
fn all_environments(bencher: Bencher<'_, '_>) {
    let world = here();
    bencher.bench(|| build(&world, Selection::All));
}

#[divan::bench(args = [10, 100, 1000], sample_count = 3, sample_size = 1)]
fn generated_environments(bencher: Bencher<'_, '_>, count: usize) {
    let world = fleet(count);
    bencher.counter(ItemsCount::new(count)).bench(|| build(&world, Selection::All));
}

/// All YAML of docfast's tree as one stream, about 90 KB, ten times.
fn stream() -> String {
    let build = build(&here(), docfast());
    let files = build.environments[0].tree.files();
    let texts = files.iter().filter(|(path, _)| path.extension() == Some("yaml"));
    let one = texts.fold(String::new(), |out, (_, bytes)| out + "---\n" + &String::from_utf8_lossy(bytes));
    one.repeat(10)
}

fn nodes(text: &str) -> Vec<Node> {
    let (documents, errors) =
        yaml::read_all(Sources::new().add("stream.yaml", ""), text, yaml::Options::STRICT);
    assert!(errors.is_empty(), "the tree is good YAML");
    documents.into_iter().map(|document| document.node).collect()
}

#[divan::bench]
fn yaml_reading(bencher: Bencher<'_, '_>) {
    let text = stream();
    bencher.counter(BytesCount::of_str(&text)).bench(|| nodes(&text));
}

#[divan::bench]
fn yaml_writing(bencher: Bencher<'_, '_>) {
    let text = stream();
    let nodes = nodes(&text);
    bencher.counter(BytesCount::of_str(&text)).bench(|| {
        let mut out = Vec::with_capacity(text.len());
        for node in &nodes {
            assert!(yaml::to_yaml(node, &mut out).is_ok());
        }
        out
    });
}
