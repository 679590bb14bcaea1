//! In-process time of the chart engine over a folder of charts: `cargo bench --bench corpus [-- FOLDER]`.
//!
//! FOLDER holds packages (`*.tgz`) or folders with a `chart.tgz` each; without one, `shared/helm-corpus` beside or
//! above this package is taken. For each chart: the time from the bytes of the package to sorted manifests, that of a
//! second render, and that of one with provenance; the best of a few rounds counts. Charts that make keys are summed by
//! themselves as well: how long that takes is chance.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench reads its input, the clock, and prints"
)]

use stackc::helm::capabilities::{Capabilities, KubeVersion};
use stackc::helm::chart::{Chart, load_path};
use stackc::helm::context::ReleaseInfo;
use stackc::helm::engine::{Options, TrackerRef};
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
use std::time::{Duration, Instant};

const ROUNDS: usize = 5;

/// As random as a bench needs, and how many bytes were wanted at once: a prime of an RSA key takes 128.
struct Fixed {
    state: u64,
    most: usize,
}

impl Fixed {
    fn new() -> Self {
        Self { state: 1, most: 0 }
    }

    fn makes_keys(&self) -> bool {
        self.most >= 128
    }
}

impl Environment for Fixed {
    fn now(&mut self) -> (i64, u32) {
        (1_700_000_000, 0)
    }

    fn random(&mut self, out: &mut [u8]) {
        self.most = self.most.max(out.len());
        for byte in out {
            self.state ^= self.state << 13;
            self.state ^= self.state >> 7;
            self.state ^= self.state << 17;
            *byte = self.state.to_le_bytes()[3];
        }
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let out = work();
    (out, start.elapsed())
}

/// Whether it makes keys; `None` where the chart refuses its own values.
fn render(chart: &Arc<Chart>, options: Options) -> Option<bool> {
    let request = Request {
        chart,
        values: &Table::default(),
        release: &ReleaseInfo { name: "rel".to_owned(), namespace: "ns".to_owned(), is_upgrade: false },
        capabilities: &Capabilities::new(KubeVersion::default(), []),
        profile: &HELM_4_2,
        check_schema: true,
        options,
    };
    let Ok(prepared) = release::prepare(&request, &mut Vec::new()) else { return None };
    let mut environment = Fixed::new();
    release::render(&request, &prepared, &mut environment).ok()?;
    Some(environment.makes_keys())
}

/// Load, first render, second render, second render with provenance.
#[derive(Copy, Clone)]
struct Times {
    best: [Duration; 4],
    makes_keys: bool,
}

fn measure(package: &[u8]) -> Option<Times> {
    let world = MemoryWorld::new().with("chart.tgz", package);
    let mut times = Times { best: [Duration::MAX; 4], makes_keys: false };
    for _ in 0..ROUNDS {
        let (chart, load) = timed(|| load_path(&ChartDisk(&world), "chart.tgz".into(), &HELM_4_2, None));
        let chart = Arc::new(chart.ok()?);
        let (makes_keys, first) = timed(|| render(&chart, Options::default()));
        times.makes_keys = makes_keys?;
        let ((), again) = timed(|| {
            let _fine = render(&chart, Options::default());
        });
        let ((), traced) = timed(|| {
            let tracker = Some(TrackerRef(Tracker::new()));
            let _fine = render(&chart, Options { tracker, ..Options::default() });
        });
        for (best, now) in times.best.iter_mut().zip([load, first, again, traced]) {
            *best = (*best).min(now);
        }
    }
    Some(times)
}

fn packages(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut out: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .map(|path| if path.is_dir() { path.join("chart.tgz") } else { path })
        .filter(|path| path.extension().is_some_and(|extension| extension == "tgz") && path.is_file())
        .collect();
    out.sort();
    out
}

fn main() {
    let given = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).map(PathBuf::from);
    let folder = given.or_else(|| {
        let beside =
            Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|up| up.join("shared/helm-corpus"));
        beside.into_iter().find(|folder| folder.is_dir())
    });
    let Some(folder) = folder else {
        println!(
            "SKIPPED: no folder of charts given, and no shared/helm-corpus beside or above this package"
        );
        return;
    };
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let (mut count, mut refused, mut total) = (0_u32, 0, [Duration::ZERO; 4]);
    let (mut makers, mut of_makers) = (0, Duration::ZERO);
    let mut each = Vec::new();
    println!("{:>9} {:>9} {:>9} {:>9}  chart (milliseconds)", "load", "first", "again", "traced");
    for path in packages(&folder) {
        let Ok(package) = std::fs::read(&path) else { continue };
        let Some(Times { best: times, makes_keys }) = stack::on_large_stack(|| measure(&package)) else {
            refused += 1;
            continue;
        };
        count += 1;
        for (total, time) in total.iter_mut().zip(times) {
            *total += time;
        }
        each.push(times[0] + times[1]);
        if makes_keys {
            makers += 1;
            of_makers += times[0] + times[1];
        }
        let name = path.strip_prefix(&folder).unwrap_or(&path).display();
        let [load, first, again, traced] = times.map(ms);
        println!("{load:9.3} {first:9.3} {again:9.3} {traced:9.3}  {name}");
    }
    each.sort();
    let [load, first, again, traced] = total.map(ms);
    println!(
        "{load:9.1} {first:9.1} {again:9.1} {traced:9.1}  all {count} (refused with their own values: {refused})"
    );
    println!(
        "load and first render of the {makers} charts among them that make keys: {:.1} ms",
        ms(of_makers)
    );
    if let Some(median) = each.get(each.len() / 2) {
        println!(
            "load and first render: {:.2} ms a chart, median {:.2} ms",
            (load + first) / f64::from(count),
            ms(*median)
        );
        println!("provenance adds {:.0} % to a render", (traced / again - 1.0) * 100.0);
    }
}
