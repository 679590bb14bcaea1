//! Parsing on a second core, while the first settles the values.
//!
//! The thread here begins at the end of Helm's order and the render at its start, so that they meet; what one has parsed
//! the other finds. Nothing waits for it, and what is wrong with a text is told by whoever renders it, in Helm's order.

use super::chart::Chart;
use super::engine::{ParsedTexts, action_bytes, in_order};
use super::gopath;
use super::profile::Profile;
use super::stack;
use super::value::Str;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Fewer bytes of templates than this are parsed before a thread has started.
const LEAST: usize = 64 << 10;

/// Bytes of actions that are parsed here, whose trees may be needed by nobody.
const MOST_ACTIONS: usize = 2 << 20;

/// Runs `work`, which renders `chart`, while its templates are being parsed.
pub fn while_parsing<T>(chart: &Chart, profile: &'static Profile, work: impl FnOnce() -> T) -> T {
    let mut files = Vec::new();
    collect(chart, &chart.metadata.name, &mut files);
    let bytes: usize = files.iter().map(|(_, text)| text.len()).sum();
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    if bytes < LEAST || cores() < 2 {
        return work();
    }
    files.sort_by(|(a, _), (b, _)| in_order(b, a));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Without a thread the render parses all of it.
        let _thread = stack::spawn_large(scope, || parse(&files, profile, &chart.parsed, &done));
        let out = work();
        done.store(true, Ordering::Relaxed);
        out
    })
}

fn parse(files: &[(String, Arc<[u8]>)], profile: &'static Profile, texts: &ParsedTexts, done: &AtomicBool) {
    let mut actions = 0;
    for (path, text) in files.iter().take_while(|_| !done.load(Ordering::Relaxed)) {
        // The render counts those that it uses, and refuses a chart with too many.
        actions += action_bytes(text);
        if actions > MOST_ACTIONS {
            return;
        }
        let _kept = texts.parsing(&Str::from(path), text, profile);
    }
}

/// The templates of a chart and of all charts in it, under the names they have where nothing is renamed.
fn collect(chart: &Chart, path: &str, out: &mut Vec<(String, Arc<[u8]>)>) {
    for child in &chart.dependencies {
        collect(child, &format!("{path}/charts/{}", child.metadata.name), out);
    }
    out.extend(
        chart
            .templates
            .iter()
            .map(|file| (gopath::clean(&format!("{path}/{}", file.name)), Arc::clone(&file.data))),
    );
}
