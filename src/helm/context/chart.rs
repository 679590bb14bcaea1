//! `.Chart`.

use crate::helm::chart::{Dependency, ImportValue, Maintainer, Metadata};
use crate::helm::profile::Profile;
use crate::helm::value::types::{LIST, STRING_MAP, STRINGS};
use crate::helm::value::{FieldInfo, Kind, List, Map, Object, ObjectRef, Type, TypeInfo, Value};

/// The metadata as the profile shows it.
pub(super) fn object(metadata: &Metadata, is_root: bool, profile: &Profile) -> Value {
    if profile.chart_is_map {
        map(metadata, is_root)
    } else {
        Value::object(Chart { metadata: metadata.clone(), is_root })
    }
}

/// A map by Go's field names; slices are never nil in it (helm 4.2.4 `structToMap`).
fn map(metadata: &Metadata, is_root: bool) -> Value {
    let texts = |list: &Option<Vec<String>>| Value::list(list.iter().flatten().map(Value::string).collect());
    let maintainer = |m: &Maintainer| {
        Value::map([
            ("Name", Value::string(&m.name)),
            ("Email", Value::string(&m.email)),
            ("URL", Value::string(&m.url)),
        ])
    };
    let dependency = |d: &Dependency| {
        Value::map([
            ("Name", Value::string(&d.name)),
            ("Version", Value::string(&d.version)),
            ("Repository", Value::string(&d.repository)),
            ("Condition", Value::string(&d.condition)),
            ("Tags", Value::list(d.tags.iter().map(Value::string).collect())),
            ("Enabled", Value::Bool(d.enabled)),
            ("ImportValues", Value::list(d.import_values.iter().filter_map(import_value).collect())),
            ("Alias", Value::string(&d.alias)),
        ])
    };
    Value::map([
        ("Name", Value::string(&metadata.name)),
        ("Home", Value::string(&metadata.home)),
        ("Sources", texts(&metadata.sources)),
        ("Version", Value::string(&metadata.version)),
        ("Description", Value::string(&metadata.description)),
        ("Keywords", texts(&metadata.keywords)),
        ("Maintainers", Value::list(metadata.maintainers.iter().map(maintainer).collect())),
        ("Icon", Value::string(&metadata.icon)),
        ("APIVersion", Value::string(&metadata.api_version)),
        ("Condition", Value::string(&metadata.condition)),
        ("Tags", Value::string(&metadata.tags)),
        ("AppVersion", Value::string(&metadata.app_version)),
        ("Deprecated", Value::Bool(metadata.deprecated)),
        ("Annotations", annotations(metadata)),
        ("KubeVersion", Value::string(&metadata.kube_version)),
        ("Dependencies", Value::list(metadata.dependencies.iter().flatten().map(dependency).collect())),
        ("Type", Value::string(&metadata.kind)),
        ("IsRoot", Value::Bool(is_root)),
    ])
}

fn import_value(import: &ImportValue) -> Option<Value> {
    match import {
        ImportValue::Map { child, parent } => Some(Value::Map(Map::of(
            &STRING_MAP,
            [("child", Value::string(child)), ("parent", Value::string(parent))],
        ))),
        ImportValue::Export(name) => Some(Value::string(name)),
        ImportValue::Other => None,
    }
}

fn annotations(metadata: &Metadata) -> Value {
    Value::Map(match &metadata.annotations {
        None => Map::nil(&STRING_MAP),
        Some(entries) => Map::of(&STRING_MAP, entries.iter().map(|(key, value)| (key, Value::string(value)))),
    })
}

static METADATA: TypeInfo = TypeInfo::plain("chart.Metadata", Kind::Struct);
static CHART: TypeInfo = TypeInfo {
    name: "struct { chart.Metadata; IsRoot bool }",
    kind: Kind::Struct,
    named: false,
    elem: None,
    methods: &[],
};
static MAINTAINER: TypeInfo = TypeInfo::plain("chart.Maintainer", Kind::Struct);
static MAINTAINER_POINTER: TypeInfo = TypeInfo::pointer("*chart.Maintainer", &MAINTAINER, &[]);
static MAINTAINERS: TypeInfo = TypeInfo::slice("[]*chart.Maintainer", &MAINTAINER_POINTER);
static DEPENDENCY: TypeInfo = TypeInfo::plain("chart.Dependency", Kind::Struct);
static DEPENDENCY_POINTER: TypeInfo = TypeInfo::pointer("*chart.Dependency", &DEPENDENCY, &[]);
static DEPENDENCIES: TypeInfo = TypeInfo::slice("[]*chart.Dependency", &DEPENDENCY_POINTER);

/// The struct of Helm 3: the metadata, embedded, and whether it is the root.
struct Chart {
    metadata: Metadata,
    is_root: bool,
}

impl Object for Chart {
    fn type_of(&self) -> Type {
        &CHART
    }

    fn field(&self, name: &[u8]) -> Option<Value> {
        let mut fields = self.fields().into_iter().chain(metadata_fields(&self.metadata));
        fields.find(|field| field.name.as_bytes() == name).map(|field| field.value)
    }

