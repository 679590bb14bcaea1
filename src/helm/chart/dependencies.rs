//! A chart as one release uses it: conditions, tags and aliases decided, values imported.
//!
//! Follows helm 4.2.4 `pkg/chart/v2/util/dependencies.go` (3.21.4 `pkg/chartutil/dependencies.go`). Some of what it
//! does is surprising and kept: the subcharts of a chart that lists no dependencies are not looked into, and a chart
//! in `charts/` that satisfies no listed version is rendered under its own name.

use super::metadata::{Dependency, ImportValue, Metadata};
use super::{Chart, ChartFile};
use crate::helm::profile::Profile;
use crate::helm::schema::{Schema, Validated};
use crate::helm::semver::{Constraint, Version};
use crate::helm::values::cell::{Cell, Shared};
use crate::helm::values::coalesce::{Layer, Nulls, coalesce, merge_tables};
use crate::helm::values::{Table, Value, members};
use crate::value::Origin;
use std::sync::Arc;

/// A chart in a release.
#[derive(Clone, Debug)]
pub struct Instance {
    /// The chart as it was loaded.
    pub chart: Arc<Chart>,
    /// What it says of itself, with its alias as name and without what was disabled.
    pub metadata: Metadata,
    /// Its values with those that were imported.
    pub values: Table,
    /// Its enabled subcharts.
    pub children: Vec<Instance>,
}

impl Layer for Instance {
    fn name(&self) -> &str {
        &self.metadata.name
    }
    fn values(&self) -> &Table {
        &self.values
    }
    fn children(&self) -> &[Self] {
        &self.children
    }
}

impl Validated for Instance {
    fn name(&self) -> &str {
        &self.metadata.name
    }
    fn schema(&self) -> Option<&Schema> {
        self.chart.schema.as_ref()
    }
    fn children(&self) -> &[Self] {
        &self.children
    }
}

impl Instance {
    /// A chart with all its subcharts, nothing decided.
    pub fn of(chart: &Arc<Chart>) -> Self {
        Self {
            chart: Arc::clone(chart),
            metadata: chart.metadata.clone(),
            values: Arc::clone(&chart.values),
            children: chart.dependencies.iter().map(Self::of).collect(),
        }
    }

    /// The files of `crds/` of this chart and, behind them, of its subcharts; with the path that names them.
    pub fn crds(&self) -> Vec<(String, &ChartFile)> {
        let mut out = Vec::new();
        self.collect_crds(&self.metadata.name, &mut out);
        out
    }

    fn collect_crds<'a>(&'a self, path: &str, out: &mut Vec<(String, &'a ChartFile)>) {
        out.extend(self.chart.crds().map(|file| (format!("{path}/{}", file.name), file)));
        for child in &self.children {
            child.collect_crds(&format!("{path}/charts/{}", child.metadata.name), out);
        }
    }
}

/// The names that `Chart.yaml` lists and `charts/` lacks.
pub fn missing(chart: &Chart) -> Vec<&str> {
    let listed = chart.metadata.dependencies.as_deref().unwrap_or_default();
    listed
        .iter()
        .map(|dependency| dependency.name.as_str())
        .filter(|name| !chart.dependencies.iter().any(|chart| chart.metadata.name == *name))
        .collect()
}

/// Decides what of `chart` a release with these values uses.
pub fn process(
    chart: &Arc<Chart>,
    user: &Table,
    profile: &'static Profile,
    warnings: &mut Vec<String>,
) -> Result<Instance, String> {
    let mut work = Work { profile, warnings, arena: Vec::new(), charts: 0, values: 0, imported: 0 };
    let mut draft = work.draft(chart);
    work.enable(&mut draft, user, "")?;
    work.import(&mut draft)?;
    Ok(work.finish(draft))
}

/// A chart being decided. Its dependencies are numbers in the arena: in the older profile two aliases of one chart
/// share them, and what is done to one is done to the other.
struct Draft {
    chart: Arc<Chart>,
    name: String,
    listed: Option<Vec<usize>>,
    values: Table,
    children: Vec<Draft>,
}

