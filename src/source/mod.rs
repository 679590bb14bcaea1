//! Texts and places in them.
//!
//! Every text that a diagnostic may point at (files, values from the command line, rendered templates) is added
//! to [`Sources`] once and named by a [`FileId`]; a [`Span`] is twelve bytes and `Copy`. Ids are handed out in
//! the order of arrival, which depends on threads: nothing may sort by them, use [`Sources::name`].

use std::sync::{Arc, OnceLock, RwLock};

/// A text held by [`Sources`].
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u32);

/// A byte range in one text.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The text.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The range `start..end` of `file`; offsets beyond 4 GiB saturate.
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self { file, start: narrow(start), end: narrow(end.max(start)) }
    }

    /// The smallest span that covers both; `self` where they lie in different texts.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        if self.file == other.file {
            Self { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
        } else {
            self
        }
    }

    /// The empty span at its start.
    #[must_use]
    pub fn head(self) -> Self {
        Self { end: self.start, ..self }
    }

    /// The range `from..to` counted from this span's start, clipped to it.
    #[must_use]
    pub fn slice(self, from: usize, to: usize) -> Self {
        let base = self.start as usize;
        let end = self.end as usize;
        Self::new(self.file, (base + from).min(end), (base + to).min(end))
    }
}

/// A line and a column, both from 1; the column counts characters.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineColumn {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// One text with its name and, once asked for, its line starts.
#[derive(Debug)]
pub struct SourceFile {
    name: Arc<str>,
    text: Arc<str>,
    lines: OnceLock<Vec<u32>>,
}

impl SourceFile {
    /// The name shown to users: a path relative to the project, `--set`, or a rendered template's path.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn lines(&self) -> &[u32] {
        self.lines.get_or_init(|| {
            std::iter::once(0)
                .chain(
                    memchr::memchr_iter(b'\n', self.text.as_bytes())
                        .map(|at| u32::try_from(at + 1).unwrap_or(u32::MAX)),
                )
                .collect()
        })
    }

    /// Line and column of a byte offset; offsets past the end give the end.
    pub fn line_column(&self, offset: u32) -> LineColumn {
        let offset = offset.min(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
        let lines = self.lines();
        let index = lines.partition_point(|&start| start <= offset).saturating_sub(1);
        let start = lines[index] as usize;
        let column = self.text.get(start..offset as usize).map_or(1, |before| before.chars().count() + 1);
        LineColumn { line: index + 1, column }
    }

    /// The byte at which line `line` (from 1) starts; the text's length past its last line.
    pub fn line_start(&self, line: usize) -> usize {
        self.lines().get(line.wrapping_sub(1)).map_or(self.text.len(), |&start| start as usize)
    }

    /// The text of line `line` (from 1) without its break; empty past the end.
    pub fn line(&self, line: usize) -> &str {
        let lines = self.lines();
        let Some(&start) = lines.get(line.wrapping_sub(1)) else { return "" };
        let end = lines.get(line).map_or(self.text.len(), |&next| next as usize - 1);
        self.text.get(start as usize..end).unwrap_or("").trim_end_matches('\r')
    }
}

/// All texts of one run; shared by threads, only ever grows.
#[derive(Debug, Default)]
pub struct Sources {
    files: RwLock<Vec<Arc<SourceFile>>>,
}

impl Sources {
    /// An empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text under the name that users will read.
    pub fn add(&self, name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> FileId {
        let file = Arc::new(SourceFile { name: name.into(), text: text.into(), lines: OnceLock::new() });
        let mut files = self.files.write().expect("no thread panics while it holds the sources");
        let id = FileId(u32::try_from(files.len()).expect("fewer than four billion texts"));
        files.push(file);
        id
    }

    /// The text behind an id.
    pub fn get(&self, id: FileId) -> Arc<SourceFile> {
        let files = self.files.read().expect("no thread panics while it holds the sources");
        Arc::clone(&files[id.0 as usize])
    }

    /// The name behind an id.
    pub fn name(&self, id: FileId) -> Arc<str> {
        Arc::clone(&self.get(id).name)
    }

    /// The text of a span; empty where the span does not lie on character borders.
    pub fn snippet(&self, span: Span) -> String {
        self.get(span.file).text.get(span.start as usize..span.end as usize).unwrap_or("").to_owned()
    }

    /// `name:line:column` of a span's start.
    pub fn place(&self, span: Span) -> String {
        let file = self.get(span.file);
        let at = file.line_column(span.start);
        format!("{}:{}:{}", file.name, at.line, at.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one_and_in_characters() {
        let sources = Sources::new();
        let id = sources.add("a.yaml", "ä: 1\nb: 2\n");
        let file = sources.get(id);
        assert_eq!(file.line_column(0), LineColumn { line: 1, column: 1 });
        assert_eq!(file.line_column(2), LineColumn { line: 1, column: 2 });
        assert_eq!(file.line_column(6), LineColumn { line: 2, column: 1 });
        assert_eq!(file.line_column(999), LineColumn { line: 3, column: 1 });
        assert_eq!(file.line(2), "b: 2");
        assert_eq!(file.line(9), "");
        assert_eq!(sources.place(Span::new(id, 6, 7)), "a.yaml:2:1");
        assert_eq!(sources.snippet(Span::new(id, 6, 10)), "b: 2");
    }
}
