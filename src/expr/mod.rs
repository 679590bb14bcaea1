//! `${...}`: CEL over values.
