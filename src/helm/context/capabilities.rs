//! `.Capabilities`.

use crate::helm::capabilities::{Capabilities, KubeVersion};
use crate::helm::funcs::{Args, Ctx, FuncError, Function};
use crate::helm::profile::Profile;
use crate::helm::value::types::{STRING, STRINGS};
use crate::helm::value::{FieldInfo, Kind, List, Object, Str, Type, TypeInfo, Value};

/// The pointer that templates are given.
pub(super) fn object(capabilities: &Capabilities, profile: &'static Profile) -> Value {
    let types = if profile.chart_is_map { &TYPES_4 } else { &TYPES_3 };
    let versions = capabilities.api_versions.iter().map(|version| Value::string(&**version)).collect();
    Value::object(Pointer {
        types,
        kube: capabilities.kube.clone(),
        versions: List::new(types.versions, versions),
        profile,
    })
}

/// The Go types of one profile.
struct Types {
    pointer: Type,
    kube: Type,
    versions: Type,
}

static TYPES_4: Types = Types { pointer: &CAPABILITIES_4, kube: &KUBE_4, versions: &VERSIONS_4 };
static TYPES_3: Types = Types { pointer: &CAPABILITIES_3, kube: &KUBE_3, versions: &VERSIONS_3 };

static STRUCT_4: TypeInfo = TypeInfo::plain("common.Capabilities", Kind::Struct);
static STRUCT_3: TypeInfo = TypeInfo::plain("chartutil.Capabilities", Kind::Struct);
static CAPABILITIES_4: TypeInfo = TypeInfo::pointer("*common.Capabilities", &STRUCT_4, &[]);
static CAPABILITIES_3: TypeInfo = TypeInfo::pointer("*chartutil.Capabilities", &STRUCT_3, &[]);
static VERSIONS_4: TypeInfo = TypeInfo::named("common.VersionSet", &STRINGS, &HAS_4);
static VERSIONS_3: TypeInfo = TypeInfo::named("chartutil.VersionSet", &STRINGS, &HAS_3);
static KUBE_4: TypeInfo = TypeInfo {
    name: "common.KubeVersion",
    kind: Kind::Struct,
    named: true,
    elem: None,
    methods: &KUBE_METHODS_4,
};
static KUBE_3: TypeInfo = TypeInfo {
    name: "chartutil.KubeVersion",
    kind: Kind::Struct,
    named: true,
    elem: None,
    methods: &KUBE_METHODS_3,
};
static BUILD: TypeInfo = TypeInfo::plain("version.BuildInfo", Kind::Struct);

static HAS_4: [Function; 1] = [Function::new("Has", &HAS_PARAMS_4, has)];
static HAS_3: [Function; 1] = [Function::new("Has", &HAS_PARAMS_3, has)];
static HAS_PARAMS_4: [Type; 2] = [&VERSIONS_4, &STRING];
static HAS_PARAMS_3: [Type; 2] = [&VERSIONS_3, &STRING];
static KUBE_PARAMS_4: [Type; 1] = [&KUBE_4];
static KUBE_PARAMS_3: [Type; 1] = [&KUBE_3];
static KUBE_METHODS_4: [Function; 2] = [
    Function::new("GitVersion", &KUBE_PARAMS_4, git_version),
    Function::new("String", &KUBE_PARAMS_4, string),
];
static KUBE_METHODS_3: [Function; 2] = [
    Function::new("GitVersion", &KUBE_PARAMS_3, git_version),
    Function::new("String", &KUBE_PARAMS_3, string),
];

fn has(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Value, FuncError> {
    let wanted = args.str(1)?;
    let found = args.list(0)?.iter().any(|version| version.as_str() == Some(wanted));
    Ok(Value::Bool(found))
}

fn git_version(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::string(&receiver(args)?.version))
}

fn string(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::string(&receiver(args)?.normalized))
}

fn receiver<'a>(args: &'a Args<'_>) -> Result<&'a KubeVersion, FuncError> {
    let kube = args.value(0).as_object::<Kube>().map(|kube| &kube.version);
    kube.ok_or_else(|| FuncError::message("the receiver is no KubeVersion"))
}

struct Pointer {
    types: &'static Types,
    kube: KubeVersion,
    versions: List,
    profile: &'static Profile,
}

impl Object for Pointer {
    fn type_of(&self) -> Type {
        self.types.pointer
    }

    fn fields(&self) -> Vec<FieldInfo> {
        let field = |name, value| FieldInfo { name, value, json: Some(name), omit_empty: false };
        vec![
            field(
                "KubeVersion",
                Value::object(Kube { types: self.types, version: self.kube.clone(), profile: self.profile }),
            ),
            field("APIVersions", Value::List(self.versions.clone())),
            field("HelmVersion", Value::object(Build(self.profile))),
        ]
    }
}

/// `.Capabilities.KubeVersion`.
struct Kube {
    types: &'static Types,
    version: KubeVersion,
    profile: &'static Profile,
}

impl Object for Kube {
    fn type_of(&self) -> Type {
        self.types.kube
    }

    fn field(&self, name: &[u8]) -> Option<Value> {
        match name {
            b"Version" => Some(Value::string(&self.version.version)),
            b"Major" => Some(Value::string(&self.version.major)),
            b"Minor" => Some(Value::string(&self.version.minor)),
            _ => None,
        }
    }

    fn fields(&self) -> Vec<FieldInfo> {
        let field = |name, value: &str, shown| FieldInfo {
            name,
            value: Value::string(value),
            json: if shown { Some(name) } else { None },
            omit_empty: false,
        };
        let mut fields = vec![field("Version", &self.version.version, true)];
        if self.profile.keep_kube_suffix {
            // Not exported: printed with the others, reached by nobody.
            fields.push(field("normalizedVersion", &self.version.normalized, false));
        }
        fields.push(field("Major", &self.version.major, true));
        fields.push(field("Minor", &self.version.minor, true));
        fields
    }

    fn to_text_addressed(&self) -> Option<Str> {
        Some(self.version.normalized.as_str().into())
    }
}

/// `.Capabilities.HelmVersion`.
struct Build(&'static Profile);

impl Object for Build {
    fn type_of(&self) -> Type {
        &BUILD
    }

    fn fields(&self) -> Vec<FieldInfo> {
        let field = |name, json, value: &str, omit_empty| FieldInfo {
            name,
            value: Value::string(value),
            json: Some(json),
            omit_empty,
        };
        let mut fields = vec![
            field("Version", "version", self.0.helm_version, true),
            field("GitCommit", "git_commit", "", true),
            field("GitTreeState", "git_tree_state", "", true),
            field("GoVersion", "go_version", "go1.26.8", true),
        ];
        if self.0.chart_is_map {
            fields.push(field("KubeClientVersion", "kube_client_version", "v1.36", true));
        }
        fields
    }
}
