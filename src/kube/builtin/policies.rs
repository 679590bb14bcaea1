//! Admission policies and their bindings.

use super::expressions::{self, Params, Use};
use super::hooks::{
    FAILURE_POLICIES, REINVOCATION_POLICIES, check_conditions, check_matching, check_named_rule, optional,
};
use super::{path_segment, require};
use crate::kube::formats::{
    check, check_label_selector, check_text, dns_1035_label, dns_subdomain, qualified_name,
};
use crate::kube::{Causes, Field};
use std::collections::BTreeSet;

const MOST_ANNOTATIONS: usize = 20;
const LONGEST_ANNOTATION: usize = 5 * 1024;
const MUTATING_OPERATIONS: &[&str] = &["*", "CONNECT", "CREATE", "UPDATE"];
/// `ValidatingAdmissionPolicy`.
pub(super) fn validating(object: Field<'_, '_>, causes: &mut Causes) {
    let (spec, metadata) = (object.key("spec"), object.key("metadata"));
    let params = check_common(spec, causes);
    let (validations, annotations) = (spec.key("validations"), spec.key("auditAnnotations"));
    if validations.count() + annotations.count() == 0 {
        causes.required(validations, "`validations` or `auditAnnotations` is needed");
        causes.required(annotations, "`validations` or `auditAnnotations` is needed");
        return;
    }
    let variables = spec.key("variables");
    for validation in validations.items() {
        check_validation(validation, variables, params, causes);
    }
    if annotations.count() > MOST_ANNOTATIONS {
        causes.invalid(annotations, format!("{} items, {MOST_ANNOTATIONS} are allowed", annotations.count()));
    }
    let mut keys = BTreeSet::new();
    let name = metadata.key("name").text();
    for annotation in annotations.items() {
        let (key, value) = (annotation.key("key"), annotation.key("valueExpression"));
        if name.is_empty() {
            causes.invalid(key, "the policy has no name to put before it");
        } else {
            check_text(key, &format!("{name}/{}", key.text()), qualified_name, causes);
        }
        let text = value.text().trim();
        if text.is_empty() {
            causes.required(value, "an annotation needs an expression");
        } else if text.len() > LONGEST_ANNOTATION {
            causes.required(value, format!("more than {LONGEST_ANNOTATION} characters"));
        } else {
            expressions::check(value, Use::Annotation, params, variables, causes);
        }
        if !keys.insert(key.text()) {
            causes.duplicate(key, format!("`{}` stands before", key.text()));
        }
    }
}

/// What both kinds of policies have.
fn check_common(spec: Field<'_, '_>, causes: &mut Causes) -> Params {
    optional(spec.key("failurePolicy"), FAILURE_POLICIES, causes);
    let kind = spec.key("paramKind");
    let params = if kind.is_set() { Params::Some } else { Params::None };
    if kind.is_set() {
        check_kind(kind, causes);
    }
    let constraints = spec.key("matchConstraints");
    if constraints.is_set() {
        check_resources(constraints, causes);
        if constraints.key("resourceRules").count() == 0 {
            causes.required(constraints.key("resourceRules"), "at least one is needed");
        }
    } else {
        causes.required(constraints, "a policy tells which resources it is about");
    }
    check_conditions(spec.key("matchConditions"), params, causes);
    let variables = spec.key("variables");
    for (index, variable) in variables.items().enumerate() {
        let (name, expression) = (variable.key("name"), variable.key("expression"));
        if name.text().trim().is_empty() {
            causes.required(name, "a variable has a name");
        } else if !is_identifier(name.text()) {
            causes.invalid(name, format!("`{}` is no identifier of CEL", name.text()));
        }
        if expression.text().trim().is_empty() {
            causes.required(expression, "a variable has an expression");
        } else {
            expressions::check(expression, Use::Variable(index), params, variables, causes);
        }
    }
    params
}

fn is_identifier(text: &str) -> bool {
    crate::kube::formats::c_identifier(text).is_ok() && !crate::expr::RESERVED.contains(&text)
}

fn check_kind(kind: Field<'_, '_>, causes: &mut Causes) {
    let (api_version, name) = (kind.key("apiVersion"), kind.key("kind"));
    let text = api_version.text();
    if require(api_version, causes) {
        let (group, version) = text.split_once('/').unwrap_or(("", text));
        if version.contains('/') {
            causes.invalid(api_version, format!("`{text}` is no group with a version"));
        } else {
            if !group.is_empty() {
                check_text(api_version, group, dns_subdomain, causes);
            }
            if version.is_empty() {
                causes.invalid(api_version, format!("`{text}` has no version"));
            } else {
                check_text(api_version, version, dns_1035_label, causes);
            }
        }
    }
    if require(name, causes) {
        check_text(name, &name.text().to_lowercase(), dns_1035_label, causes);
    }
}

fn check_resources(resources: Field<'_, '_>, causes: &mut Causes) {
    check_matching(resources, causes);
    for key in ["resourceRules", "excludeResourceRules"] {
        for rule in resources.key(key).items() {
            check_named_rule(rule, causes);
        }
    }
}

