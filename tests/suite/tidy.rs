//! The rules of the house that a compiler does not know.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut entries: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, ending, found);
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
}

fn sources() -> Vec<(String, String)> {
    let mut paths = Vec::new();
    files(&root().join("src"), ".rs", &mut paths);
    paths
        .into_iter()
        .map(|path| {
            let name =
                path.strip_prefix(root()).expect("below the root").to_string_lossy().replace('\\', "/");
            (name, fs::read_to_string(path).expect("a readable source"))
        })
        .collect()
}

#[test]
fn every_source_says_what_it_owns() {
    let silent: Vec<_> = sources()
        .into_iter()
        .filter(|(name, text)| !text.starts_with("//!") && !name.ends_with("/tests.rs"))
        .map(|(name, _)| name)
        .collect();
    assert!(silent.is_empty(), "these files do not open with `//!`: {silent:#?}");
}

/// The order of `docs/architecture.md`; a module may use those before it, `world` is for those it is handed to.
const ROOMS: &[&str] = &[
    "source", "digest", "diag", "value", "yaml", "pattern", "expr", "schema", "kube", "helm", "model",
    "world", "package", "load", "resolve", "check", "render", "link", "validate", "order", "emit", "diff",
    "publish", "prereqs", "why", "images", "driver", "record", "cli",
];

/// Rooms that are handed a `World`.
const OPEN: &[&str] = &["world", "package", "load", "resolve", "diff", "publish", "driver", "record", "cli"];

#[test]
fn imports_run_one_way() {
    let rank = |room: &str| ROOMS.iter().position(|known| *known == room);
    let mut wrong = Vec::new();
    for (name, text) in sources() {
        let Some(room) = name.strip_prefix("src/").and_then(|rest| rest.split(['/', '.']).next()) else {
            continue;
        };
        let Some(own) = rank(room) else { continue };
        for (number, line) in text.lines().enumerate() {
            for used in line.split("crate::").skip(1) {
                let target =
                    used.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or("");
                let Some(other) = rank(target) else { continue };
                if other > own || (target == "world" && !OPEN.contains(&room)) {
                    wrong.push(format!("{name}:{}: `{room}` uses `{target}`", number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "imports against the order of the rooms: {wrong:#?}");
}

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let codes: BTreeSet<String> =
        stackc::diag::codes::ALL.iter().map(|code| code.as_str().to_owned()).collect();
    let mut paths = Vec::new();
    files(&root().join("docs/codes"), ".md", &mut paths);
    let pages: BTreeSet<String> =
        paths.iter().map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned()).collect();
    let without: Vec<_> = codes.difference(&pages).collect();
    let orphans: Vec<_> = pages.difference(&codes).filter(|page| *page != "README").collect();
    assert!(without.is_empty(), "codes without a page in docs/codes: {without:?}");
    assert!(orphans.is_empty(), "pages in docs/codes without a code: {orphans:?}");
}

const CODES_HEAD: &str = "# Diagnostic codes

One page a code: what it means, an example, how to mend it. The code stands in brackets in every message:
`error[unknown-key]: ...`. Checks of stacks bring their own words, listed with each stack in
[stacks.md](../stacks.md). This list is made from the registry by the tests.

| code | |
|---|---|
";

/// `STACKC_BLESS=1` writes the list anew.
#[test]
fn the_page_of_codes_lists_them_all() {
    let registry = fs::read_to_string(root().join("src/diag/code.rs")).expect("the registry");
    let mut page = CODES_HEAD.to_owned();
    let mut words = String::new();
    let mut listed = 0;
    for line in registry.lines().map(str::trim).skip_while(|line| *line != "codes! {").skip(1) {
        if let Some(text) = line.strip_prefix("/// ") {
            words = if words.is_empty() { text.to_owned() } else { format!("{words} {text}") };
        } else if let Some((_, code)) = line.strip_suffix("\";").and_then(|line| line.split_once(" = \"")) {
            assert!(!words.is_empty(), "`{code}` has no words in the registry");
            page += &format!("| [`{code}`]({code}.md) | {} |\n", words.trim_end_matches('.'));
            words.clear();
            listed += 1;
        }
    }
    assert_eq!(listed, stackc::diag::codes::ALL.len(), "every code of the registry is read");
    let path = root().join("docs/codes/README.md");
    if std::env::var_os("STACKC_BLESS").is_some() {
        fs::write(&path, &page).expect("written");
    }
    let found = fs::read_to_string(&path).expect("the page");
    assert!(
        found == page,
        "docs/codes/README.md is not what the registry says: run the tests with STACKC_BLESS=1"
    );
}

#[test]
fn codes_are_sorted_and_unique() {
    let words: Vec<&str> = stackc::diag::codes::ALL.iter().map(stackc::diag::Code::as_str).collect();
    let mut sorted = words.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(words, sorted, "the registry in src/diag/code.rs is in alphabetical order, each word once");
}

#[test]
fn every_code_is_raised_somewhere() {
    let text: String =
        sources().into_iter().filter(|(name, _)| name != "src/diag/code.rs").map(|(_, text)| text).collect();
    let registry = fs::read_to_string(root().join("src/diag/code.rs")).expect("the registry");
    let unused: Vec<_> = registry
        .lines()
        .filter_map(|line| line.trim().split_once(" = \""))
        .map(|(name, _)| name)
        .filter(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit()))
        .filter(|name| !text.contains(&format!("codes::{name}")) && !text.contains(&format!("{name}.")))
        .collect();
    assert!(unused.is_empty(), "codes that nothing raises: {unused:?}");
}

#[test]
fn files_stay_readable() {
    let long: Vec<_> = sources()
        .into_iter()
        .filter_map(|(name, text)| {
            let body = text.lines().take_while(|line| line.trim() != "#[cfg(test)]").count();
            (body > 800).then(|| format!("{name}: {body} lines"))
        })
        .collect();
    assert!(long.is_empty(), "over 800 lines without their tests: {long:#?}");
}

/// `tests/cases/README.md` names the cases of each rule of the language: none of them may be gone.
#[test]
fn cases_named_for_a_rule_exist() {
    let cases = root().join("tests/cases");
    let text = fs::read_to_string(cases.join("README.md")).expect("the table of rules");
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in text.lines().filter(|line| line.starts_with("| ") && line.contains('`')) {
        let (_, named) = line.trim_end_matches(" |").rsplit_once(" | ").expect("a rule and its cases");
        let before = count;
        for name in named.split('`').skip(1).step_by(2) {
            count += 1;
            if !cases.join(name).join("case.toml").is_file() {
                wrong.push(name.to_owned());
            }
        }
        assert!(count > before, "no case is named in `{line}`");
    }
    assert!(count > 50, "the table names {count} cases");
    assert!(wrong.is_empty(), "`tests/cases/README.md` names cases that are not there: {wrong:#?}");
}
