//! JSON Schema: types of inputs, defaults, and places of violations.
