//! Paths into a tree, as users write them: `spec.containers[0].image`, `data["a.b"]`.

use std::fmt;
use std::sync::Arc;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// A member of a map.
    Key(Arc<str>),
    /// An item of a list, from 0.
    Index(usize),
}

/// A path into a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(Vec<Segment>);

impl Path {
    /// The path of these keys.
    pub fn of(keys: &[&str]) -> Self {
        Self(keys.iter().map(|key| Segment::Key(Arc::from(*key))).collect())
    }

    /// The steps, outermost first.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// The steps as plain names, indices as numbers.
    pub fn names(&self) -> Vec<String> {
        let name = |segment: &Segment| match segment {
            Segment::Key(key) => key.to_string(),
            Segment::Index(index) => index.to_string(),
        };
        self.0.iter().map(name).collect()
    }

    /// Adds a step.
    pub fn push(&mut self, segment: Segment) {
        self.0.push(segment);
    }

    /// Takes the last step off.
    pub fn pop(&mut self) -> Option<Segment> {
        self.0.pop()
    }

    /// This path and one key more.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        let mut path = self.clone();
        path.push(Segment::Key(Arc::from(key)));
        path
    }

    /// This path and one index more.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        let mut path = self.clone();
        path.push(Segment::Index(index));
        path
    }

    /// Whether it is the root.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads the written form; `None` where it is malformed.
    pub fn parse(text: &str) -> Option<Self> {
        let mut path = Self::default();
        let mut rest = text;
        let mut first = true;
        while !rest.is_empty() {
            if let Some(inner) = rest.strip_prefix('[') {
                if let Some(quote) = inner.chars().next().filter(|c| matches!(c, '"' | '\'')) {
                    let end = inner[1..].find(quote)? + 1;
                    path.push(Segment::Key(Arc::from(&inner[1..end])));
                    rest = inner[end + 1..].strip_prefix(']')?;
                } else {
                    let end = inner.find(']')?;
                    path.push(Segment::Index(inner[..end].parse().ok()?));
                    rest = &inner[end + 1..];
                }
            } else {
                let body = if first { rest } else { rest.strip_prefix('.')? };
                let end = body.find(['.', '[']).unwrap_or(body.len());
                if end == 0 {
                    return None;
                }
                path.push(Segment::Key(Arc::from(&body[..end])));
                rest = &body[end..];
            }
            first = false;
        }
        Some(path)
    }
}

impl From<Vec<Segment>> for Path {
    fn from(segments: Vec<Segment>) -> Self {
        Self(segments)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(out, "[{index}]")?,
                Segment::Key(key) => {
                    let plain = !key.is_empty()
                        && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '$'));
                    match (plain, at) {
                        (true, 0) => out.write_str(key)?,
                        (true, _) => write!(out, ".{key}")?,
                        (false, _) if key.contains('"') => write!(out, "['{key}']")?,
                        (false, _) => write!(out, "[\"{key}\"]")?,
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_and_parses_the_same_form() {
        for text in ["a", "a.b[0].c-d", "a[\"x.y\"].b", "metadata.annotations[\"example.org/a\"]", "[0][1]"] {
            assert_eq!(Path::parse(text).expect(text).to_string(), text);
        }
        for text in ["a..b", "a[", "a[x]", ".a", "a['b]"] {
            assert_eq!(Path::parse(text), None, "{text}");
        }
    }
}
