//! Coalescing: user values over a chart's own, parents over subcharts, globals down to everybody.
//!
//! Follows helm 4.2.4 `pkg/chart/common/util/coalesce.go` and 3.21.4 `pkg/chartutil/coalesce.go` step by step, their
//! surprises included; they differ in one property of the [`Profile`].

use super::cell::{Cell, Shared};
use super::tree::{Data, Table, Value};
use crate::helm::profile::Profile;
use crate::helm::value::Str;
use std::fmt::Write as _;
use std::sync::Arc;

/// The key whose table every subchart gets.
const GLOBAL: &[u8] = b"global";

/// A chart as coalescing sees it.
pub trait Layer {
    /// Its name; the alias, where it has one.
    fn name(&self) -> &str;
    /// Its own values.
    fn values(&self) -> &Table;
    /// Its subcharts.
    fn children(&self) -> &[Self]
    where
        Self: Sized;
}

/// What becomes of nulls.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Nulls {
    /// A null deletes what is below it: for rendering.
    Delete,
    /// Nulls stay, as there will be more coalescing.
    Keep,
}

/// Coalesces `user` values over all values of a chart and its subcharts.
///
/// Warnings are Helm's; the error is Helm's too.
pub fn coalesce<L: Layer>(
    chart: &L,
    user: &Table,
    nulls: Nulls,
    profile: &Profile,
    warnings: &mut Vec<String>,
) -> Result<Shared, String> {
    let dest = Shared::thaw(user);
    let mut work = Work { profile, warnings, global: 0 };
    work.chart(chart, &dest, "", nulls)?;
    Ok(dest)
}

/// Merges `source` below `dest`, which wins.
pub fn merge_tables(
    dest: &Shared,
    source: &Shared,
    nulls: Nulls,
    profile: &Profile,
    warnings: &mut Vec<String>,
) {
    Work { profile, warnings, global: 0 }.tables(dest, source, "", nulls, 0);
}

struct Work<'a> {
    profile: &'a Profile,
    warnings: &'a mut Vec<String>,
    /// Globals that were handed down so far.
    global: usize,
}

/// How many globals may be handed down, for each subchart those of its parent. Helm knows no such limit.
const MAX_GLOBALS: usize = 500_000;
/// Warnings that are kept.
const MAX_WARNINGS: usize = 1_000;

