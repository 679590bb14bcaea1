//! Helm charts rendered natively: loading, values, the template language, functions, output. Knows no phases.
