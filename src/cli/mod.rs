//! Arguments and commands; the only place that prints.