impl Layer for Draft {
    fn name(&self) -> &str {
        &self.name
    }
    fn values(&self) -> &Table {
        &self.values
    }
    fn children(&self) -> &[Self] {
        &self.children
    }
}

struct Entry {
    dependency: Dependency,
    /// Its import-values were rewritten into a form that is not read again (3.21.4 `processImportValues`).
    imported: bool,
}

struct Work<'a> {
    profile: &'static Profile,
    warnings: &'a mut Vec<String>,
    arena: Vec<Entry>,
    /// Copies of charts so far, and the values in them.
    charts: usize,
    values: usize,
    /// Values imported so far.
    imported: usize,
}

/// How often charts may be copied, once for each entry that lists them. The largest known chart has under a hundred.
const MAX_COPIES: usize = 2_000;
/// How many values these copies may have in all.
const MAX_COPIED: usize = 500_000;
/// How many values may be imported in all, the tables on the way to them counted.
const MAX_IMPORTED: usize = 200_000;

impl Work<'_> {
    fn draft(&mut self, chart: &Arc<Chart>) -> Draft {
        let listed = chart.metadata.dependencies.as_ref().map(|listed| {
            let first = self.arena.len();
            self.arena.extend(listed.iter().map(|d| Entry { dependency: d.clone(), imported: false }));
            (first..self.arena.len()).collect()
        });
        Draft {
            chart: Arc::clone(chart),
            name: chart.metadata.name.clone(),
            listed,
            values: Arc::clone(&chart.values),
            children: chart.dependencies.iter().map(|child| self.draft(child)).collect(),
        }
    }

    /// A copy of a draft for one listed dependency.
    fn copy(&mut self, draft: &Draft) -> Result<Draft, String> {
        self.charts += 1;
        self.values += members(&draft.values);
        if self.charts > MAX_COPIES {
            return Err("dependencies list more than 2,000 charts, each alias counted".to_owned());
        }
        if self.values > MAX_COPIED {
            return Err("dependencies bring more than 500,000 values, each alias counted".to_owned());
        }
        let listed = draft.listed.as_ref().map(|listed| {
            if !self.profile.copy_alias_metadata {
                return listed.clone();
            }
            let copies = listed.iter().map(|at| {
                let entry = &self.arena[*at];
                Entry { dependency: entry.dependency.clone(), imported: entry.imported }
            });
            let copies: Vec<Entry> = copies.collect();
            let first = self.arena.len();
            self.arena.extend(copies);
            (first..self.arena.len()).collect()
        });
        let children: Result<_, String> = draft.children.iter().map(|child| self.copy(child)).collect();
        Ok(Draft {
            chart: Arc::clone(&draft.chart),
            name: draft.name.clone(),
            listed,
            values: Arc::clone(&draft.values),
            children: children?,
        })
    }

    fn enable(&mut self, draft: &mut Draft, user: &Table, path: &str) -> Result<(), String> {
        let Some(listed) = draft.listed.clone() else { return Ok(()) };
        let present = std::mem::take(&mut draft.children);
        let fits = |entry: &Entry, child: &Draft| {
            child.name == entry.dependency.name
                && in_range(&entry.dependency.version, &child.chart.metadata.version)
        };
        let mut chosen = Vec::new();
        for at in &listed {
            // A rename of one entry must not hide the chart from the next: names are compared as they are by then.
            let found = present.iter().find(|child| fits(&self.arena[*at], child));
            let copy = found.map(|child| self.copy(child)).transpose()?;
            chosen.push((*at, copy));
        }
        let unlisted = |child: &Draft| !listed.iter().any(|at| fits(&self.arena[*at], child));
        let mut children: Vec<Draft> = present.into_iter().filter(unlisted).collect();
        for (at, copy) in chosen {
            let dependency = &mut self.arena[at].dependency;
            if let Some(mut copy) = copy {
                if !dependency.alias.is_empty() {
                    copy.name.clone_from(&dependency.alias);
                }
                children.push(copy);
            }
            if !dependency.alias.is_empty() {
                dependency.name.clone_from(&dependency.alias);
            }
        }
        draft.children = children;
        for at in &listed {
            self.arena[*at].dependency.enabled = true;
        }
        let values = coalesce(draft, user, Nulls::Delete, self.profile, self.warnings)?;
        let values = values.freeze().map_err(|_endless| ENDLESS.to_owned())?;
        self.tags(&listed, &values);
        self.conditions(&listed, &values, path);
        let disabled: Vec<&str> = listed
            .iter()
            .map(|at| &self.arena[*at].dependency)
            .filter(|dependency| !dependency.enabled)
            .map(|dependency| dependency.name.as_str())
            .collect();
        draft.children.retain(|child| !disabled.contains(&child.name.as_str()));
        let kept: Vec<usize> = listed
            .iter()
            .copied()
            .filter(|at| !disabled.contains(&self.arena[*at].dependency.name.as_str()))
            .collect();
        let mut children = std::mem::take(&mut draft.children);
        for child in &mut children {
            let path = format!("{path}{}.", child.name);
            self.enable(child, &values, &path)?;
        }
        draft.children = children;
        draft.listed = Some(kept).filter(|kept| !kept.is_empty());
        Ok(())
    }

    fn tags(&mut self, listed: &[usize], values: &Table) {
        let Some(tags) = values.get(&b"tags"[..]).and_then(Value::as_table) else { return };
        for at in listed {
            let dependency = &mut self.arena[*at].dependency;
            let (mut on, mut off) = (false, false);
            for tag in &dependency.tags {
                match tags.get(tag.as_bytes()).map(Value::as_bool) {
                    None => {}
                    Some(Some(true)) => on = true,
                    Some(Some(false)) => off = true,
                    Some(None) => {
                        let chart = &dependency.name;
                        self.warnings.push(if self.profile.structured_log {
                            format!("level=WARN msg=\"returned non-bool value\" tag={tag} chart={chart}")
                        } else {
                            format!("Warning: Tag '{tag}' for chart {chart} returned non-bool value")
                        });
                    }
                }
            }
            dependency.enabled = on || !off;
        }
    }

    fn conditions(&mut self, listed: &[usize], values: &Table, path: &str) {
        for at in listed {
            let dependency = &mut self.arena[*at].dependency;
            for condition in dependency.condition.trim().split(',').filter(|c| !c.is_empty()) {
                let Some(value) = at_path(values, &format!("{path}{condition}")) else { continue };
                if let Some(truth) = value.as_bool() {
                    dependency.enabled = truth;
                    break;
                }
                let chart = &dependency.name;
                self.warnings.push(if self.profile.structured_log {
                    format!("level=WARN msg=\"returned non-bool value\" path={condition} chart={chart}")
                } else {
                    format!("Warning: Condition path '{condition}' for chart {chart} returned non-bool value")
                });
            }
        }
    }

    fn import(&mut self, draft: &mut Draft) -> Result<(), String> {
        for child in &mut draft.children {
            self.import(child)?;
        }
        let Some(listed) = draft.listed.clone() else { return Ok(()) };
        let values = coalesce(draft, &Table::default(), Nulls::Keep, self.profile, self.warnings)?;
        let imported = Shared::default();
        for at in listed {
            if std::mem::replace(&mut self.arena[at].imported, true) {
                continue;
            }
            let rewritten = rewrite(&self.arena[at].dependency.import_values);
            self.arena[at].dependency.import_values = rewritten;
            let dependency = self.arena[at].dependency.clone();
            for import in &dependency.import_values {
                let ImportValue::Map { child, parent } = import else { continue };
                let Some(table) = values.table_at(&format!("{}.{child}", dependency.name)) else {
                    let missing = child.rsplit('.').next().unwrap_or_default();
                    let chart = &dependency.name;
                    self.warnings.push(if self.profile.structured_log {
                        format!("level=WARN msg=\"ImportValues missing table from chart\" chart={chart} error=\"\\\"{missing}\\\" is not a table\"")
                    } else {
                        format!("Warning: ImportValues missing table from chart {chart}: \"{missing}\" is not a table")
                    });
                    continue;
                };
                // What was imported before is gone through for each import.
                self.imported +=
                    parent.split('.').count() + table.members(MAX_IMPORTED) + imported.len() / 16;
                if self.imported > MAX_IMPORTED {
                    return Err("import-values bring more than 200,000 values".to_owned());
                }
                let table = if table.is_empty() { Shared::default() } else { table };
                let table = if parent == "." {
                    table
                } else {
                    parent.rsplit('.').fold(table, |inner, key| {
                        let outer = Shared::default();
                        outer.insert(key.into(), Cell::Table(inner, Origin::Compiler));
                        outer
                    })
                };
                merge_tables(&imported, &table, Nulls::Keep, self.profile, self.warnings);
            }
        }
        let endless = |_| ENDLESS.to_owned();
        // What is imported ranks below what the parent says itself.
        let own = Shared::thaw(&values.freeze().map_err(endless)?);
        merge_tables(&own, &imported, Nulls::Keep, self.profile, self.warnings);
        draft.values = own.freeze().map_err(endless)?;
        Ok(())
    }

    fn finish(&self, draft: Draft) -> Instance {
        let mut metadata = draft.chart.metadata.clone();
        metadata.name = draft.name;
        metadata.dependencies =
            draft.listed.map(|listed| listed.iter().map(|at| self.arena[*at].dependency.clone()).collect());
        Instance {
            chart: draft.chart,
            metadata,
            values: draft.values,
            children: draft.children.into_iter().map(|child| self.finish(child)).collect(),
        }
    }
}

