//! Embeds `stacks/` and `schemas/` into the binary: a sorted list of names and texts.
#![allow(clippy::disallowed_methods, reason = "a build script has no other door to files")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let mut files = Vec::new();
    for folder in ["stacks", "schemas"] {
        println!("cargo::rerun-if-changed={folder}");
        collect(&root.join(folder), &mut files);
    }
    let mut named: Vec<(String, &PathBuf)> = files
        .iter()
        .map(|path| {
            let name = path.strip_prefix(&root).expect("below the root").to_string_lossy().replace('\\', "/");
            (name, path)
        })
        .collect();
    // By the bytes of the name, as the binary searches; paths themselves sort by their parts.
    named.sort();
    let mut list = String::from("&[\n");
    for (name, path) in named {
        if name.starts_with("schemas/") && !name.ends_with(".schema.json") {
            continue;
        }
        writeln!(list, "    ({name:?}, include_str!({:?})),", path.to_string_lossy())
            .expect("a string grows");
    }
    list.push_str("]\n");
    let target = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it")).join("library.rs");
    fs::write(target, list).expect("the build folder can be written");
}

/// Files directly in `schemas/`, and everything below the folders of `stacks/`.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            if !folder.ends_with("schemas") {
                collect(&path, files);
            }
        } else {
            files.push(path);
        }
    }
}