impl Work<'_> {
    fn chart<L: Layer>(
        &mut self,
        chart: &L,
        dest: &Shared,
        prefix: &str,
        nulls: Nulls,
    ) -> Result<(), String> {
        self.values(chart, dest, prefix, nulls);
        for child in chart.children() {
            let key = child.name();
            match dest.get(key.as_bytes()) {
                None => dest.insert(key.into(), Cell::table()),
                Some(Cell::Table(..)) => {}
                Some(Cell::Fixed(value)) => {
                    return Err(format!("type mismatch on {key}: {}", wrong_verb(&value)));
                }
            }
            let table = dest.table(key.as_bytes()).expect("it was just made sure that this is a table");
            let prefix = join(prefix, chart.name());
            self.globals(&table, dest, &prefix)?;
            self.chart(child, &table, &prefix, nulls)?;
        }
        Ok(())
    }

    fn globals(&mut self, dest: &Shared, source: &Shared, prefix: &str) -> Result<(), String> {
        let dest_globals = match dest.get(GLOBAL) {
            None => Shared::default(),
            Some(Cell::Table(table, _)) => table,
            Some(Cell::Fixed(_)) => {
                self.warn("warning: skipping globals because destination global is not a table.".to_owned());
                return Ok(());
            }
        };
        let source_globals = match source.get(GLOBAL) {
            None => Shared::default(),
            Some(Cell::Table(table, _)) => table,
            Some(Cell::Fixed(_)) => {
                self.warn("warning: skipping globals because source global is not a table.".to_owned());
                return Ok(());
            }
        };
        for key in source_globals.keys() {
            let Some(value) = source_globals.get(&key) else { continue };
            self.global += match &value {
                Cell::Table(table, _) => 1 + table.len(),
                Cell::Fixed(_) => 1,
            };
            if self.global > MAX_GLOBALS {
                return Err("globals bring more than 500,000 values to subcharts".to_owned());
            }
            if let Cell::Table(table, origin) = &value {
                let copy = table.shallow_copy();
                match dest_globals.get(&key) {
                    None => dest_globals.insert(key, Cell::Table(copy, origin.clone())),
                    Some(Cell::Table(below, _)) => {
                        let prefix = join(prefix, &key.to_str_lossy());
                        self.tables(&copy, &below, &prefix, Nulls::Keep, 0);
                        dest_globals.insert(key, Cell::Table(copy, origin.clone()));
                    }
                    Some(Cell::Fixed(_)) => {
                        let key = key.to_str_lossy();
                        self.warn(format!("Conflict: cannot merge map onto non-map for {key:?}. Skipping."));
                    }
                }
            } else if dest_globals.peek(&key, Cell::is_table) == Some(true) {
                self.warn(format!("key {} is table. Skipping", key.to_str_lossy()));
            } else {
                dest_globals.insert(key, value);
            }
        }
        if !dest.contains(GLOBAL) {
            dest.insert(Str::new(GLOBAL), Cell::Table(dest_globals, crate::value::Origin::Compiler));
        }
        Ok(())
    }

    fn values<L: Layer>(&mut self, chart: &L, dest: &Shared, prefix: &str, nulls: Nulls) {
        let prefix = join(prefix, chart.name());
        let drops = nulls == Nulls::Delete && self.profile.drop_default_nulls;
        for (key, value) in chart.values().iter() {
            if !dest.contains(key) {
                match (drops, &value.data) {
                    (true, Data::Null) => {}
                    (true, Data::Table(table)) => {
                        let clean = Value::new(Data::Table(without_nulls(table)), value.origin.clone());
                        dest.insert(key.clone(), Cell::Fixed(clean));
                    }
                    _ => dest.insert(key.clone(), Cell::Fixed(value.clone())),
                }
                continue;
            }
            if nulls == Nulls::Delete && dest.peek(key, Cell::is_null) == Some(true) {
                dest.remove(key);
                continue;
            }
            let Some(Cell::Table(over, _)) = dest.get(key) else { continue };
            let Some(table) = value.as_table() else {
                if !value.is_null() {
                    let key = key.to_str_lossy();
                    self.warn(format!("warning: skipped value for {prefix}.{key}: Not a table."));
                }
                continue;
            };
            let is_child = chart.children().iter().any(|child| child.name().as_bytes() == key.as_bytes());
            let nulls = if is_child { Nulls::Keep } else { nulls };
            let table = if nulls == Nulls::Delete && self.profile.drop_default_nulls {
                without_nulls(table)
            } else {
                Arc::clone(table)
            };
            let prefix = join(&prefix, &key.to_str_lossy());
            self.tables(&over, &Shared::thaw(&table), &prefix, nulls, 0);
        }
    }

    /// Helm writes the destination's nulls into the source first; it matters where the source is shared.
    fn tables(&mut self, dest: &Shared, source: &Shared, prefix: &str, nulls: Nulls, depth: usize) {
        if dest.same(source) || depth > super::MAX_NESTING {
            return;
        }
        let mut was_set = Vec::new();
        for key in dest.keys() {
            if dest.peek(&key, Cell::is_null) == Some(true) {
                if source.peek(&key, Cell::is_null) == Some(false) {
                    was_set.push(key.clone());
                }
                let null = Value::new(Data::Null, crate::value::Origin::Compiler);
                source.insert(key, Cell::Fixed(null));
            }
        }
        for key in source.keys() {
            if !dest.contains(&key) {
                if let Some(value) = source.get(&key) {
                    dest.insert(key, value);
                }
                continue;
            }
            if nulls == Nulls::Delete && was_set.contains(&key) {
                dest.remove(&key);
                continue;
            }
            let over_is_table = dest.peek(&key, Cell::is_table) == Some(true);
            let below_is_table = source.peek(&key, Cell::is_table) == Some(true);
            if below_is_table && over_is_table {
                if let (Some(over), Some(below)) = (dest.table(&key), source.table(&key)) {
                    self.tables(&over, &below, &join(prefix, &key.to_str_lossy()), nulls, depth + 1);
                }
            } else if below_is_table {
                let text = source.get(&key).map(|cell| print(&cell)).unwrap_or_default();
                let key = join(prefix, &key.to_str_lossy());
                self.warn(format!("warning: cannot overwrite table with non table for {key} ({text})"));
            } else if over_is_table && source.peek(&key, Cell::is_null) == Some(false) {
                let text = source.get(&key).map(|cell| print(&cell)).unwrap_or_default();
                let key = join(prefix, &key.to_str_lossy());
                self.warn(format!(
                    "warning: destination for {key} is a table. Ignoring non-table value ({text})"
                ));
            }
        }
    }

    fn warn(&mut self, text: String) {
        if self.warnings.len() < MAX_WARNINGS && !self.warnings.contains(&text) {
            self.warnings.push(text);
        }
    }
}

/// The table without nulls at any depth of tables.
pub fn without_nulls(table: &Table) -> Table {
    fn clean(table: &Table) -> bool {
        table.values().all(|value| match &value.data {
            Data::Null => false,
            Data::Table(table) => clean(table),
            _ => true,
        })
    }
    if clean(table) {
        return Arc::clone(table);
    }
    Arc::new(
        table
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| {
                let data = match &value.data {
                    Data::Table(table) => Data::Table(without_nulls(table)),
                    data => data.clone(),
                };
                (key.clone(), Value::new(data, value.origin.clone()))
            })
            .collect(),
    )
}

fn join(prefix: &str, key: &str) -> String {
    if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") }
}

fn print(cell: &Cell) -> String {
    cell.freeze().map_or_else(|_endless| "...".to_owned(), |value| print_value(&value))
}

/// Go's `%v`.
pub fn print_value(value: &Value) -> String {
    let mut out = String::new();
    write_value(value, &mut out);
    out
}

