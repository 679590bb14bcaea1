//! What is being fetched, on one line of a terminal that is taken away again.
//!
//! A world that says so while it asks servers: nothing below it knows of terminals. The line is drawn on standard error
//! only where that is a terminal and nobody asked for quiet; a log never holds any of it.

use crate::world::net::{Finished, NetError, Request, Response};
use crate::world::{World, WorldError, passes_on};
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// To the start of the line, and away with what is on it.
const CLEAR: &str = "\r\u{1b}[2K";

/// A world whose exchanges are told while they last.
pub(super) struct Watched<'a> {
    world: &'a dyn World,
    line: Mutex<Line>,
}

struct Line {
    out: Box<dyn Write + Send>,
    width: usize,
    running: Vec<String>,
    done: usize,
}

impl<'a> Watched<'a> {
    /// `world`, told on a terminal of this width.
    pub(super) fn new(world: &'a dyn World, out: Box<dyn Write + Send>, width: usize) -> Self {
        Self { world, line: Mutex::new(Line { out, width, running: Vec::new(), done: 0 }) }
    }

    fn during<T>(&self, what: &str, work: impl FnOnce() -> T) -> T {
        let change = |change: &mut dyn FnMut(&mut Line)| {
            let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
            change(&mut line);
            line.draw();
        };
        change(&mut |line| line.running.push(what.to_owned()));
        let result = work();
        change(&mut |line| {
            if let Some(at) = line.running.iter().position(|running| running == what) {
                line.running.remove(at);
                line.done += 1;
            }
        });
        result
    }
}

impl Line {
    fn draw(&mut self) {
        let mut text = String::new();
        if !self.running.is_empty() {
            text = format!("fetching {}", self.running.join(", "));
            let done = format!(" ({} done)", self.done);
            let room = self.width.saturating_sub(done.len() + 1);
            if text.chars().count() > room {
                text = text.chars().take(room.saturating_sub(1)).chain(['…']).collect();
            }
            text.push_str(&done);
        }
        // A terminal that is gone is no error of ours.
        let _ignored = write!(self.out, "{CLEAR}{text}").and_then(|()| self.out.flush());
    }
}

/// An address in a few words, without what follows its `?`: it may be signed.
fn in_words(url: &str) -> String {
    let address = url.split(['?', '#']).next().unwrap_or(url);
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let name = match path.strip_prefix("v2/") {
        Some(registry) => ["/manifests/", "/blobs/", "/tags/"]
            .iter()
            .find_map(|part| registry.split_once(part))
            .map_or(registry, |(name, _)| name),
        None => path.rsplit('/').find(|part| !part.is_empty()).unwrap_or(path),
    };
    if name.is_empty() { host.to_owned() } else { format!("{name} of {host}") }
}

impl World for Watched<'_> {
    passes_on!(world: read list kind size real_path now random standard_input write keep remove);
    passes_on!(world: remove_empty_folder exclusive variable root);

    fn fetch(&self, request: &Request) -> Result<Response, NetError> {
        self.during(&in_words(&request.url), || self.world.fetch(request))
    }

    fn pause(&self, time: Duration) {
        self.during(&format!("again in {} s", time.as_secs().max(1)), || self.world.pause(time));
    }

    fn execute(&self, program: &str, arguments: &[&str], input: &[u8]) -> Result<Finished, WorldError> {
        let run = || self.world.execute(program, arguments, input);
        let asks = program == "git" && arguments.iter().any(|word| matches!(*word, "fetch" | "ls-remote"));
        let url = arguments.iter().skip_while(|word| **word != "--").nth(1).filter(|_| asks);
        match url {
            Some(url) => self.during(&in_words(url), run),
            None => run(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::memory::MemoryWorld;
    use std::sync::Arc;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("the bytes").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_line_is_there_while_something_is_fetched_and_then_gone() {
        let (world, out) = (MemoryWorld::new(), Shared::default());
        let watched = Watched::new(&world, Box::new(out.clone()), 60);
        for url in ["https://h.org/x/app-1.0.0.tgz?sig=secret", "https://r.org/v2/charts/app/blobs/sha256:1"]
        {
            assert!(watched.fetch(&Request::get(url, 1)).is_err(), "this world has no network");
        }
        watched.pause(Duration::from_secs(2));
        let drawn = String::from_utf8(out.0.lock().expect("the bytes").clone()).expect("text");
        let lines: Vec<&str> = drawn.split(CLEAR).skip(1).collect();
        assert_eq!(
            lines,
            [
                "fetching app-1.0.0.tgz of h.org (0 done)",
                "",
                "fetching charts/app of r.org (1 done)",
                "",
                "fetching again in 2 s (2 done)",
                ""
            ]
        );
    }

    #[test]
    fn a_long_line_is_cut_to_the_terminal() {
        let out = Shared::default();
        let running = (0..9).map(|number| format!("chart-{number}.tgz of charts.example.org")).collect();
        let mut line = Line { out: Box::new(out.clone()), width: 40, running, done: 3 };
        line.draw();
        let drawn = String::from_utf8(out.0.lock().expect("the bytes").clone()).expect("text");
        let text = drawn.trim_start_matches(CLEAR);
        assert_eq!(text, "fetching chart-0.tgz of chart… (3 done)");
        assert!(text.chars().count() < 40);
    }
}
