//! `.helmignore`: which files of a chart's folder are no part of the chart.
//!
//! The rules are Helm's own, not git's: the first rule that matches decides, and a negated rule ignores everything
//! that it does not match (helm 4.2.4 `pkg/ignore/rules.go`). Refuses `**` and malformed patterns.

use crate::helm::gopath;

/// The parsed rules of one chart's folder.
#[derive(Debug)]
pub struct Rules {
    patterns: Vec<Pattern>,
}

impl Default for Rules {
    /// The built-in rule alone.
    fn default() -> Self {
        let mut rules = Self { patterns: Vec::new() };
        rules.add("templates/.?*").expect("the built-in rule is well-formed");
        rules
    }
}

#[derive(Debug)]
struct Pattern {
    text: String,
    scope: Scope,
    negated: bool,
    folders_only: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Scope {
    /// The whole path from the chart's folder.
    Path,
    /// The last element alone.
    Name,
}

impl Rules {
    /// The rules of a `.helmignore`; of an absent one where `text` is empty. The built-in rule against hidden files
    /// in `templates/` comes last.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut rules = Self { patterns: Vec::new() };
        for line in text.trim_start_matches('\u{feff}').split('\n') {
            rules.add(line)?;
        }
        rules.add("templates/.?*")?;
        Ok(rules)
    }

    fn add(&mut self, line: &str) -> Result<(), String> {
        let rule = line.trim();
        if rule.is_empty() || rule.starts_with('#') {
            return Ok(());
        }
        if rule.contains("**") {
            return Err("double-star (**) syntax is not supported".to_owned());
        }
        gopath::matches(rule, "abc").map_err(|gopath::BadPattern| "syntax error in pattern".to_owned())?;
        let (negated, rule) = rule.strip_prefix('!').map_or((false, rule), |rest| (true, rest));
        let (folders_only, rule) = rule.strip_suffix('/').map_or((false, rule), |rest| (true, rest));
        let (scope, rule) = match rule.strip_prefix('/') {
            Some(rest) => (Scope::Path, rest),
            None if rule.contains('/') => (Scope::Path, rule),
            None => (Scope::Name, rule),
        };
        self.patterns.push(Pattern { text: rule.to_owned(), scope, negated, folders_only });
        Ok(())
    }

    /// Steps that it may take to decide about a name.
    pub fn cost(&self, path: &str) -> u64 {
        let each = |pattern: &Pattern| 16 + (pattern.text.len() * path.len() / 16) as u64;
        self.patterns.iter().map(each).sum()
    }

    /// Whether the file or folder at `path`, relative to the chart, is left out.
    pub fn ignores(&self, path: &str, is_folder: bool) -> bool {
        if matches!(path, "" | "." | "./") {
            return false;
        }
        for pattern in &self.patterns {
            let wrong_kind = pattern.folders_only && !is_folder;
            let name = if pattern.scope == Scope::Name { gopath::base(path) } else { path };
            let hit = gopath::matches(&pattern.text, name).unwrap_or(false);
            match (pattern.negated, wrong_kind) {
                (true, true) => return true,
                (true, false) if !hit => return true,
                (false, false) if hit => return true,
                _ => {}
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignores(rules: &str, path: &str, is_folder: bool) -> bool {
        Rules::parse(rules).expect("good rules").ignores(path, is_folder)
    }

    #[test]
    fn rules_match_names_paths_and_folders() {
        assert!(ignores("*.txt", "a/b.txt", false));
        assert!(!ignores("/*.txt", "a/b.txt", false));
        assert!(ignores("/*.txt", "b.txt", false));
        assert!(ignores("a/*.txt", "a/b.txt", false));
        assert!(ignores("cargo/", "cargo", true));
        assert!(!ignores("cargo/", "cargo", false));
        assert!(ignores("# x\n\n  b  ", "b", false));
        assert!(ignores("", "templates/.swp", false));
        assert!(!ignores("", "templates/.", false));
        assert!(ignores("\u{feff}b", "b", false));
    }

    #[test]
    fn a_negated_rule_ignores_what_it_does_not_match() {
        assert!(ignores("!keep.yaml", "other.yaml", false));
        assert!(!ignores("!keep.yaml", "keep.yaml", false));
        assert!(ignores("a.txt\n!*.txt", "a.txt", false));
    }

    #[test]
    fn refuses_double_stars_and_bad_patterns() {
        assert_eq!(Rules::parse("a/**").expect_err("**"), "double-star (**) syntax is not supported");
        assert_eq!(Rules::parse("a[").expect_err("["), "syntax error in pattern");
    }
}