/// Names become paths, and what is neither is dropped: charts see the result in `.Chart.Dependencies`.
fn rewrite(imports: &[ImportValue]) -> Vec<ImportValue> {
    imports
        .iter()
        .filter_map(|import| match import {
            ImportValue::Export(name) => {
                Some(ImportValue::Map { child: format!("exports.{name}"), parent: ".".to_owned() })
            }
            ImportValue::Map { .. } => Some(import.clone()),
            ImportValue::Other => None,
        })
        .collect()
}

const ENDLESS: &str = "the imported values contain themselves";

/// The value at a path between dots, unless it is a table.
fn at_path<'a>(values: &'a Table, path: &str) -> Option<&'a Value> {
    let (tables, key) = path.rsplit_once('.').map_or((None, path), |(tables, key)| (Some(tables), key));
    let table = tables
        .into_iter()
        .flat_map(|tables| tables.split('.'))
        .try_fold(values, |table, key| table.get(key.as_bytes()).and_then(Value::as_table))?;
    table.get(key.as_bytes()).filter(|value| value.as_table().is_none())
}

/// Whether a version lies in a range; what does not parse lies nowhere.
pub fn in_range(range: &str, version: &str) -> bool {
    match (Version::parse(version.as_bytes()), Constraint::parse(range.as_bytes())) {
        (Ok(version), Ok(range)) => range.matches(&version),
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::format_collect, reason = "texts of tests are short")]
mod tests {
    use super::*;
    use crate::helm::chart::archive::Budget;
    use crate::helm::chart::load;
    use crate::helm::profile::HELM_4_2;

