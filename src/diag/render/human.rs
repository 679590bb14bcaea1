//! The picture for people, drawn by miette: the fact, the place, the places that explain it, facts, advice.
//!
//! miette is handed a window of the text: it never sees (or copies) the whole of a large file.

use super::{tally, word};
use crate::diag::{Diagnostic, Label, Severity};
use crate::source::{FileId, SourceFile, Sources, Span};
use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode,
    SourceSpan, SpanContents, ThemeCharacters, ThemeStyles,
};
use std::fmt;
use std::sync::Arc;

/// How to draw.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Style {
    /// Colours, by ANSI codes.
    pub color: bool,
    /// The width to wrap at, in columns.
    pub width: usize,
}

impl Default for Style {
    fn default() -> Self {
        Self { color: false, width: 110 }
    }
}

/// Findings as people read them, with a closing line that counts them.
pub fn human(found: &[Diagnostic], sources: &Sources, style: Style) -> String {
    let mut out = String::new();
    let styles = if style.color { ThemeStyles::ansi() } else { ThemeStyles::none() };
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme { characters: characters(), styles })
        .with_width(style.width)
        .with_context_lines(1)
        .with_links(false)
        .without_cause_chain()
        .with_wrap_lines(false)
        .with_show_related_as_nested(false);
    for finding in found {
        let drawn = Drawn::of(finding, sources, style);
        out.push_str(&drawn.head);
        out.push('\n');
        for frame in &drawn.frames {
            if frame.is_too_wide() {
                frame.put_places(&mut out);
                continue;
            }
            let mut picture = String::new();
            if handler.render_report(&mut picture, frame).is_ok() {
                // The first line of miette's picture is the (empty) message of the frame.
                out.extend(
                    picture.lines().skip_while(|line| !line.contains('╭')).flat_map(|line| [line, "\n"]),
                );
            }
        }
        out.push_str(&drawn.foot);
        out.push('\n');
    }
    let tally = tally(found);
    if !tally.is_empty() {
        out.push_str(&tally);
        out.push('\n');
    }
    out
}

fn characters() -> ThemeCharacters {
    ThemeCharacters {
        error: String::new(),
        warning: String::new(),
        advice: String::new(),
        ..ThemeCharacters::unicode()
    }
}

/// A finding made ready: one frame for each file that it points into.
struct Drawn {
    head: String,
    frames: Vec<Frame>,
    foot: String,
}

impl Drawn {
    fn of(finding: &Diagnostic, sources: &Sources, style: Style) -> Self {
        let paint = |code: &str, text: &str| {
            if style.color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
        };
        let tone = if finding.severity == Severity::Error { "1;31" } else { "1;33" };
        let head = format!(
            "{}: {}",
            paint(tone, &format!("{}[{}]", word(finding.severity), finding.code)),
            paint("1", &finding.message)
        );
        let mut frames: Vec<Frame> = Vec::new();
        for (index, label) in finding.primary.iter().chain(&finding.related).enumerate() {
            let primary = index == 0 && finding.primary.is_some();
            match frames.iter_mut().find(|frame| frame.file == label.span.file) {
                Some(frame) => frame.labels.push((label.clone(), primary)),
                None => frames.push(Frame {
                    file: label.span.file,
                    text: Window(sources.get(label.span.file)),
                    labels: vec![(label.clone(), primary)],
                    severity: finding.severity,
                }),
            }
        }
        let mut foot = String::new();
        let mut line = |kind: &str, text: &str| {
            // Lines of advice are to be pasted: they keep their own columns.
            let indent = " ".repeat(if kind == "help" { 0 } else { kind.len() + 5 });
            let body = text.lines().collect::<Vec<_>>().join(&format!("\n{indent}"));
            foot.push_str(&format!("  {} {body}\n", paint("36", &format!("= {kind}:"))));
        };
        if let Some(environment) = &finding.environment {
            line("environment", environment);
        }
        if let Some(object) = &finding.object {
            line("object", object);
        }
        for text in &finding.trace {
            line("while", text.strip_prefix("while ").unwrap_or(text));
        }
        for text in &finding.notes {
            line("note", text);
        }
        for text in &finding.helps {
            line("help", text);
        }
        Self { head, frames, foot }
    }
}

