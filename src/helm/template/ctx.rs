//! [`Ctx`]: one render in progress, as the executor and the functions see it.

use super::error::FuncError;
use super::nested::without_no_value;
use super::set::{Names, Set};
use super::tree::{At, NodeKind};
use crate::helm::funcs::Registry;
use crate::helm::profile::Profile;
use crate::helm::provenance::{Provenance, Recorder};
use crate::helm::value::{Str, Value};
use indexmap::IndexMap;
use std::rc::Rc;
use std::sync::Arc;

/// What a render may use, so that no chart can exhaust the machine.
#[derive(Copy, Clone, Debug)]
pub struct Limits {
    /// Steps: nodes executed, turns of loops, items made.
    pub steps: u64,
    /// Bytes made in all by functions.
    pub bytes: u64,
    /// Bytes of one string.
    pub string: usize,
    /// Bytes of all output.
    pub output: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps: 20_000_000, bytes: 256 << 20, string: 64 << 20, output: 64 << 20 }
    }
}

/// What a render gets from outside.
pub trait Environment {
    /// The time: seconds and nanoseconds since 1970 in UTC.
    fn now(&mut self) -> (i64, u32);
    /// Seconds east of UTC of the local zone at that time, and its abbreviation.
    fn zone(&mut self, _seconds: i64) -> (i32, &'static str) {
        (0, "UTC")
    }
    /// Fills the buffer with random bytes.
    fn random(&mut self, out: &mut [u8]);
}

/// A value in the executor: what it is, and whether its static type is `interface {}`.
///
/// `Nil` that is not an interface is Go's invalid value: what a missing thing is after it went through a pipeline.
#[derive(Clone, Debug, Default)]
pub(super) struct Val {
    pub(super) value: Value,
    pub(super) interface: bool,
    /// Of a dot: what is known of where it came from; see [`Recorder`].
    pub(super) evidence: u32,
}

impl Val {
    pub(super) fn plain(value: Value) -> Self {
        Self { value, interface: false, evidence: 0 }
    }
}

/// A variable on the stack.
pub(super) struct Variable {
    pub(super) id: u32,
    pub(super) value: Val,
    /// What is known of where its value came from; see [`Recorder`].
    pub(super) evidence: u32,
    /// The scope that it was declared in, of the recorder.
    pub(super) scope: u32,
}

/// One render in progress.
pub struct Ctx<'r> {
    pub(super) profile: &'static Profile,
    pub(super) environment: &'r mut dyn Environment,
    pub(super) limits: Limits,
    /// Steps and bytes that are left.
    pub(super) left: (u64, u64),
    pub(super) lint: bool,
    /// The templates that can be named; `tpl` adds to it for as long as it runs.
    pub(super) set: Rc<Set>,
    pub(super) out: Vec<u8>,
    pub(super) variables: Vec<Variable>,
    /// Where the variables of the executing template begin.
    pub(super) base: usize,
    /// The node that was last begun.
    pub(super) at: At,
    /// How often each name is being included.
    pub(super) included: IndexMap<Str, u32>,
    pub(super) recorder: Option<Box<Recorder>>,
    /// Bytes of the texts that `tpl` parsed.
    pub(super) parsed: usize,
}

impl<'r> Ctx<'r> {
    /// A render about to begin.
    pub(crate) fn for_render(
        profile: &'static Profile,
        environment: &'r mut dyn Environment,
        limits: Limits,
        names: Arc<Names>,
        functions: &'static Registry,
        recorder: Option<Box<Recorder>>,
    ) -> Self {
        Self {
            profile,
            environment,
            limits,
            left: (limits.steps, limits.bytes),
            lint: false,
            set: Rc::new(Set::new(names, functions)),
            out: Vec::with_capacity(16 << 10),
            variables: Vec::new(),
            base: 0,
            at: At { pos: 0, kind: NodeKind::List },
            included: IndexMap::new(),
            recorder,
            parsed: 0,
        }
    }

    /// Sets whether the chart is being linted.
    pub(crate) fn set_lint(&mut self, lint: bool) {
        self.lint = lint;
    }

    /// Takes the output of the file that was executed.
    pub(crate) fn take_file(&mut self) -> Vec<u8> {
        let clean = without_no_value(&self.out);
        if let Some(recorder) = &mut self.recorder {
            recorder.file(&self.out, clean.as_deref());
        }
        let text = clean.unwrap_or_else(|| self.out.clone());
        self.out.clear();
        text
    }

    /// Accounts for output that is kept.
    pub(crate) fn lower_output_limit(&mut self, bytes: usize) {
        self.limits.output = self.limits.output.saturating_sub(bytes);
    }

    /// What was recorded.
    pub(crate) fn into_provenance(self) -> Option<Provenance> {
        self.recorder.map(|recorder| recorder.finish())
    }

    /// The version of Helm to be.
    pub fn profile(&self) -> &'static Profile {
        self.profile
    }

    /// Whether the chart is being linted: `required` and `fail` pass.
    pub fn lint(&self) -> bool {
        self.lint
    }

    /// The time: seconds and nanoseconds since 1970 in UTC.
    pub fn now(&mut self) -> (i64, u32) {
        self.environment.now()
    }

    /// Seconds east of UTC of the local zone at that time, and its abbreviation.
    pub fn zone(&mut self, seconds: i64) -> (i32, &'static str) {
        self.environment.zone(seconds)
    }

    /// Fills the buffer with random bytes.
    pub fn random(&mut self, out: &mut [u8]) {
        self.environment.random(out);
    }

    /// Fails where a text of so many bytes is too large, without accounting for it.
    pub fn fits(&self, bytes: usize) -> Result<(), FuncError> {
        if bytes > self.limits.string { Err(FuncError::Limit("64 MiB for one string")) } else { Ok(()) }
    }

    /// Accounts for bytes about to be made; fails where one string or the render as a whole gets too large.
    pub fn charge(&mut self, bytes: usize) -> Result<(), FuncError> {
        self.fits(bytes)?;
        match self.left.1.checked_sub(bytes as u64) {
            Some(left) => {
                self.left.1 = left;
                Ok(())
            }
            None => Err(FuncError::Limit("256 MiB of memory for values")),
        }
    }

    /// Accounts for a text that is being written: it is `written` long by now, of which `charged` is accounted for.
    pub fn charge_growth(&mut self, written: usize, charged: &mut usize) -> Result<(), FuncError> {
        self.fits(written)?;
        let grown = written.saturating_sub(*charged);
        *charged = written;
        self.charge(grown)
    }

    /// Accounts for steps about to be made; fails where the render gets too long.
    pub fn spend(&mut self, steps: u64) -> Result<(), FuncError> {
        match self.left.0.checked_sub(steps) {
            Some(left) => {
                self.left.0 = left;
                Ok(())
            }
            None => Err(FuncError::Limit("20 million steps")),
        }
    }
}
