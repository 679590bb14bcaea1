//! What templates see: `.Chart`, `.Files`, `.Release`, `.Capabilities`, `.Values` and `.Subcharts` of every chart of
//! a release.
//!
//! Types and field names are Go's (helm 4.2.4 `pkg/engine/engine.go`, `recAllTpls`; 3.21.4 the same): `.Chart` is a
//! map in the newer profile and a struct in the older one.

mod capabilities;
mod chart;
mod files;

use super::capabilities::Capabilities;
use super::chart::dependencies::Instance;
use super::engine::{Context, TemplateFile};
use super::gopath;
use super::profile::Profile;
use super::value::{Map, Value};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How a release calls itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseInfo {
    /// `.Release.Name`.
    pub name: String,
    /// `.Release.Namespace`.
    pub namespace: String,
    /// `.Release.IsUpgrade`; `.Release.IsInstall` is its opposite.
    pub is_upgrade: bool,
}

/// The templates of a chart and all its subcharts; the numbers are those of [`contexts`].
pub fn templates(instance: &Instance) -> Vec<TemplateFile> {
    let mut out = Vec::new();
    let mut number = 0;
    collect(instance, &instance.metadata.name, &mut number, &mut out);
    out
}

fn collect(instance: &Instance, path: &str, number: &mut usize, out: &mut Vec<TemplateFile>) {
    let chart = *number;
    *number += 1;
    // Subcharts come first, so that of two files of one path the parent's counts.
    for child in &instance.children {
        collect(child, &format!("{path}/charts/{}", child.metadata.name), number, out);
    }
    for template in &instance.chart.templates {
        if instance.metadata.is_library() && !gopath::base(&template.name).starts_with('_') {
            continue;
        }
        out.push(TemplateFile {
            path: gopath::clean(&format!("{path}/{}", template.name)),
            text: Arc::clone(&template.data),
            chart,
        });
    }
}

/// What the templates of each chart see: the chart, then its subcharts, each with its own.
pub fn contexts(
    instance: &Instance,
    values: &Map,
    release: &ReleaseInfo,
    capabilities: &Capabilities,
    profile: &'static Profile,
) -> Vec<Context> {
    let shared = Shared {
        release: Value::Map(Map::of(
            &super::value::types::MAP,
            [
                ("Name", Value::string(&release.name)),
                ("Namespace", Value::string(&release.namespace)),
                ("IsUpgrade", Value::Bool(release.is_upgrade)),
                ("IsInstall", Value::Bool(!release.is_upgrade)),
                ("Revision", Value::int(1)),
                ("Service", Value::string("Helm")),
            ],
        )),
        capabilities: capabilities::object(capabilities, profile),
        profile,
        files: RefCell::default(),
    };
    let mut out = Vec::new();
    shared.chart(instance, &instance.metadata.name, &values.with_type(profile.values_type), true, &mut out);
    out
}

struct Shared {
    release: Value,
    capabilities: Value,
    profile: &'static Profile,
    /// The files of each chart, by its place in memory: the same for all of its aliases.
    files: RefCell<BTreeMap<usize, Value>>,
}

impl Shared {
    fn files(&self, instance: &Instance) -> Value {
        let chart = Arc::as_ptr(&instance.chart).addr();
        let made = || files::object(&instance.chart.files);
        self.files.borrow_mut().entry(chart).or_insert_with(made).clone()
    }

    fn chart(
        &self,
        instance: &Instance,
        path: &str,
        values: &Map,
        is_root: bool,
        out: &mut Vec<Context>,
    ) -> Map {
        let subcharts = Map::new();
        let map = Map::of(
            &super::value::types::MAP,
            [
                ("Chart", chart::object(&instance.metadata, is_root, self.profile)),
                ("Files", self.files(instance)),
                ("Release", self.release.clone()),
                ("Capabilities", self.capabilities.clone()),
                ("Values", Value::Map(values.clone())),
                ("Subcharts", Value::Map(subcharts.clone())),
            ],
        );
        out.push(Context { map: map.clone(), base_path: format!("{path}/templates") });
        for child in &instance.children {
            let name = &child.metadata.name;
            // A name with a dot is taken for a path (`Table("Values." + name)`).
            let own =
                name.split('.').try_fold(values.clone(), |table, key| match table.get(key.as_bytes()) {
                    Some(Value::Map(map)) => Some(map),
                    _ => None,
                });
            let own = own.unwrap_or_default().with_type(self.profile.values_type);
            let inner = self.chart(child, &format!("{path}/charts/{name}"), &own, false, out);
            subcharts.insert(name.as_str(), Value::Map(inner));
        }
        map
    }
}
