//! Rules of a schema (`x-kubernetes-validations`): read with the schema, parsed when first asked.
//!
//! Invariant: a rule that cannot be parsed here refuses nothing. That a definition holds such a rule is told where
//! definitions are checked.

use crate::expr::{self, Given, Scope};
use crate::kube::CauseKind;
use crate::value::{Node, Segment};
use std::sync::{Arc, OnceLock};

/// One rule.
#[derive(Debug)]
pub(in crate::kube) struct Rule {
    /// The expression.
    pub(in crate::kube) expression: Arc<str>,
    /// What the definition says where it does not hold.
    message: Option<Arc<str>>,
    /// The same, computed.
    pub(in crate::kube) message_expression: Option<Arc<str>>,
    /// What kind of fault it is then.
    pub(super) kind: CauseKind,
    /// The way to the field that is at fault, from where the rule stands.
    pub(super) field: Vec<Segment>,
    /// Whether it is asked when there is no earlier object.
    pub(in crate::kube) optional_old: bool,
    parsed: OnceLock<Parsed>,
}

#[derive(Debug, Default)]
struct Parsed {
    rule: Option<expr::Rule>,
    message: Option<expr::Rule>,
    /// Whether it compares with an earlier object.
    is_transition: bool,
}

/// What `self` is.
struct Own<'a> {
    node: &'a Node,
    declared: &'a dyn expr::Declared,
}

impl Scope for Own<'_> {
    fn variable(&self, _name: &str) -> expr::Found<'_> {
        expr::Found::Absent
    }

    fn given(&self, name: &str) -> Option<Given<'_>> {
        match name {
            "self" => Some(Given::Data(self.node, self.declared)),
            "oldSelf" => Some(Given::Nothing),
            _ => None,
        }
    }

    fn names(&self) -> Vec<Arc<str>> {
        vec!["self".into(), "oldSelf".into()]
    }
}

impl Rule {
    /// Reads one; `None` where there is no expression.
    pub(super) fn read(node: &Node) -> Option<Self> {
        let text =
            |key: &str| node.get(key).and_then(Node::as_str).map(str::trim).filter(|text| !text.is_empty());
        Some(Self {
            expression: text("rule")?.into(),
            message: text("message").map(Arc::from),
            message_expression: text("messageExpression").map(Arc::from),
            kind: match text("reason") {
                Some("FieldValueForbidden") => CauseKind::Forbidden,
                Some("FieldValueRequired") => CauseKind::Required,
                Some("FieldValueDuplicate") => CauseKind::Duplicate,
                _ => CauseKind::Invalid,
            },
            field: text("fieldPath").map(steps).unwrap_or_default(),
            optional_old: node.get("optionalOldSelf").and_then(Node::as_bool) == Some(true),
            parsed: OnceLock::new(),
        })
    }

    fn parsed(&self) -> &Parsed {
        self.parsed.get_or_init(|| {
            let rule = expr::Rule::parse(&self.expression).ok();
            let message = self.message_expression.as_ref();
            Parsed {
                is_transition: rule.as_ref().is_some_and(|rule| rule.reads("oldSelf")),
                rule,
                message: message.and_then(|message| expr::Rule::parse(message).ok()),
            }
        })
    }

    /// What is wrong with a value that is created; `None` where the rule holds, or is not asked.
    pub(super) fn broken(&self, node: &Node, declared: &dyn expr::Declared) -> Option<Broken> {
        let parsed = self.parsed();
        let rule = parsed.rule.as_ref()?;
        if parsed.is_transition && !self.optional_old {
            return None;
        }
        let own = Own { node, declared };
        match rule.holds(&own) {
            Ok(true) => None,
            Ok(false) => {
                let computed = parsed.message.as_ref().and_then(|message| message.text(&own).ok());
                let computed = computed
                    .map(|text| text.trim().to_owned())
                    .filter(|text| !text.is_empty() && !text.contains('\n'));
                let message = computed.or_else(|| self.message.as_ref().map(ToString::to_string));
                Some(Broken::Unmet(message))
            }
            Err(fault) => Some(Broken::Failed(fault)),
        }
    }
}

/// How a rule does not hold.
pub(super) enum Broken {
    /// It is false; what the definition says about that.
    Unmet(Option<String>),
    /// It cannot be evaluated.
    Failed(String),
}

/// The steps of a path such as `.spec.a['b.c']`.
fn steps(path: &str) -> Vec<Segment> {
    let mut found = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix("['") {
            let mut key = String::new();
            let mut chars = inner.char_indices();
            let mut end = inner.len();
            while let Some((at, c)) = chars.next() {
                match c {
                    '\'' => {
                        end = at + 1;
                        break;
                    }
                    '\\' => key.extend(chars.next().map(|(_, c)| c)),
                    _ => key.push(c),
                }
            }
            found.push(Segment::Key(key.into()));
            rest = inner[end..].trim_start_matches(']');
        } else {
            let plain = rest.strip_prefix('.').unwrap_or(rest);
            let end = plain.find(['.', '[']).unwrap_or(plain.len());
            let (key, after) = plain.split_at(end);
            if key.is_empty() {
                break;
            }
            found.push(Segment::Key(key.into()));
            rest = after;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_fields_are_read() {
        let key = |key: &str| Segment::Key(key.into());
        assert_eq!(steps(".spec.a"), [key("spec"), key("a")]);
        assert_eq!(steps(".spec['a.b'].c"), [key("spec"), key("a.b"), key("c")]);
        assert_eq!(steps("['it\\'s']"), [key("it's")]);
        assert_eq!(steps("."), []);
    }
}
