//! Templates that functions execute: `include` and `tpl`.
//!
//! Both write to the render's one buffer and cut their text off its end.

use super::ctx::Ctx;
use super::error::{FuncError, MARK_END, MARK_START};
use super::exec::NO_VALUE;
use crate::helm::strconv::{quote, shown};
use crate::helm::value::{Str, Value};

/// Memory that one byte of a text given to `tpl` may take once it is parsed, a part of the limit on bytes made: a tree
/// is up to fifty times as large as its text, and the whole render has to stay below twice the limit.
const PARSED_SIZE: u64 = 32;

/// How often one name may be included within itself (engine.go, `recursionMaxNums`).
const MAX_INCLUDES: u32 = 1000;

impl Ctx<'_> {
    /// `include`: the text of a named template on `data`.
    pub(crate) fn include(&mut self, name: &Str, data: &Value) -> Result<Value, FuncError> {
        let count = self.included.entry(name.clone()).or_insert(0);
        if *count > MAX_INCLUDES {
            let mut message = b"rendering template has a nested reference name: ".to_vec();
            message.extend_from_slice(&shown(name));
            message.extend_from_slice(b": unable to execute template");
            return Err(FuncError::message(message));
        }
        *count += 1;
        let Some(template) = self.set.get(name) else {
            let mut message = b"template: no template ".to_vec();
            message.extend_from_slice(&quote(name));
            message.extend_from_slice(b" associated with template \"gotpl\"");
            return Err(FuncError::Unknown(shown(&message).into_owned().into(), self.set.meant(name)));
        };
        let from = self.out.len();
        let opened = self.recorder.as_mut().map(|r| r.open(data));
        let result = self.execute(&template, data, opened.map_or(0, |(_, evidence)| evidence));
        if let Some(count) = self.included.get_mut(name.as_bytes()) {
            *count -= 1;
        }
        result.map_err(FuncError::Template)?;
        let text = Str::new(&self.out[from..]);
        if let (Some(recorder), Some((spans, _))) = (&mut self.recorder, opened) {
            recorder.close(spans, from, &text);
        }
        self.out.truncate(from);
        Ok(Value::String(text))
    }

    /// `tpl`: the text of a string as a template. What it defines can be included while it runs.
    pub(crate) fn tpl(&mut self, text: &Str, data: &Value) -> Result<Value, FuncError> {
        let quoted = |head: &[u8], tail: &[u8]| {
            let mut out = head.to_vec();
            out.extend_from_slice(&quote(text));
            out.extend_from_slice(tail);
            out
        };
        // Most values given to `tpl` hold no action: they are their own text.
        if memchr::memmem::find(text, b"{{").is_none() && memchr::memmem::find(text, NO_VALUE).is_none() {
            return Ok(Value::String(text.clone()));
        }
        // A new text is parsed into a tree of many times its size.
        if self.set.knows(text) {
            self.spend(text.len() as u64 / 256)?;
        } else {
            self.spend(text.len() as u64 / 8)?;
            self.parsed = self.parsed.saturating_add(text.len());
            if self.parsed as u64 > self.limits.bytes / PARSED_SIZE {
                return Err(FuncError::Limit("8 MiB of text that `tpl` parses"));
            }
            self.charge(text.len().saturating_mul(16).saturating_add(2048).min(self.limits.string))?;
        }
        let inline = self.set.inline(text).map_err(|error| {
            let mut message = quoted(b"cannot parse template ", b": ");
            message.extend(error.text(b"gotpl"));
            FuncError::message(message)
        })?;
        let inner = self.set.with(&inline);
        let outer = std::mem::replace(&mut self.set, inner);
        let from = self.out.len();
        let opened = self.recorder.as_mut().map(|r| r.open(data));
        let result = self.execute(&inline.body, data, opened.map_or(0, |(_, evidence)| evidence));
        self.set = outer;
        result.map_err(|error| {
            FuncError::Wrapped(quoted(b"error during tpl function execution for ", b": ").into(), error)
        })?;
        let made = without_no_value(&self.out[from..]).map_or_else(|| Str::new(&self.out[from..]), Str::from);
        if let (Some(recorder), Some((spans, _))) = (&mut self.recorder, opened) {
            recorder.close(spans, from, &made);
        }
        self.out.truncate(from);
        Ok(Value::String(made))
    }

    /// The error of `required` and `fail`: words that Helm shows without the chain around them.
    pub(crate) fn refuse(words: &Str) -> FuncError {
        FuncError::Message([MARK_START, &shown(words), MARK_END].concat().into())
    }
}

/// The text without any `<no value>`; `None` where there is none in it.
pub(crate) fn without_no_value(text: &[u8]) -> Option<Vec<u8>> {
    let finder = memchr::memmem::Finder::new(NO_VALUE);
    let first = finder.find(text)?;
    let mut out = Vec::with_capacity(text.len());
    out.extend_from_slice(&text[..first]);
    let mut rest = &text[first + NO_VALUE.len()..];
    while let Some(at) = finder.find(rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + NO_VALUE.len()..];
    }
    out.extend_from_slice(rest);
    Some(out)
}
