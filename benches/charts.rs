//! The chart engine, part by part: `cargo bench --bench charts`.
//!
//! `fleet` is a chart of our own with the shape of large ones. The packages in `../shared/charts` are measured too
//! where that folder is.
#![allow(clippy::panic, clippy::print_stderr, reason = "a bench that cannot run says so and stops")]

use divan::{Bencher, black_box};
use stackc::helm::capabilities::{Capabilities, KubeVersion};
use stackc::helm::chart::{Chart, load_path};
use stackc::helm::context::{self, ReleaseInfo};
use stackc::helm::engine::{self, Options, TrackerRef};
use stackc::helm::profile::HELM_4_2;
use stackc::helm::release::{self, Request};
use stackc::helm::stack;
use stackc::helm::template::Environment;
use stackc::helm::value::Tracker;
use stackc::helm::values::Table;
use stackc::world::chart::ChartDisk;
use stackc::world::memory::MemoryWorld;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn main() {
    if packages().is_empty() {
        eprintln!(
            "SKIPPED: no packages in shared/charts beside or above this package; only `fleet` is measured"
        );
    }
    // A bench runs on the thread that it is called on, and templates nest deep.
    stack::on_large_stack(divan::main);
}

/// A clock that stands, and dice that fall the same each time.
struct Fixed(u64);

impl Environment for Fixed {
    fn now(&mut self) -> (i64, u32) {
        (1_700_000_000, 0)
    }

    fn random(&mut self, out: &mut [u8]) {
        for byte in out {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            *byte = self.0.to_le_bytes()[3];
        }
    }
}

/// A chart as it lies in memory, before it is loaded.
#[derive(Clone)]
struct Input {
    name: String,
    world: Arc<MemoryWorld>,
    path: String,
}

impl std::fmt::Display for Input {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.name)
    }
}

#[allow(clippy::disallowed_methods, reason = "a bench reads its own input")]
fn file(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[allow(clippy::disallowed_methods, reason = "a bench reads its own input")]
fn packages() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("shared/charts"))
        .find(|folder| folder.is_dir());
    let wanted = ["cilium-1.18.4", "cert-manager-v1.21.1", "traefik-41.3.0"];
    let paths = folder.into_iter().flat_map(|folder| wanted.map(|name| folder.join(format!("{name}.tgz"))));
    paths.filter(|path| path.is_file()).collect()
}

fn inputs() -> Vec<Input> {
    let fleet = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/fleet");
    let mut world = MemoryWorld::new();
    for name in [
        "Chart.yaml",
        "values.yaml",
        "values.schema.json",
        "templates/_names.tpl",
        "templates/services.yaml",
        "templates/dashboards.yaml",
    ] {
        world = world.with(&format!("fleet/{name}"), file(&fleet.join(name)));
    }
    let mut out = vec![Input { name: "fleet".to_owned(), world: Arc::new(world), path: "fleet".to_owned() }];
    for path in packages() {
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let world = Arc::new(MemoryWorld::new().with("chart.tgz", file(&path)));
        out.push(Input { name, world, path: "chart.tgz".to_owned() });
    }
    out
}

fn loaded(input: &Input) -> Arc<Chart> {
    let disk = ChartDisk(&*input.world);
    Arc::new(load_path(&disk, input.path.as_str().into(), &HELM_4_2, None).expect("a good chart"))
}

/// Renders a chart as `stackc template` does, without the printing.
fn render(chart: &Arc<Chart>, options: Options) -> usize {
    let request = Request {
        chart,
        values: &Table::default(),
        release: &ReleaseInfo { name: "shop".to_owned(), namespace: "shop".to_owned(), is_upgrade: false },
        capabilities: &Capabilities::new(KubeVersion::default(), []),
        profile: &HELM_4_2,
        check_schema: true,
        options,
    };
    let prepared = release::prepare(&request, &mut Vec::new()).unwrap_or_else(|_| panic!("values fit"));
    let rendered = release::render(&request, &prepared, &mut Fixed(1)).unwrap_or_else(|_| panic!("renders"));
    rendered.sorted.manifests.len()
}

#[divan::bench(args = inputs())]
fn load(bencher: Bencher<'_, '_>, input: &Input) {
    bencher.bench_local(|| loaded(black_box(input)));
}

#[divan::bench(args = inputs())]
fn parse(bencher: Bencher<'_, '_>, input: &Input) {
    let chart = loaded(input);
    let instance = stackc::helm::chart::dependencies::Instance::of(&chart);
    let files = context::templates(&instance);
    bencher.with_inputs(|| files.clone()).bench_local_values(|files| engine::parse(files, &HELM_4_2).is_ok());
}

/// The second and every later render of a chart: schema and templates are ready.
#[divan::bench(args = inputs())]
fn render_again(bencher: Bencher<'_, '_>, input: &Input) {
    let chart = loaded(input);
    bencher.bench_local(|| render(black_box(&chart), Options::default()));
}

/// The same with every byte traced.
#[divan::bench(args = inputs())]
fn render_with_provenance(bencher: Bencher<'_, '_>, input: &Input) {
    let chart = loaded(input);
    bencher.bench_local(|| {
        let options = Options { tracker: Some(TrackerRef(Tracker::new())), ..Options::default() };
        render(black_box(&chart), options)
    });
}

/// All values of a chart written by the writer that `toYaml` uses.
#[divan::bench(args = inputs())]
fn to_yaml(bencher: Bencher<'_, '_>, input: &Input) {
    let chart = loaded(input);
    let values = stackc::helm::value::Value::Map(stackc::helm::values::table_to_go(&chart.values));
    bencher.bench_local(|| {
        let mut out = Vec::new();
        stackc::yaml::to_yaml(black_box(&values), &mut out).is_ok()
    });
}
