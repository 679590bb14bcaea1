//! The stacks and schemas that the binary carries.

/// Every embedded file: its path as in a project, and its text; sorted by path.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/library.rs"));

/// The two stacks that are made of their inputs.
const SYNTHETIC: &[(&str, &str)] = &[
    ("schemas/chart.schema.json", include_str!("builtin/chart.schema.json")),
    ("schemas/manifests.schema.json", include_str!("builtin/manifests.schema.json")),
    ("stacks/chart/stack.yaml", include_str!("builtin/chart.yaml")),
    ("stacks/manifests/stack.yaml", include_str!("builtin/manifests.yaml")),
];

/// The stacks that are made of their inputs, so that nobody has to define one for a single chart or file.
pub const SYNTHETIC_STACKS: &[&str] = &["chart", "manifests"];

/// The text of an embedded file.
pub fn embedded(path: &str) -> Option<&'static str> {
    [FILES, SYNTHETIC].iter().find_map(|files| {
        files.binary_search_by_key(&path, |(name, _)| name).ok().map(|index| files[index].1)
    })
}

/// The names of the embedded stacks, sorted, the synthetic ones last.
pub fn embedded_stacks() -> impl Iterator<Item = &'static str> {
    let own = FILES.iter().filter_map(|(path, _)| path.strip_prefix("stacks/")?.strip_suffix("/stack.yaml"));
    own.chain(SYNTHETIC_STACKS.iter().copied())
}

/// The embedded files of a stack: its folder and its schema, for `stackc stack eject`.
pub fn embedded_files(stack: &str) -> Vec<(&'static str, &'static str)> {
    let folder = format!("stacks/{stack}/");
    let schema = format!("schemas/{stack}.schema.json");
    FILES.iter().copied().filter(|(path, _)| path.starts_with(&folder) || *path == schema).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_sorted_and_found() {
        assert!(FILES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(SYNTHETIC.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for (path, text) in FILES.iter().chain(SYNTHETIC) {
            assert_eq!(embedded(path), Some(*text));
        }
        assert_eq!(embedded("stacks/none/stack.yaml"), None);
    }
}