    /// What a chart with one subchart `s` is refused for.
    fn refusal(dependencies: &str, values: &str) -> String {
        let head = "apiVersion: v2\nname: h\nversion: 1.0.0\ndependencies:\n";
        let files: Vec<ChartFile> = [
            ("Chart.yaml", format!("{head}{dependencies}")),
            ("charts/s/Chart.yaml", "apiVersion: v2\nname: s\nversion: 1.0.0\n".to_owned()),
            ("charts/s/values.yaml", values.to_owned()),
        ]
        .into_iter()
        .map(|(name, text)| ChartFile { name: name.into(), data: text.into_bytes().into() })
        .collect();
        let chart = load(files, "h", &HELM_4_2, None, &mut Budget::default()).expect("a good chart");
        process(&Arc::new(chart), &Table::default(), &HELM_4_2, &mut Vec::new()).err().unwrap_or_default()
    }

    fn aliases(count: usize) -> String {
        (0..count).map(|at| format!("- {{name: s, version: '*', alias: a{at}}}\n")).collect()
    }

    #[test]
    fn a_chart_is_not_used_without_end() {
        let wide: String = (0..5_000).map(|at| format!("k{at}: 1\n")).collect();
        assert_eq!(refusal(&aliases(80), &wide), "");
        assert_eq!(
            refusal(&aliases(120), &wide),
            "dependencies bring more than 500,000 values, each alias counted"
        );
        assert_eq!(
            refusal(&aliases(2_001), "a: 1"),
            "dependencies list more than 2,000 charts, each alias counted"
        );
    }

