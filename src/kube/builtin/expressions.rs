//! Expressions in CEL that admission policies and webhooks hold, and the names that they may use.

use crate::expr::{self, Anything, Declarations, Declared, Listed, Shape, Wanted};
use crate::kube::custom::compile::told;
use crate::kube::{Causes, Field};

/// Whether a policy has parameters.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Params {
    /// It has.
    Some,
    /// It has none.
    None,
}

/// What an expression is for: it tells which type it has, and which names.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// A boolean, asked before there are variables.
    Match,
    /// A boolean.
    Validation,
    /// Text.
    Message,
    /// Text, or nothing.
    Annotation,
    /// Anything: the variable of this index, which knows those before it.
    Variable(usize),
}

/// Checks an expression. `variables` are those of the policy.
pub(super) fn check(
    field: Field<'_, '_>,
    purpose: Use,
    params: Params,
    variables: Field<'_, '_>,
    causes: &mut Causes,
) {
    let text = field.text();
    // A check that the server has made ready is a name with a dot, which is not known here.
    if text.contains("requestResource") {
        return;
    }
    let count = match purpose {
        Use::Match => 0,
        Use::Variable(index) => index,
        _ => variables.count(),
    };
    let known =
        Variables(variables.items().take(count).map(|variable| variable.key("name").text()).collect());
    let mut names = Declarations::default()
        .with("object", &Anything)
        .with("oldObject", &Anything)
        .with("request", &REQUEST)
        .with("namespaceObject", &NAMESPACE);
    if params == Params::Some {
        names = names.with("params", &Anything);
    }
    if purpose != Use::Message {
        names = names.with("authorizer", &AUTHORIZER);
    }
    if purpose != Use::Match && variables.count() > 0 {
        names = names.with("variables", &known);
    }
    let wanted = match purpose {
        Use::Match | Use::Validation => Wanted::Truth,
        Use::Message => Wanted::Text,
        Use::Annotation | Use::Variable(_) => Wanted::Any,
    };
    if let Err(fault) = expr::compile(text, &names, wanted) {
        causes.push(told(field, text, fault));
    }
}

/// The variables that stand before an expression; what they hold is not known.
#[derive(Debug)]
struct Variables<'n>(Vec<&'n str>);

impl Declared for Variables<'_> {
    fn shape(&self) -> Shape<'_> {
        Shape::Object
    }

    fn field(&self, name: &str) -> Option<&dyn Declared> {
        self.0.contains(&name).then_some(&Anything)
    }

    fn fields(&self) -> Vec<&str> {
        self.0.clone()
    }
}

/// Data of the server's own.
#[derive(Debug)]
enum Known {
    Any,
    Bool,
    Int,
    Text,
    Time,
    Authorizer,
    List(&'static Self),
    Map(&'static Self),
    Object(&'static [(&'static str, Self)]),
}

use Known::{List, Map, Object, Text, Time};

static AUTHORIZER: Known = Known::Authorizer;
const KIND: Known = Object(&[("group", Text), ("version", Text), ("kind", Text)]);
const RESOURCE: Known = Object(&[("group", Text), ("version", Text), ("resource", Text)]);
static REQUEST: Known = Object(&[
    ("kind", KIND),
    ("resource", RESOURCE),
    ("subResource", Text),
    ("requestKind", KIND),
    ("requestResource", RESOURCE),
    ("requestSubResource", Text),
    ("name", Text),
    ("namespace", Text),
    ("operation", Text),
    (
        "userInfo",
        Object(&[("username", Text), ("uid", Text), ("groups", List(&Text)), ("extra", Map(&List(&Text)))]),
    ),
    ("dryRun", Known::Bool),
    ("options", Known::Any),
]);
static NAMESPACE: Known = Object(&[
    (
        "metadata",
        Object(&[
            ("name", Text),
            ("generateName", Text),
            ("namespace", Text),
            ("labels", Map(&Text)),
            ("annotations", Map(&Text)),
            ("UID", Text),
            ("creationTimestamp", Time),
            ("deletionGracePeriodSeconds", Known::Int),
            ("deletionTimestamp", Time),
            ("generation", Known::Int),
            ("resourceVersion", Text),
            ("finalizers", List(&Text)),
        ]),
    ),
    ("spec", Object(&[("finalizers", List(&Text))])),
    (
        "status",
        Object(&[
            (
                "conditions",
                List(&Object(&[
                    ("status", Text),
                    ("type", Text),
                    ("lastTransitionTime", Time),
                    ("message", Text),
                    ("reason", Text),
                ])),
            ),
            ("phase", Text),
        ]),
    ),
]);

impl Declared for Known {
    fn shape(&self) -> Shape<'_> {
        match self {
            Self::Any => Shape::Any,
            Self::Bool => Shape::Bool,
            Self::Int => Shape::Int,
            Self::Text => Shape::Text,
            Self::Time => Shape::Time,
            Self::Authorizer => Shape::Opaque("kubernetes.authorization.Authorizer"),
            Self::List(item) => Shape::List(*item, Listed::Plain),
            Self::Map(value) => Shape::Map(*value),
            Self::Object(_) => Shape::Object,
        }
    }

    fn field(&self, name: &str) -> Option<&dyn Declared> {
        let Self::Object(fields) = self else { return None };
        fields.iter().find(|(known, _)| *known == name).map(|(_, field)| field as &dyn Declared)
    }

    fn fields(&self) -> Vec<&str> {
        let Self::Object(fields) = self else { return Vec::new() };
        fields.iter().map(|(name, _)| *name).collect()
    }
}
