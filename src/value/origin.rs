//! Where a value came from, as a chain: newest link first.
//!
//! Most origins are a plain place in a document and cost no allocation. The others are links behind an `Arc`,
//! so that every node of a subtree can share one.

use super::Path;
use crate::source::Span;
use std::sync::Arc;

/// Where a value came from.
#[derive(Clone, Debug, Default)]
pub enum Origin {
    /// Made by the compiler itself, from nothing that a user wrote.
    #[default]
    Compiler,
    /// Written in a document, at this place.
    Written(Span),
    /// Anything with more to say.
    Link(Arc<OriginKind>),
}

/// A link of the chain.
#[derive(Debug)]
pub enum OriginKind {
    /// The `default` of a schema, at the place of the schema that states it.
    Default {
        /// The place of the default in the schema's document.
        schema: Span,
    },
    /// Written at `by`, in place of what was there before (an overlay over its base, a value over a default).
    Overrides {
        /// The place that won.
        by: Span,
        /// What it replaced.
        was: Origin,
    },
    /// The result of a `${...}`.
    Expression {
        /// The expression in the stack's document.
        at: Span,
        /// Every path that it read, in order of reading, each once.
        reads: Vec<Read>,
    },
    /// Changed by a patch.
    Patched {
        /// The patch's own value in the overlay.
        by: Span,
        /// What was there before.
        was: Origin,
    },
    /// Made by a template of a chart.
    Template {
        /// The text of the template that made it; the file of the chart, where that was taken as it is.
        at: Span,
        /// What led there.
        because: Arc<Because>,
    },
    /// Set by a rule of the compiler (a protection annotation, a namespace), named for the user.
    Rule {
        /// The rule, in words.
        rule: &'static str,
        /// What it worked on.
        was: Origin,
    },
}

/// Why a template made a value: the calls and conditions on the way, and the values that were read.
#[derive(Debug)]
pub struct Because {
    /// The release.
    pub release: Arc<str>,
    /// The place that a user would edit to change the release: the instance in the overlay.
    pub instance: Span,
    /// Calls of templates, and conditions and loops, the innermost first.
    pub around: Vec<Around>,
    /// The values that were read to make it, by their path below `.Values`; one that is not set has the compiler for
    /// its origin, one that nobody overrides its chart's [`OriginKind::Default`].
    pub reads: Vec<Read>,
}

/// A call, a condition or a loop of a template.
#[derive(Clone, Debug)]
pub struct Around {
    /// Its place in the template.
    pub at: Span,
    /// Whether it is a call; else it is a condition or a loop.
    pub is_call: bool,
    /// The values that were read for it.
    pub reads: Vec<Read>,
}

impl Because {
    /// The place that a user would edit: that of the one value read which the chart does not set itself, else the release.
    fn editable(&self) -> Span {
        let mut set = self.reads.iter().filter(|read| {
            !matches!(&read.origin, Origin::Link(kind) if matches!(kind.as_ref(), OriginKind::Default { .. }))
        });
        let place = |read: &Read| read.origin.editable();
        match (set.find_map(place), set.find_map(place)) {
            (Some(only), None) => only,
            _ => self.instance,
        }
    }
}

/// A path that an expression read, with the origin of what it found there.
#[derive(Clone, Debug)]
pub struct Read {
    /// `inputs.replicas`, `requires.clusterNetwork.podCIDR`, ...
    pub path: Path,
    /// Where that value came from.
    pub origin: Origin,
}

impl Origin {
    /// A link.
    pub fn link(kind: OriginKind) -> Self {
        Self::Link(Arc::new(kind))
    }

    /// The place to underline: the newest place of the chain.
    pub fn span(&self) -> Option<Span> {
        match self {
            Self::Compiler => None,
            Self::Written(span) => Some(*span),
            Self::Link(kind) => match kind.as_ref() {
                OriginKind::Default { schema } => Some(*schema),
                OriginKind::Overrides { by, .. } | OriginKind::Patched { by, .. } => Some(*by),
                OriginKind::Expression { at, .. } | OriginKind::Template { at, .. } => Some(*at),
                OriginKind::Rule { was, .. } => was.span(),
            },
        }
    }

    /// What this link replaced or worked on, if anything.
    pub fn was(&self) -> Option<&Self> {
        match self {
            Self::Link(kind) => match kind.as_ref() {
                OriginKind::Overrides { was, .. }
                | OriginKind::Patched { was, .. }
                | OriginKind::Rule { was, .. } => Some(was),
                OriginKind::Default { .. } | OriginKind::Expression { .. } | OriginKind::Template { .. } => {
                    None
                }
            },
            Self::Compiler | Self::Written(_) => None,
        }
    }

    /// Whether somebody wrote the value down, rather than a default or the compiler.
    fn is_written(&self) -> bool {
        match self {
            Self::Compiler => false,
            Self::Written(_) => true,
            Self::Link(kind) => !matches!(kind.as_ref(), OriginKind::Default { .. }),
        }
    }

    /// The place that a user would edit to change the value: follows plain reads through expressions, so that a
    /// value that a stack passes on points at the overlay's line. Of several reads the one that somebody wrote down
    /// counts, where the others are defaults; the expression itself where that leaves more than one or none.
    pub fn editable(&self) -> Option<Span> {
        match self {
            Self::Link(kind) => match kind.as_ref() {
                OriginKind::Expression { at, reads } => match reads.as_slice() {
                    [read] => read.origin.editable().or(Some(*at)),
                    reads => {
                        let mut written = reads.iter().filter(|read| read.origin.is_written());
                        match (written.next(), written.next()) {
                            (Some(only), None) => only.origin.editable().or(Some(*at)),
                            _ => Some(*at),
                        }
                    }
                },
                OriginKind::Template { because, .. } => Some(because.editable()),
                OriginKind::Rule { was, .. } => was.editable(),
                _ => self.span(),
            },
            _ => self.span(),
        }
    }
}

impl From<Span> for Origin {
    fn from(span: Span) -> Self {
        Self::Written(span)
    }
}