    #[test]
    fn globals_are_not_handed_down_without_end() {
        let head = "apiVersion: v2\nname: h\nversion: 1.0.0\ndependencies:\n";
        let loaded = |charts: usize| {
            let globals: String = (0..1_000).map(|at| format!("  k{at}: 1\n")).collect();
            let files = [
                ("Chart.yaml", format!("{head}{}", aliases(charts))),
                ("values.yaml", format!("global:\n{globals}")),
                ("charts/s/Chart.yaml", "apiVersion: v2\nname: s\nversion: 1.0.0\n".to_owned()),
            ]
            .map(|(name, text)| ChartFile { name: name.into(), data: text.into_bytes().into() });
            let chart = load(files.into(), "h", &HELM_4_2, None, &mut Budget::default()).expect("a chart");
            process(&Arc::new(chart), &Table::default(), &HELM_4_2, &mut Vec::new()).map(|_| ())
        };
        assert_eq!(loaded(100), Ok(()));
        assert_eq!(loaded(501), Err("globals bring more than 500,000 values to subcharts".to_owned()));
    }

    #[test]
    fn a_chart_does_not_bring_charts_and_values_without_end() {
        let file = |name: String, text: &str| ChartFile { name: name.into(), data: text.as_bytes().into() };
        let metadata = "apiVersion: v2\nname: h\nversion: 1.0.0\n";
        let refused = |files: Vec<ChartFile>| {
            load(files, "h", &HELM_4_2, None, &mut Budget::default())
                .map(|_| ())
                .expect_err("too much")
                .to_string()
        };
        let charts = (0..5_000).map(|at| file(format!("charts/c{at}/Chart.yaml"), metadata));
        let charts: Vec<ChartFile> = charts.chain([file("Chart.yaml".to_owned(), metadata)]).collect();
        assert!(refused(charts).ends_with("the chart has more than 5000 charts in it"));
        let values = format!("a: [{}]", "a: b,".repeat(60_000));
        let mut files =
            vec![file("Chart.yaml".to_owned(), metadata), file("values.yaml".to_owned(), &values)];
        files.push(file("charts/c/Chart.yaml".to_owned(), metadata));
        files.push(file("charts/c/values.yaml".to_owned(), &values));
        assert!(refused(files).contains("bring more than 1 million values"));
        let values = format!("a: [{}]", "a: b,".repeat(120_000));
        let files = vec![file("Chart.yaml".to_owned(), metadata), file("values.yaml".to_owned(), &values)];
        assert!(refused(files).ends_with("document holds too many values"));
    }

    #[test]
    fn values_are_not_imported_without_end() {
        let values: String =
            "a:\n".to_owned() + &(0..1_000).map(|at| format!("  k{at}: 1\n")).collect::<String>();
        let imports = |count: usize| {
            let each = (0..count).map(|at| format!("  - {{child: a, parent: x{at}.y.z}}\n"));
            format!("- name: s\n  version: '*'\n  import-values:\n{}", each.collect::<String>())
        };
        assert_eq!(refusal(&imports(50), &values), "");
        assert_eq!(refusal(&imports(250), &values), "import-values bring more than 200,000 values");
    }
}