fn check_validation(
    validation: Field<'_, '_>,
    variables: Field<'_, '_>,
    params: Params,
    causes: &mut Causes,
) {
    let (expression, message) = (validation.key("expression"), validation.key("message"));
    if expression.text().trim().is_empty() {
        causes.required(expression, "a validation needs an expression");
    } else {
        expressions::check(expression, Use::Validation, params, variables, causes);
    }
    let computed = validation.key("messageExpression");
    if computed.text().is_empty() {
    } else if computed.text().trim().is_empty() {
        causes.invalid(computed, "is made of blanks");
    } else {
        expressions::check(computed, Use::Message, params, variables, causes);
    }
    if message.text().is_empty() {
    } else if message.text().trim().is_empty() {
        causes.invalid(message, "is made of blanks");
    } else if message.text().trim().contains(['\n', '\r']) {
        causes.invalid(message, "has more than one line");
    }
    optional(validation.key("reason"), &["Forbidden", "Invalid", "RequestEntityTooLarge"], causes);
}

/// `MutatingAdmissionPolicy`.
pub(super) fn mutating(object: Field<'_, '_>, causes: &mut Causes) {
    let spec = object.key("spec");
    check_common(spec, causes);
    check_operations(spec.key("matchConstraints"), causes);
    let mutations = spec.key("mutations");
    if mutations.count() == 0 {
        causes.required(mutations, "at least one is needed");
    }
    for mutation in mutations.items() {
        check_mutation(mutation, causes);
    }
    let policy = spec.key("reinvocationPolicy");
    if require(policy, causes) {
        causes.one_of(policy, policy.text(), REINVOCATION_POLICIES);
    }
}

/// Deletions are not changed.
fn check_operations(resources: Field<'_, '_>, causes: &mut Causes) {
    for rule in resources.key("resourceRules").items() {
        for operation in rule.key("operations").items() {
            causes.one_of(operation, operation.text(), MUTATING_OPERATIONS);
        }
    }
}

fn check_mutation(mutation: Field<'_, '_>, causes: &mut Causes) {
    let kind = mutation.key("patchType");
    if !require(kind, causes) {
        return;
    }
    let (own, other) = match kind.text() {
        "JSONPatch" => ("jsonPatch", "applyConfiguration"),
        "ApplyConfiguration" => ("applyConfiguration", "jsonPatch"),
        text => {
            causes.unsupported(kind, text, &["ApplyConfiguration", "JSONPatch"]);
            return;
        }
    };
    if mutation.key(own).is_set() {
        let patch = mutation.key(own);
        let expression = patch.key("expression");
        // It makes objects, which the expressions here do not: it is not looked into.
        if expression.text().trim().is_empty() {
            causes.required(expression, "a mutation needs an expression");
        }
    } else {
        causes.required(mutation.key(own), format!("the type of the patch is `{}`", kind.text()));
    }
    if mutation.key(other).is_set() {
        causes.invalid(mutation.key(other), format!("the type of the patch is `{}`", kind.text()));
    }
}

/// `ValidatingAdmissionPolicyBinding`.
pub(super) fn validating_binding(object: Field<'_, '_>, causes: &mut Causes) {
    let spec = object.key("spec");
    check_binding(spec, causes);
    let actions = spec.key("validationActions");
    let mut seen = BTreeSet::new();
    for action in actions.items() {
        causes.one_of(action, action.text(), &["Audit", "Deny", "Warn"]);
        if !seen.insert(action.text()) {
            causes.duplicate(action, format!("`{}` stands twice", action.text()));
        }
    }
    if seen.contains("Deny") && seen.contains("Warn") {
        causes.invalid(actions, "`Deny` and `Warn` exclude each other");
    }
    if seen.is_empty() {
        causes.required(actions, "at least one is needed");
    }
}

/// `MutatingAdmissionPolicyBinding`.
pub(super) fn mutating_binding(object: Field<'_, '_>, causes: &mut Causes) {
    let spec = object.key("spec");
    check_binding(spec, causes);
    check_operations(spec.key("matchResources"), causes);
}

fn check_binding(spec: Field<'_, '_>, causes: &mut Causes) {
    if require(spec.key("policyName"), causes) {
        check(spec.key("policyName"), dns_subdomain, causes);
    }
    check_resources(spec.key("matchResources"), causes);
    let reference = spec.key("paramRef");
    if !reference.is_set() {
        return;
    }
    let (name, selector) = (reference.key("name"), reference.key("selector"));
    check(name, path_segment, causes);
    check_label_selector(selector, causes);
    if !name.text().is_empty() && selector.is_set() {
        causes.forbidden(name, "`name` and `selector` exclude each other");
        causes.forbidden(selector, "`name` and `selector` exclude each other");
    }
    if name.text().is_empty() && !selector.is_set() {
        causes.required(reference, "`name` or `selector` is needed");
    }
    let missing = reference.key("parameterNotFoundAction");
    if require(missing, causes) {
        causes.one_of(missing, missing.text(), &["Deny", "Allow"]);
    }
}
