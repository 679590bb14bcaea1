//! The phase calls, one screen.
