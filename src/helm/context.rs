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
use super::chart::gopath;
use super::profile::Profile;
use super::value::{Map, Str, Value};
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

/// A template with what it sees.
pub struct Renderable {
    /// `chart/templates/x.yaml`.
    pub path: Str,
    /// Its text.
    pub text: Arc<[u8]>,
    /// The chart's context: shared by all its templates, so that what one sets the next one sees.
    pub context: Map,
    /// `chart/templates`.
    pub base_path: Str,
}

/// The templates of a chart and all its subcharts; later ones of one path replace earlier ones.
pub fn renderables(
    instance: &Instance,
    values: &Map,
    release: &ReleaseInfo,
    capabilities: &Capabilities,
    profile: &'static Profile,
) -> Vec<Renderable> {
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
    };
    let mut out = Vec::new();
    shared.chart(instance, &instance.metadata.name, values.with_type(profile.values_type), true, &mut out);
    out
}

struct Shared {
    release: Value,
    capabilities: Value,
    profile: &'static Profile,
}

impl Shared {
    fn chart(
        &self,
        instance: &Instance,
        path: &str,
        values: Map,
        is_root: bool,
        out: &mut Vec<Renderable>,
    ) -> Map {
        let subcharts = Map::new();
        let context = Map::of(
            &super::value::types::MAP,
            [
                ("Chart", chart::object(&instance.metadata, is_root, self.profile)),
                ("Files", files::object(&instance.chart.files)),
                ("Release", self.release.clone()),
                ("Capabilities", self.capabilities.clone()),
                ("Values", Value::Map(values.clone())),
                ("Subcharts", Value::Map(subcharts.clone())),
            ],
        );
        for child in &instance.children {
            let name = &child.metadata.name;
            // A name with a dot is taken for a path (`Table("Values." + name)`).
            let own = name.split('.').try_fold(values.clone(), |table, key| match table.get(key.as_bytes()) {
                Some(Value::Map(map)) => Some(map),
                _ => None,
            });
            let own = own.unwrap_or_default().with_type(self.profile.values_type);
            let inner = self.chart(child, &format!("{path}/charts/{name}"), own, false, out);
            subcharts.insert(name.as_str(), Value::Map(inner));
        }
        let base_path: Str = format!("{path}/templates").into();
        for template in &instance.chart.templates {
            if instance.metadata.is_library() && !gopath::base(&template.name).starts_with('_') {
                continue;
            }
            let path: Str = gopath::clean(&format!("{path}/{}", template.name)).into();
            out.retain(|known: &Renderable| known.path != path);
            out.push(Renderable {
                path,
                text: Arc::clone(&template.data),
                context: context.with_type(self.profile.values_type),
                base_path: base_path.clone(),
            });
        }
        context
    }
}
