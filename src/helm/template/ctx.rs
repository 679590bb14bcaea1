//! [`Ctx`]: one render in progress, as functions see it.

use super::FuncError;
use crate::helm::profile::Profile;

/// What a render may use, so that no chart can exhaust the machine.
#[derive(Copy, Clone, Debug)]
pub struct Limits {
    /// Steps: nodes executed, turns of loops, items made.
    pub steps: u64,
    /// Bytes made in all by functions and output.
    pub bytes: u64,
    /// Bytes of one string.
    pub string: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps: 50_000_000, bytes: 4 << 30, string: 64 << 20 }
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

/// One render in progress.
pub struct Ctx<'r> {
    pub(super) profile: &'static Profile,
    pub(super) environment: &'r mut dyn Environment,
    pub(super) limits: Limits,
}

impl Ctx<'_> {
    /// The version of Helm to be.
    pub fn profile(&self) -> &'static Profile {
        self.profile
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

    /// Accounts for bytes about to be made; fails where one string or the render as a whole gets too large.
    pub fn charge(&mut self, bytes: usize) -> Result<(), FuncError> {
        if bytes > self.limits.string {
            return Err(FuncError::Limit("64 MiB for one string"));
        }
        match self.limits.bytes.checked_sub(bytes as u64) {
            Some(left) => {
                self.limits.bytes = left;
                Ok(())
            }
            None => Err(FuncError::Limit("4 GiB of text made")),
        }
    }

    /// Accounts for steps about to be made; fails where the render gets too long.
    pub fn spend(&mut self, steps: u64) -> Result<(), FuncError> {
        match self.limits.steps.checked_sub(steps) {
            Some(left) => {
                self.limits.steps = left;
                Ok(())
            }
            None => Err(FuncError::Limit("50 million steps")),
        }
    }
}
