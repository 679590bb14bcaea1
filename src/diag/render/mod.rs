//! Draws findings: `human` (miette), `short`, `json`, `sarif`, `github`.
