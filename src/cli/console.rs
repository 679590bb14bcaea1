//! The two streams of a run and how they are drawn. Nothing else prints.

use std::io::{self, BufWriter, ErrorKind, Write};

/// What is written to standard output at once.
const STREAM: usize = 64 << 10;

/// Standard output and standard error, or buffers in their place.
pub struct Console<'a> {
    out: &'a mut (dyn Write + Send),
    err: &'a mut (dyn Write + Send),
    color: bool,
    width: usize,
    quiet: bool,
    verbose: bool,
    progress: Option<Box<dyn Write + Send>>,
    unwritten: Option<io::Error>,
}

impl<'a> Console<'a> {
    /// A console over two streams, without colour, 110 columns wide.
    pub fn new(out: &'a mut (dyn Write + Send), err: &'a mut (dyn Write + Send)) -> Self {
        Self {
            out,
            err,
            color: false,
            width: 110,
            quiet: false,
            verbose: false,
            progress: None,
            unwritten: None,
        }
    }

    /// Turns colour on or off.
    #[must_use]
    pub fn with_color(mut self, color: bool) -> Self {
        self.color = color;
        self
    }

    /// A terminal on which to tell what is being fetched.
    #[must_use]
    pub fn with_progress(mut self, terminal: Option<Box<dyn Write + Send>>) -> Self {
        self.progress = terminal;
        self
    }

    /// Sets the width of help and messages.
    #[must_use]
    pub fn with_width(mut self, width: usize) -> Self {
        self.width = width.clamp(40, 160);
        self
    }

    /// Applies the command line's wishes.
    pub fn set(&mut self, color: Option<bool>, quiet: bool, verbose: bool) {
        self.color = color.unwrap_or(self.color);
        self.quiet = quiet;
        self.verbose = verbose;
    }

    /// Gives away the terminal on which to tell what is being fetched; none with `--quiet`.
    pub(super) fn take_progress(&mut self) -> Option<Box<dyn Write + Send>> {
        self.progress.take().filter(|_| !self.quiet)
    }

    /// Whether to colour.
    pub fn color(&self) -> bool {
        self.color
    }

    /// The width to wrap at.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Writes data to standard output. What could not be written is told by [`Console::unwritten`].
    pub fn data(&mut self, bytes: &[u8]) {
        let written = self.out.write_all(bytes).and_then(|()| self.out.flush());
        self.keep(written);
    }

    /// Writes data to standard output piece by piece, while it is made.
    pub fn stream<T>(&mut self, write: impl FnOnce(&mut (dyn FnMut(&[u8]) + Send)) -> T) -> T {
        let mut out = BufWriter::with_capacity(STREAM, &mut *self.out);
        let mut written = Ok(());
        let done = write(&mut |bytes| {
            if written.is_ok() {
                written = out.write_all(bytes);
            }
        });
        let written = written.and_then(|()| out.flush());
        // What is left in it would be tried once more when it is dropped.
        drop(out.into_parts());
        self.keep(written);
        done
    }

    /// A reader that went away is no error of ours.
    fn keep(&mut self, written: io::Result<()>) {
        if let Err(error) = written
            && error.kind() != ErrorKind::BrokenPipe
        {
            self.unwritten.get_or_insert(error);
        }
    }

    /// Why standard output did not take all data, if it did not.
    pub(super) fn unwritten(&mut self) -> Option<io::Error> {
        self.unwritten.take()
    }

    /// Writes a message to standard error, whatever the verbosity.
    pub fn talk(&mut self, text: &str) {
        let _ignored = self.err.write_all(text.as_bytes()).and_then(|()| self.err.flush());
    }

    /// A line about what was done; not with `--quiet`.
    pub fn status(&mut self, text: &str) {
        if !self.quiet {
            self.talk(&format!("{text}\n"));
        }
    }

    /// A line for those who asked for more.
    pub fn detail(&mut self, text: &str) {
        if self.verbose && !self.quiet {
            self.talk(&format!("{text}\n"));
        }
    }
}