/// What miette draws: the labels in one file.
#[derive(Debug)]
struct Frame {
    file: FileId,
    text: Window,
    labels: Vec<(Label, bool)>,
    severity: Severity,
}

/// Lines longer than this are not drawn: nobody reads them, and a text may be one line of megabytes.
const WIDEST: usize = 4000;

impl Frame {
    /// Whether a line that would be drawn is too long to be read.
    fn is_too_wide(&self) -> bool {
        self.labels.iter().any(|(label, _)| {
            let span = self.text.visible(label.span);
            self.text.lines(&span, 1).is_none_or(|shown| shown.lines().any(|line| line.len() > WIDEST))
        })
    }

    /// The places with their words, in place of the picture.
    fn put_places(&self, out: &mut String) {
        for (label, _) in &self.labels {
            let at = self.text.0.line_column(label.span.start);
            let text = if label.text.is_empty() { String::new() } else { format!(": {}", label.text) };
            out.push_str(&format!("   ╭─[{}:{}:{}]{text}\n", self.text.0.name(), at.line, at.column));
        }
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, _out: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Frame {}

impl miette::Diagnostic for Frame {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.text)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().map(|(label, primary)| {
            let text = Some(label.text.clone()).filter(|text| !text.is_empty());
            let span = self.text.visible(label.span);
            if *primary {
                LabeledSpan::new_primary_with_span(text, span)
            } else {
                LabeledSpan::new_with_span(text, span)
            }
        })))
    }
}

/// A text of which only the lines around a span are shown.
#[derive(Debug)]
struct Window(Arc<SourceFile>);

/// Underlines that run over many lines are cut to their first.
const LONGEST: usize = 3;

impl Window {
    /// The part of a span that is worth drawing: its first line where it is long.
    fn visible(&self, span: Span) -> SourceSpan {
        let text = self.0.text();
        let start = (span.start as usize).min(text.len());
        let mut end = (span.end as usize).clamp(start, text.len());
        if let Some(body) = text.get(start..end) {
            if body.matches('\n').count() >= LONGEST {
                end = start + body.find('\n').unwrap_or(0);
            } else {
                end = start + body.trim_end().len();
            }
        }
        (start, end - start).into()
    }

    fn clip(&self, offset: usize) -> u32 {
        u32::try_from(offset.min(self.0.text().len())).unwrap_or(u32::MAX)
    }

    /// The lines of a span with `around` more on each side.
    fn lines(&self, span: &SourceSpan, around: usize) -> Option<&str> {
        let first = self.0.line_column(self.clip(span.offset())).line.saturating_sub(around).max(1);
        let last = self.0.line_column(self.clip(span.offset() + span.len())).line + around;
        let start = self.0.line_start(first);
        let end = self.0.line_start(last + 1).max(start);
        self.0.text().get(start..end)
    }
}

impl SourceCode for Window {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let text = self.0.text();
        let at = self.0.line_column(self.clip(span.offset()));
        let first = at.line.saturating_sub(before).max(1);
        // Without context miette asks only for the place that it prints in the frame's head.
        let column = if before == 0 { at.column - 1 } else { 0 };
        let last = self.0.line_column(self.clip(span.offset() + span.len())).line + after;
        let start = self.0.line_start(first);
        let end = self.0.line_start(last + 1).max(start);
        Ok(Box::new(MietteSpanContents::new_named(
            self.0.name().to_owned(),
            &text.as_bytes()[start..end],
            (start, end - start).into(),
            first - 1,
            column,
            1,
        )))
    }
}
