//! Embeds `stacks/` and `schemas/` into the binary, a sorted list of names and texts, and the digest of everything that
//! it is built of, by which it tells its own memories from those of another build.
#![allow(clippy::disallowed_methods, reason = "a build script has no other door to files")]

use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn main() {
    fixed_address();
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let mut files = Vec::new();
    for folder in ["stacks", "schemas"] {
        everything(&root.join(folder), &mut files);
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
        // Directly in `schemas/`, and anywhere below `stacks/`.
        if name
            .strip_prefix("schemas/")
            .is_some_and(|name| name.contains('/') || !name.ends_with(".schema.json"))
        {
            continue;
        }
        writeln!(list, "    ({name:?}, include_str!({:?})),", path.to_string_lossy())
            .expect("a string grows");
    }
    list.push_str("]\n");
    let target = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it")).join("library.rs");
    fs::write(target, list).expect("the build folder can be written");
    println!("cargo::rustc-env=STACKC_ENGINE={}", engine(&root));
}

/// The digest of the sources, of the versions of all dependencies, and of how they are compiled.
fn engine(root: &Path) -> String {
    let mut files = vec![root.join("Cargo.toml"), root.join("Cargo.lock"), root.join("build.rs")];
    for file in ["Cargo.toml", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={file}");
    }
    for folder in ["src", "stacks", "schemas"] {
        println!("cargo::rerun-if-changed={folder}");
        everything(&root.join(folder), &mut files);
    }
    files.sort();
    // Two halves, so that chance does not make two builds one.
    let mut halves = [DefaultHasher::new(), DefaultHasher::new()];
    halves[1].write_u8(1);
    let mut add = |bytes: &[u8]| {
        for half in &mut halves {
            half.write_usize(bytes.len());
            half.write(bytes);
        }
    };
    for name in ["TARGET", "PROFILE", "OPT_LEVEL", "CARGO_PKG_VERSION", "CARGO_ENCODED_RUSTFLAGS"] {
        add(env::var(name).unwrap_or_default().as_bytes());
    }
    let compiler = env::var("RUSTC").ok().and_then(|rustc| Command::new(rustc).arg("-vV").output().ok());
    add(&compiler.map(|told| told.stdout).unwrap_or_default());
    for path in files {
        // `cargo install` may leave the lock out.
        let Ok(bytes) = fs::read(&path) else { continue };
        add(path.strip_prefix(root).unwrap_or(&path).to_string_lossy().as_bytes());
        add(&bytes);
    }
    format!("{:016x}{:016x}", halves[0].finish(), halves[1].finish())
}

/// Every file below a folder.
fn everything(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() { everything(&path, files) } else { files.push(path) }
    }
}

/// Links the program for one address. One that can lie anywhere has its 28,000 pointers written at every start, into 130
/// pages that are copied for it: a third of the time that `stackc --version` takes.
fn fixed_address() {
    let target = |name: &str| env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    // Static programs have start code of their own for each kind.
    if target("OS") == "linux" && target("ENV") == "gnu" {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