fn write_value(value: &Value, out: &mut String) {
    match &value.data {
        Data::Null => out.push_str("<nil>"),
        Data::Bool(truth) => {
            let _infallible = write!(out, "{truth}");
        }
        Data::Int(number) => {
            let _infallible = write!(out, "{number}");
        }
        Data::Float(number) => out.push_str(&crate::helm::strconv::format_shortest(*number)),
        Data::String(text) => out.push_str(&text.to_str_lossy()),
        Data::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(' ');
                }
                write_value(item, out);
            }
            out.push(']');
        }
        Data::Table(table) => {
            out.push_str("map[");
            for (at, (key, item)) in table.iter().enumerate() {
                if at > 0 {
                    out.push(' ');
                }
                out.push_str(&key.to_str_lossy());
                out.push(':');
                write_value(item, out);
            }
            out.push(']');
        }
    }
}

/// Go's `%t` of something that is no boolean, which is how Helm prints it.
fn wrong_verb(value: &Value) -> String {
    match &value.data {
        Data::Bool(truth) => truth.to_string(),
        Data::Null => "%!t(<nil>)".to_owned(),
        Data::List(items) => {
            let items: Vec<String> = items.iter().map(wrong_verb).collect();
            format!("[{}]", items.join(" "))
        }
        _ => format!("%!t({}={})", value.go_type(), print_value(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::{from_json, table_to_json};
    use super::*;
    use crate::helm::profile::{HELM_3_21, HELM_4_2};
    use crate::value::Origin;

    struct Fake {
        name: &'static str,
        values: Table,
        children: Vec<Fake>,
    }

    impl Layer for Fake {
        fn name(&self) -> &str {
            self.name
        }
        fn values(&self) -> &Table {
            &self.values
        }
        fn children(&self) -> &[Self] {
            &self.children
        }
    }

    fn table(json: &str) -> Table {
        let json: serde_json::Value = serde_json::from_str(json).expect("json");
        Arc::clone(from_json(&json, &Origin::Compiler).as_table().expect("table"))
    }

    fn result(chart: &Fake, user: &str, profile: &Profile) -> String {
        let mut warnings = Vec::new();
        let shared = coalesce(chart, &table(user), Nulls::Delete, profile, &mut warnings).expect("good");
        table_to_json(&shared.freeze().expect("finite")).to_string()
    }

    fn parent_and_child() -> Fake {
        let child = Fake { name: "c", values: table(r#"{"q":0,"z":5,"w":null}"#), children: Vec::new() };
        let values = table(r#"{"nul":null,"m":{"a":1,"b":null},"c":{"q":1,"z":null}}"#);
        Fake { name: "p", values, children: vec![child] }
    }

    #[test]
    fn nulls_of_charts_differ_between_profiles() {
        let chart = parent_and_child();
        assert_eq!(
            result(&chart, "{}", &HELM_3_21),
            r#"{"c":{"global":{},"q":1,"w":null},"m":{"a":1,"b":null},"nul":null}"#
        );
        assert_eq!(result(&chart, "{}", &HELM_4_2), r#"{"c":{"global":{},"q":1,"z":5},"m":{"a":1}}"#);
        for profile in [&HELM_3_21, &HELM_4_2] {
            let deleted = result(&chart, r#"{"c":{"z":null},"m":null}"#, profile);
            assert!(!deleted.contains(r#""z""#) && !deleted.contains(r#""m""#), "{deleted}");
        }
    }

    #[test]
    fn globals_reach_every_child_and_deep_ones_are_shared() {
        let child = Fake {
            name: "c",
            values: table(r#"{"global":{"a":{"b":{"y":2},"own":1},"x":9}}"#),
            children: Vec::new(),
        };
        let values = table(r#"{"global":{"a":{"b":{"x":1}},"x":1}}"#);
        let chart = Fake { name: "p", values, children: vec![child] };
        assert_eq!(
            result(&chart, "{}", &HELM_4_2),
            concat!(
                r#"{"c":{"global":{"a":{"b":{"x":1,"y":2},"own":1},"x":1}},"#,
                r#""global":{"a":{"b":{"x":1,"y":2}},"x":1}}"#
            )
        );
    }

    #[test]
    fn a_child_must_be_a_table() {
        let chart = parent_and_child();
        let error = |user: &str| {
            coalesce(&chart, &table(user), Nulls::Delete, &HELM_4_2, &mut Vec::new()).err().expect("refused")
        };
        assert_eq!(error(r#"{"c":"x"}"#), "type mismatch on c: %!t(string=x)");
        assert_eq!(error(r#"{"c":true}"#), "type mismatch on c: true");
    }

    #[test]
    fn tables_and_scalars_do_not_mix() {
        let chart = Fake { name: "p", values: table(r#"{"a":{"b":{"c":1}},"t":1}"#), children: Vec::new() };
        let mut warnings = Vec::new();
        let user = table(r#"{"a":{"b":1},"t":{"x":1}}"#);
        coalesce(&chart, &user, Nulls::Delete, &HELM_4_2, &mut warnings).expect("good");
        assert_eq!(
            warnings,
            [
                "warning: cannot overwrite table with non table for p.a.b (map[c:1])",
                "warning: skipped value for p.t: Not a table."
            ]
        );
    }
}
