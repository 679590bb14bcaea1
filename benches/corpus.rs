//! In-process time of the chart engine over a folder of charts: `cargo bench --bench corpus [-- FOLDER]`.
//!
//! FOLDER holds packages (`*.tgz`) or folders with a `chart.tgz` each; without one, `shared/helm-corpus` beside or
//! above this package is taken. For each chart: the time from the bytes of the package to sorted manifests, that of a
//! second render, and that of one with provenance. The best of a few rounds counts, in time on the processor where the
//! system tells it, so that a busy machine does not matter.

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

/// Nanoseconds that this thread was on a processor.
fn on_processor() -> Option<u64> {
    std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split_whitespace().next()?.parse().ok()
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let (start, clock) = (on_processor(), Instant::now());
    let out = work();
    let took = match (start, on_processor()) {
        (Some(start), Some(end)) => Duration::from_nanos(end - start),
        _ => clock.elapsed(),
    };
    (out, took)
}

fn render(chart: &Arc<Chart>, options: Options) -> bool {
    let request = Request {
        chart,
        values: &Table::default(),
        release: &ReleaseInfo { name: "rel".to_owned(), namespace: "ns".to_owned(), is_upgrade: false },
        capabilities: &Capabilities::new(KubeVersion::default(), []),
        profile: &HELM_4_2,
        check_schema: true,
        options,
    };
    let Ok(prepared) = release::prepare(&request, &mut Vec::new()) else { return false };
    release::render(&request, &prepared, &mut Fixed(1)).is_ok()
}

/// Load, first render, second render, second render with provenance.
#[derive(Copy, Clone)]
struct Times([Duration; 4]);

fn measure(package: &[u8]) -> Option<Times> {
    let world = MemoryWorld::new().with("chart.tgz", package);
    let mut best = Times([Duration::MAX; 4]);
    for _ in 0..ROUNDS {
        let (chart, load) = timed(|| load_path(&ChartDisk(&world), "chart.tgz".into(), &HELM_4_2, None));
        let chart = Arc::new(chart.ok()?);
        let (fine, first) = timed(|| render(&chart, Options::default()));
        if !fine {
            return None;
        }
        let ((), again) = timed(|| {
            let _fine = render(&chart, Options::default());
        });
        let ((), traced) = timed(|| {
            let tracker = Some(TrackerRef(Tracker::new()));
            let _fine = render(&chart, Options { tracker, ..Options::default() });
        });
        for (best, now) in best.0.iter_mut().zip([load, first, again, traced]) {
            *best = (*best).min(now);
        }
    }
    Some(best)
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
    let mut each = Vec::new();
    println!("{:>9} {:>9} {:>9} {:>9}  chart (milliseconds)", "load", "first", "again", "traced");
    for path in packages(&folder) {
        let Ok(package) = std::fs::read(&path) else { continue };
        let Some(Times(times)) = stack::on_large_stack(|| measure(&package)) else {
            refused += 1;
            continue;
        };
        count += 1;
        for (total, time) in total.iter_mut().zip(times) {
            *total += time;
        }
        each.push(times[0] + times[1]);
        let name = path.strip_prefix(&folder).unwrap_or(&path).display();
        let [load, first, again, traced] = times.map(ms);
        println!("{load:9.3} {first:9.3} {again:9.3} {traced:9.3}  {name}");
    }
    each.sort();
    let [load, first, again, traced] = total.map(ms);
    println!(
        "{load:9.1} {first:9.1} {again:9.1} {traced:9.1}  all {count} (refused with their own values: {refused})"
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
