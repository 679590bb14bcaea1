//! The registry of diagnostic codes: words, each documented in `docs/codes/<code>.md`.

use std::borrow::Cow;
use std::fmt;

/// The name of a kind of finding. Checks of stacks bring their own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(Cow<'static, str>);

impl Code {
    /// The code of a stack's own check.
    pub fn of_check(id: &str) -> Self {
        Self(Cow::Owned(id.to_owned()))
    }

    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)*) => {
        /// Every code of the compiler itself, in alphabetical order.
        pub mod codes {
            use super::{Code, Cow};
            $($(#[$doc])* pub const $name: Code = Code(Cow::Borrowed($word));)*

            /// All of them.
            pub const ALL: &[Code] = &[$($name),*];
        }
    };
}

codes! {
    /// A requirement that several providers could meet.
    AMBIGUOUS_CAPABILITY = "ambiguous-capability";
    /// A database backup to object storage that names no credentials.
    BACKUP_WITHOUT_CREDENTIALS = "backup-without-credentials";
    /// A patch that cannot be applied to its target.
    BAD_PATCH = "bad-patch";
    /// The branch that is committed to is what a work tree shows.
    BRANCH_CHECKED_OUT = "branch-checked-out";
    /// Two providers of what a cluster can have once.
    CAPABILITY_CONFLICT = "capability-conflict";
    /// A chart package that cannot be loaded.
    CHART_MALFORMED = "chart-malformed";
    /// Units that wait for each other in a circle.
    CYCLE = "cycle";
    /// The journal of an interrupted build cannot be read.
    DAMAGED_JOURNAL = "damaged-journal";
    /// The list of files that stackc wrote cannot be read.
    DAMAGED_LIST = "damaged-list";
    /// What a stack declares of its charts is not what they bring.
    DECLARES_DIFFER = "declares-differ";
    /// A null in an overlay that has nothing to delete.
    DELETES_NOTHING = "deletes-nothing";
    /// A package that is not the one that was pinned.
    DIGEST_MISMATCH = "digest-mismatch";
    /// Two things with one name.
    DUPLICATE_NAME = "duplicate-name";
    /// One object is made twice in an environment.
    DUPLICATE_OBJECT = "duplicate-object";
    /// Two units of an environment would have one name.
    DUPLICATE_UNIT = "duplicate-unit";
    /// A file of the output was changed since stackc wrote it.
    EDITED_BY_HAND = "edited-by-hand";
    /// An encrypted object that does not say which namespace it is for.
    ENCRYPTED_WITHOUT_NAMESPACE = "encrypted-without-namespace";
    /// Exports that read each other in a loop.
    EXPORT_LOOP = "export-loop";
    /// An export that is not of its capability's type.
    EXPORT_TYPE = "export-type";
    /// A function that does not exist, or is called in a wrong way.
    EXPRESSION_FUNCTION = "expression-function";
    /// An expression that nests too deep or makes too much.
    EXPRESSION_LIMIT = "expression-limit";
    /// A key or item that an expression reads and that is not there.
    EXPRESSION_MISSING_KEY = "expression-missing-key";
    /// An expression that YAML cut apart because it is not in quotes.
    EXPRESSION_NEEDS_QUOTES = "expression-needs-quotes";
    /// `omit` where it cannot stand.
    EXPRESSION_OMIT = "expression-omit";
    /// A number that does not fit 64 bits.
    EXPRESSION_OVERFLOW = "expression-overflow";
    /// Text in `${...}` that is no expression.
    EXPRESSION_SYNTAX = "expression-syntax";
    /// A value of a type that an operator, a function or a place does not take.
    EXPRESSION_TYPE = "expression-type";
    /// A value of the right type that cannot be used.
    EXPRESSION_VALUE = "expression-value";
    /// Overlays that extend each other in a loop.
    EXTENDS_LOOP = "extends-loop";
    /// A file that would be written exists already.
    FILE_EXISTS = "file-exists";
    /// A file that stackc did not write stands where it would write one.
    FOREIGN_FILE = "foreign-file";
    /// A chart that cannot be rendered as it is configured.
    HELM_CHART = "helm-chart";
    /// Values that a chart's schema does not allow.
    HELM_SCHEMA = "helm-schema";
    /// A chart's template that does not parse or fails.
    HELM_TEMPLATE = "helm-template";
    /// What a chart rendered is no YAML.
    HELM_YAML = "helm-yaml";
    /// A hook of a chart that a tree cannot carry.
    HOOK_UNSUPPORTED = "hook-unsupported";
    /// A range of versions where one version has to be named.
    INEXACT_VERSION = "inexact-version";
    /// A fault of the compiler itself.
    INTERNAL = "internal";
    /// A value of an object that an API server would refuse.
    INVALID_FIELD = "invalid-field";
    /// A name or label that Kubernetes does not take.
    INVALID_NAME = "invalid-name";
    /// Something that is no Kubernetes object.
    INVALID_OBJECT = "invalid-object";
    /// A schema of inputs that says what it cannot say.
    INVALID_SCHEMA = "invalid-schema";
    /// A value of the right type that means nothing.
    INVALID_VALUE = "invalid-value";
    /// `stackc.lock` is not what stackc writes.
    LOCK_MALFORMED = "lock-malformed";
    /// `stackc.lock` would have to change, and may not.
    LOCK_OUTDATED = "lock-outdated";
    /// A key that has to be there.
    MISSING_FIELD = "missing-field";
    /// A file that is referred to and does not exist.
    MISSING_FILE = "missing-file";
    /// An input that has to be given and is not.
    MISSING_INPUT = "missing-input";
    /// A key that a Secret or ConfigMap does not have.
    MISSING_KEY = "missing-key";
    /// Something that needs a namespace and has none.
    MISSING_NAMESPACE = "missing-namespace";
    /// A port that a Service does not have.
    MISSING_PORT = "missing-port";
    /// A reference into another namespace that nothing there allows.
    MISSING_REFERENCE_GRANT = "missing-reference-grant";
    /// A Secret that a stack needs is not there.
    MISSING_SECRET = "missing-secret";
    /// Several replicas that nothing keeps apart.
    MISSING_SPREAD = "missing-spread";
    /// A named port that Pods behind a Service do not have.
    MISSING_TARGET_PORT = "missing-target-port";
    /// A document whose name is not its folder's.
    NAME_MISMATCH = "name-mismatch";
    /// A namespace that nobody creates.
    NAMESPACE_MISSING = "namespace-missing";
    /// A Secret among the encrypted ones that is not encrypted.
    NOT_ENCRYPTED = "not-encrypted";
    /// A package that `stackc.lock` does not pin.
    NOT_LOCKED = "not-locked";
    /// The tree of an environment that is no more.
    ORPHANED_TREE = "orphaned-tree";
    /// The tree on disk is not what a build writes.
    OUTPUT_DRIFT = "output-drift";
    /// A file would be written outside its folder, or twice.
    OUTPUT_PATH = "output-path";
    /// A package that cannot be had.
    PACKAGE_UNAVAILABLE = "package-unavailable";
    /// A patch that makes another object of its target.
    PATCH_CHANGES_IDENTITY = "patch-changes-identity";
    /// A patch whose target does not exist.
    PATCH_MATCHES_NOTHING = "patch-matches-nothing";
    /// A placeholder of a secret inside an object.
    PLACEHOLDER_IN_OBJECT = "placeholder-in-object";
    /// A Secret in plain text.
    PLAIN_SECRET = "plain-secret";
    /// A chart whose output changes from build to build.
    RANDOM_OUTPUT = "random-output";
    /// An expression that reads what a later stage computes.
    READS_AHEAD = "reads-ahead";
    /// An input with a name that means something else.
    RESERVED_NAME = "reserved-name";
    /// A route that its Gateway does not admit.
    ROUTE_NOT_ADMITTED = "route-not-admitted";
    /// A custom resource that breaks a rule of its definition.
    RULE_VIOLATED = "rule-violated";
    /// A key of a Secret that is required in two forms.
    SECRET_CONFLICT = "secret-conflict";
    /// A selector that fits no Pods, beside Pods that it was meant for.
    SELECTS_NOTHING = "selects-nothing";
    /// A variable that hides a name in scope.
    SHADOWED_NAME = "shadowed-name";
    /// A file of a machine that is larger than its reader takes.
    TOO_LARGE = "too-large";
    /// Something that the chosen delivery cannot carry.
    UNDELIVERABLE = "undeliverable";
    /// A value that `stackc set` cannot change without changing more.
    UNEDITABLE = "uneditable";
    /// A capability that nobody has described.
    UNKNOWN_CAPABILITY = "unknown-capability";
    /// An environment that the project does not have.
    UNKNOWN_ENVIRONMENT = "unknown-environment";
    /// A field that a kind of object does not have.
    UNKNOWN_FIELD = "unknown-field";
    /// An instance that the environment does not have.
    UNKNOWN_INSTANCE = "unknown-instance";
    /// A key that nothing knows.
    UNKNOWN_KEY = "unknown-key";
    /// A kind of object that nothing in the environment brings.
    UNKNOWN_KIND = "unknown-kind";
    /// A name that nothing in scope has.
    UNKNOWN_NAME = "unknown-name";
    /// A package that no environment wants.
    UNKNOWN_PACKAGE = "unknown-package";
    /// A Git revision that does not exist, or a name that no branch can have.
    UNKNOWN_REVISION = "unknown-revision";
    /// A chart source that nobody has defined.
    UNKNOWN_SOURCE = "unknown-source";
    /// A stack that does not exist.
    UNKNOWN_STACK = "unknown-stack";
    /// A unit is named that is not there.
    UNKNOWN_UNIT = "unknown-unit";
    /// A value that no template of its chart reads.
    UNREAD_VALUE = "unread-value";
    /// A file that is needed does not exist or cannot be read.
    UNREADABLE_FILE = "unreadable-file";
    /// A requirement that nothing in the environment meets.
    UNRESOLVED_CAPABILITY = "unresolved-capability";
    /// A reference to an object that is nowhere.
    UNRESOLVED_REFERENCE = "unresolved-reference";
    /// A Kubernetes older than what delivers to it supports.
    UNSUPPORTED_KUBERNETES = "unsupported-kubernetes";
    /// A Git repository that cannot be opened or written.
    UNUSABLE_REPOSITORY = "unusable-repository";
    /// A value that cannot be written as YAML.
    UNWRITABLE = "unwritable";
    /// A file or folder could not be written.
    UNWRITABLE_FILE = "unwritable-file";
    /// A file of the output could not be written.
    UNWRITTEN = "unwritten";
    /// A wildcard certificate from an issuer that cannot prove it.
    WILDCARD_NEEDS_DNS01 = "wildcard-needs-dns01";
    /// A file that holds another kind of document.
    WRONG_DOCUMENT = "wrong-document";
    /// A SopsSecret that the cluster's operator cannot decrypt.
    WRONG_RECIPIENTS = "wrong-recipients";
    /// A value of the wrong type.
    WRONG_TYPE = "wrong-type";
    /// A key that is set twice in one YAML map.
    YAML_DUPLICATE_KEY = "yaml-duplicate-key";
    /// Text that is not YAML as Kubernetes reads it.
    YAML_SYNTAX = "yaml-syntax";
}
