//! Room for recursion: templates nest as deep as a chart likes, a thread's stack does not.
//!
//! [`on_large_stack`] runs work on a thread with a stack of 128 MiB, of which only what is used costs memory. Code that
//! recurses over data of a chart asks [`is_low`] on its way down and fails with an error of its own where it says so.

use std::cell::Cell;
use std::thread::{Scope, ScopedJoinHandle};

/// The stack of a rendering thread.
const LARGE: usize = 128 << 20;
/// What a thread that this module knows nothing of is trusted with: Rust gives threads 2 MiB.
const SMALL: usize = 1 << 20;
/// Kept free for what does not ask.
const RESERVE: usize = 256 << 10;

thread_local! {
    /// The address near which this thread's stack began, and its size.
    static STACK: Cell<Option<(usize, usize)>> = const { Cell::new(None) };
}

#[inline(never)]
fn here() -> usize {
    let local = 0_u8;
    std::ptr::from_ref(&local).addr()
}

/// Starts a thread with a large stack, where there is one to be had.
pub fn spawn_large<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> Option<ScopedJoinHandle<'scope, T>> {
    let builder = std::thread::Builder::new().name("render".to_owned()).stack_size(LARGE);
    let run = || {
        STACK.set(Some((here(), LARGE)));
        work()
    };
    builder.spawn_scoped(scope, run).ok()
}

/// Runs `work` on a thread with a large stack; on this one where it already has it.
pub fn on_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    if STACK.get().is_some_and(|(_, size)| size == LARGE) {
        return work();
    }
    let mut work = Some(work);
    let run = || work.take().map(|work| work());
    let done = std::thread::scope(|scope| spawn_large(scope, run).map(ScopedJoinHandle::join));
    match done {
        Some(Ok(Some(result))) => result,
        Some(Err(panic)) => std::panic::resume_unwind(panic),
        // No thread to be had: this one has to do.
        Some(Ok(None)) | None => work.take().expect("only a thread that ran takes the work")(),
    }
}

/// Whether so much of this thread's stack is used that recursion has to end.
pub fn is_low() -> bool {
    let here = here();
    let (base, size) = STACK.get().unwrap_or_else(|| {
        STACK.set(Some((here, SMALL)));
        (here, SMALL)
    });
    base.abs_diff(here) + RESERVE > size
}

#[cfg(test)]
mod tests {
    use super::*;

    fn depth(n: usize) -> usize {
        if is_low() { n } else { depth(n + 1) + usize::from(n > usize::MAX - 1) }
    }

    #[test]
    fn recursion_ends_before_the_stack_does() {
        assert!(depth(0) > 100);
        let deep = on_large_stack(|| depth(0));
        assert!(deep > 10_000, "{deep}");
    }
}