    fn fields(&self) -> Vec<FieldInfo> {
        let metadata = Value::object(Embedded(self.metadata.clone()));
        vec![
            field("Metadata", "Metadata", false, metadata),
            field("IsRoot", "IsRoot", false, Value::Bool(self.is_root)),
        ]
    }

    fn to_data(&self) -> Option<Value> {
        Some(Value::object(Flat { metadata: self.metadata.clone(), is_root: self.is_root }))
    }
}

/// The same as what writes data sees it: fields of what is embedded are its own.
struct Flat {
    metadata: Metadata,
    is_root: bool,
}

impl Object for Flat {
    fn type_of(&self) -> Type {
        &CHART
    }

    fn fields(&self) -> Vec<FieldInfo> {
        let mut fields = metadata_fields(&self.metadata);
        fields.push(field("IsRoot", "IsRoot", false, Value::Bool(self.is_root)));
        fields
    }
}

/// `.Chart.Metadata`.
struct Embedded(Metadata);

impl Object for Embedded {
    fn type_of(&self) -> Type {
        &METADATA
    }

    fn fields(&self) -> Vec<FieldInfo> {
        metadata_fields(&self.0)
    }
}

fn field(name: &'static str, json: &'static str, omit_empty: bool, value: Value) -> FieldInfo {
    FieldInfo { name, value, json: Some(json), omit_empty }
}

fn strings(list: Option<&Vec<String>>) -> Value {
    Value::List(list.map_or_else(|| List::nil(&STRINGS), |list| List::strings(list.iter())))
}

fn metadata_fields(metadata: &Metadata) -> Vec<FieldInfo> {
    let text = |name, json, text: &String| field(name, json, true, Value::string(text));
    let maintainers =
        metadata.maintainers.iter().map(|m| Value::object(MaintainerPointer(m.clone()))).collect();
    let dependencies = metadata.dependencies.as_ref().map_or_else(
        || List::nil(&DEPENDENCIES),
        |list| {
            let pointers = list.iter().map(|d| Value::object(DependencyPointer(d.clone()))).collect();
            List::new(&DEPENDENCIES, pointers)
        },
    );
    vec![
        text("Name", "name", &metadata.name),
        text("Home", "home", &metadata.home),
        field("Sources", "sources", true, strings(metadata.sources.as_ref())),
        text("Version", "version", &metadata.version),
        text("Description", "description", &metadata.description),
        field("Keywords", "keywords", true, strings(metadata.keywords.as_ref())),
        field("Maintainers", "maintainers", true, Value::List(List::new(&MAINTAINERS, maintainers))),
        text("Icon", "icon", &metadata.icon),
        text("APIVersion", "apiVersion", &metadata.api_version),
        text("Condition", "condition", &metadata.condition),
        text("Tags", "tags", &metadata.tags),
        text("AppVersion", "appVersion", &metadata.app_version),
        field("Deprecated", "deprecated", true, Value::Bool(metadata.deprecated)),
        field("Annotations", "annotations", true, annotations(metadata)),
        text("KubeVersion", "kubeVersion", &metadata.kube_version),
        field("Dependencies", "dependencies", true, Value::List(dependencies)),
        text("Type", "type", &metadata.kind),
    ]
}

struct MaintainerPointer(Maintainer);

impl Object for MaintainerPointer {
    fn type_of(&self) -> Type {
        &MAINTAINER_POINTER
    }

    fn fields(&self) -> Vec<FieldInfo> {
        vec![
            field("Name", "name", true, Value::string(&self.0.name)),
            field("Email", "email", true, Value::string(&self.0.email)),
            field("URL", "url", true, Value::string(&self.0.url)),
        ]
    }

    fn equals(&self, other: &ObjectRef) -> bool {
        other.downcast::<Self>().is_some_and(|other| other.0 == self.0)
    }
}

struct DependencyPointer(Dependency);

impl Object for DependencyPointer {
    fn type_of(&self) -> Type {
        &DEPENDENCY_POINTER
    }

    fn fields(&self) -> Vec<FieldInfo> {
        let d = &self.0;
        let tags = if d.tags.is_empty() { List::nil(&STRINGS) } else { List::strings(d.tags.iter()) };
        let imports: Vec<Value> = d.import_values.iter().filter_map(import_value).collect();
        let imports = if imports.is_empty() { List::nil(&LIST) } else { List::any(imports) };
        vec![
            field("Name", "name", false, Value::string(&d.name)),
            field("Version", "version", true, Value::string(&d.version)),
            field("Repository", "repository", false, Value::string(&d.repository)),
            field("Condition", "condition", true, Value::string(&d.condition)),
            field("Tags", "tags", true, Value::List(tags)),
            field("Enabled", "enabled", true, Value::Bool(d.enabled)),
            field("ImportValues", "import-values", true, Value::List(imports)),
            field("Alias", "alias", true, Value::string(&d.alias)),
        ]
    }

    fn equals(&self, other: &ObjectRef) -> bool {
        other.downcast::<Self>().is_some_and(|other| other.0 == self.0)
    }
}
