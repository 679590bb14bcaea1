//! Running a template: walking its tree, as Go's text/template/exec.go.
//!
//! Go panics to leave a walk; here every step returns. `at` follows Go's `s.node` step by step, as the last node begun
//! is what error texts quote.

use super::ctx::{Ctx, Val, Variable};
use super::error::{Cause, ExecError, FuncError, limit_message};
use super::literal::Ideal;
use super::tree::{At, Branch, Command, List, Name, Node, NodeKind, Operand, Pipe, Template};
use crate::helm::fmt::{append_indirect, sprint};
use crate::helm::funcs::go::is_true;
use crate::helm::provenance::Mark;
use crate::helm::stack;
use crate::helm::value::{Kind, Map, Str, Value};
use std::sync::Arc;

/// What a template prints for what is missing; Helm removes it from every output.
pub(crate) const NO_VALUE: &[u8] = b"<no value>";

pub(super) type Exec<T> = Result<T, Box<ExecError>>;

/// How a walk ended.
#[derive(Copy, Clone, PartialEq, Eq)]
pub(super) enum Flow {
    Next,
    Break,
    Continue,
}

impl Ctx<'_> {
    /// An error at the last node begun.
    pub(super) fn fail(&self, template: &Template, message: impl Into<Vec<u8>>) -> Box<ExecError> {
        let (line, column) = template.line_column(self.at.pos);
        Box::new(ExecError {
            template: template.name.clone(),
            source: Some(Arc::clone(&template.source)),
            pos: self.at.pos,
            line,
            column,
            expression: crate::helm::strconv::shown(&template.describe(self.at)).into_owned(),
            message: message.into(),
            cause: None,
            meant: None,
            limited: false,
        })
    }

    /// An error of a called function.
    pub(super) fn fail_call(&self, template: &Template, head: Vec<u8>, error: FuncError) -> Box<ExecError> {
        let mut fault = self.fail(template, head);
        match error {
            FuncError::Message(text) => fault.cause = Some(Cause::Text(text)),
            FuncError::Unknown(text, meant) => {
                fault.cause = Some(Cause::Text(text));
                fault.meant = meant;
            }
            FuncError::Template(inner) => {
                fault.limited = inner.limited;
                fault.cause = Some(Cause::Template(inner));
            }
            FuncError::Wrapped(text, inner) => {
                fault.limited = inner.limited;
                fault.cause = Some(Cause::Wrapped(text, inner));
            }
            FuncError::Limit(what) => {
                fault.limited = true;
                fault.message = limit_message(what);
            }
        }
        fault
    }

    fn limit(&self, template: &Template, error: FuncError) -> Box<ExecError> {
        self.fail_call(template, Vec::new(), error)
    }

    /// Executes a template on `dot`, of which the recorder knows `evidence`, writing to `out`.
    pub(crate) fn execute(&mut self, template: &Template, dot: &Value, evidence: u32) -> Exec<()> {
        let outer_at = self.at;
        let outer_base = self.base;
        if stack::is_low() {
            return Err(self.limit(template, FuncError::Limit("nesting of templates")));
        }
        self.base = self.variables.len();
        let dot = Val { evidence, ..Val::plain(dot.clone()) };
        let scope = self.recorder.as_ref().map_or(0, |r| r.scope());
        self.variables.push(Variable { id: 0, value: dot.clone(), evidence, scope });
        let result = self.walk(template, &dot, &template.root);
        self.variables.truncate(self.base);
        self.base = outer_base;
        self.at = outer_at;
        result.map(|_| ())
    }

    fn walk(&mut self, template: &Template, dot: &Val, list: &List) -> Exec<Flow> {
        for node in &list.nodes {
            self.at = node.at();
            if let Err(error) = self.spend(1) {
                return Err(self.limit(template, error));
            }
            match node {
                Node::Text { start, end, .. } => {
                    let from = self.out.len();
                    let text = template.source.text.get(*start as usize..*end as usize).unwrap_or_default();
                    self.out.extend_from_slice(text);
                    if let Some(recorder) = &mut self.recorder {
                        recorder.text(&template.source, from, self.out.len(), *start);
                    }
                    if self.out.len() > self.limits.output {
                        return Err(self.limit(template, FuncError::Limit("64 MiB of output")));
                    }
                }
                Node::Action(pipe) => self.action(template, dot, pipe)?,
                Node::If(branch) => match self.branch(template, dot, branch, false)? {
                    Flow::Next => {}
                    flow => return Ok(flow),
                },
                Node::With(branch) => match self.branch(template, dot, branch, true)? {
                    Flow::Next => {}
                    flow => return Ok(flow),
                },
                Node::Range(branch) => match self.range(template, dot, branch)? {
                    Flow::Next => {}
                    flow => return Ok(flow),
                },
                Node::Template { name, pipe, .. } => self.template(template, dot, name, pipe.as_deref())?,
                Node::Break(_) => return Ok(Flow::Break),
                Node::Continue(_) => return Ok(Flow::Continue),
            }
        }
        Ok(Flow::Next)
    }

    fn action(&mut self, template: &Template, dot: &Val, pipe: &Pipe) -> Exec<()> {
        let mark = self.recorder.as_ref().map(|r| r.mark());
        let value = self.recorded_pipeline(template, dot, pipe, mark)?;
        if !pipe.declares.is_empty() {
            return Ok(());
        }
        self.at = At { pos: pipe.pos, kind: NodeKind::Action };
        let from = self.out.len();
        match &value.value {
            Value::Nil => self.out.extend_from_slice(NO_VALUE),
            Value::String(text) => self.out.extend_from_slice(text),
            value => {
                if let Err(error) = append_indirect(&mut self.out, value) {
                    return Err(self.limit(template, error));
                }
            }
        }
        if let (Some(recorder), Some(mark)) = (&mut self.recorder, mark) {
            recorder.action(&template.source, &self.out, from, pipe.pos, pipe.end, mark);
        }
        if self.out.len() > self.limits.output {
            return Err(self.limit(template, FuncError::Limit("64 MiB of output")));
        }
        Ok(())
    }

    /// Evaluates a pipeline that began at the mark; where it fails, the recorder learns what led there.
    fn recorded_pipeline(
        &mut self,
        template: &Template,
        dot: &Val,
        pipe: &Pipe,
        mark: Option<Mark>,
    ) -> Exec<Val> {
        let result = self.pipeline(template, dot, pipe);
        if let (Err(_), Some(recorder), Some(mark)) = (&result, &mut self.recorder, mark) {
            recorder.failed(&template.source, pipe.pos, pipe.end, mark);
        }
        result
    }

    fn branch(&mut self, template: &Template, dot: &Val, branch: &Branch, with: bool) -> Exec<Flow> {
        let variables = self.variables.len();
        let mark = self.recorder.as_ref().map(|r| r.mark());
        let mut value = self.recorded_pipeline(template, dot, &branch.pipe, mark)?;
        if let (Some(recorder), Some(mark)) = (&mut self.recorder, mark) {
            value.evidence = recorder.enter(&template.source, branch.pipe.pos, branch.pipe.end, mark, false);
        }
        if stack::is_low() {
            return Err(self.limit(template, FuncError::Limit("nesting of templates")));
        }
        let flow = if is_true(&value.value) {
            self.walk(template, if with { &value } else { dot }, &branch.list)?
        } else if let Some(otherwise) = &branch.otherwise {
            self.walk(template, dot, otherwise)?
        } else {
            Flow::Next
        };
        if let Some(recorder) = &mut self.recorder {
            recorder.leave();
        }
        self.variables.truncate(variables);
        Ok(flow)
    }

    fn range(&mut self, template: &Template, dot: &Val, branch: &Branch) -> Exec<Flow> {
        let variables = self.variables.len();
        let mark = self.recorder.as_ref().map(|r| r.mark());
        let value = self.recorded_pipeline(template, dot, &branch.pipe, mark)?.value;
        let mut evidence = 0;
        if let (Some(recorder), Some(mark)) = (&mut self.recorder, mark) {
            evidence = recorder.enter(&template.source, branch.pipe.pos, branch.pipe.end, mark, false);
        }
        if stack::is_low() {
            return Err(self.limit(template, FuncError::Limit("nesting of templates")));
        }
        let declares = &branch.pipe.declares[..];
        let mut ran = false;
        match &value {
            Value::List(list) => {
                let interface = list.type_of().elem.is_none_or(|t| t.kind == Kind::Interface);
                for (at, item) in list.iter().enumerate() {
                    ran = true;
                    let mark = self.recorder.as_ref().map(|r| r.mark());
                    list.read_item(at);
                    let evidence = self.item_evidence(mark, evidence);
                    let index = i64::try_from(at).unwrap_or(i64::MAX);
                    let item = Val { value: item.clone(), interface, evidence };
                    let index = Val::plain(Value::int(index));
                    if self.turn(template, branch, Some(index), item)? == Flow::Break {
                        break;
                    }
                }
            }
            Value::Map(map) => {
                let interface = map.type_of().elem.is_none_or(|t| t.kind == Kind::Interface);
                // Templates may change the map meanwhile: what is gone through is a copy.
                if let Err(error) = self.spend(map.len() as u64 / 4) {
                    return Err(self.limit(template, error));
                }
                for (key, item) in map.entries_for_range() {
                    ran = true;
                    let mark = self.recorder.as_ref().map(|r| r.mark());
                    map.read_key(&key, &item);
                    let evidence = self.item_evidence(mark, evidence);
                    let item = Val { value: item, interface, evidence };
                    let index = Val { evidence, ..Val::plain(Value::String(key)) };
                    if self.turn(template, branch, Some(index), item)? == Flow::Break {
                        break;
                    }
                }
            }
            Value::Bytes(bytes) => {
                for (at, byte) in bytes.iter().enumerate() {
                    ran = true;
                    let index = Val::plain(Value::int(i64::try_from(at).unwrap_or(i64::MAX)));
                    let item = Val { evidence, ..Val::plain(Value::Uint(Kind::Uint8, u64::from(*byte))) };
                    if self.turn(template, branch, Some(index), item)? == Flow::Break {
                        break;
                    }
                }
            }
            Value::Nil => {}
            value => {
                let Some(count) = value.as_integer() else {
                    let shown = self.show(template, value)?;
                    return Err(self.fail(template, [b"range can't iterate over ", &shown[..]].concat()));
                };
                if declares.len() > 1 {
                    let message = format!("can't use {count} to iterate over more than one variable");
                    return Err(self.fail(template, message));
                }
                for n in 0..count {
                    ran = true;
                    let item = match value {
                        Value::Int(kind, _) => Value::Int(*kind, i64::try_from(n).unwrap_or(i64::MAX)),
                        Value::Uint(kind, _) => Value::Uint(*kind, u64::try_from(n).unwrap_or(u64::MAX)),
                        _ => Value::int64(i64::try_from(n).unwrap_or(i64::MAX)),
                    };
                    let item = Val { evidence, ..Val::plain(item) };
                    if self.turn(template, branch, None, item)? == Flow::Break {
                        break;
                    }
                }
            }
        }
        // `break` and `continue` end here.
        let mut flow = Flow::Next;
        if !ran && let Some(otherwise) = &branch.otherwise {
            flow = self.walk(template, dot, otherwise)?;
            // Go's recovery from `break` spans the whole action, its `else` included.
            if flow == Flow::Break {
                flow = Flow::Next;
            }
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.leave();
        }
        self.variables.truncate(variables);
        Ok(flow)
    }

    /// What is known of an item of a loop: that it was read since the mark, else what is known of the whole.
    fn item_evidence(&mut self, mark: Option<Mark>, whole: u32) -> u32 {
        match (&mut self.recorder, mark) {
            (Some(recorder), Some(mark)) => match recorder.close_evidence(mark) {
                0 => whole,
                own => own,
            },
            _ => 0,
        }
    }

    /// One turn of a loop.
    #[allow(clippy::needless_pass_by_value, reason = "every caller makes it for this turn")]
    fn turn(&mut self, template: &Template, branch: &Branch, index: Option<Val>, item: Val) -> Exec<Flow> {
        if let Err(error) = self.spend(1) {
            return Err(self.limit(template, error));
        }
        let mark = self.variables.len();
        match &branch.pipe.declares[..] {
            [] => {}
            [one] if branch.pipe.assign => self.set_variable(template, one, item.clone())?,
            [first, second] if branch.pipe.assign => {
                self.set_variable(template, first, index.unwrap_or_default())?;
                self.set_variable(template, second, item.clone())?;
            }
            declares => {
                // The pipeline pushed them, lexically the last on top.
                if let Some(top) = self.variables.last_mut() {
                    top.value = item.clone();
                    top.evidence = item.evidence;
                }
                if declares.len() > 1
                    && let Some(below) = mark.checked_sub(2).and_then(|at| self.variables.get_mut(at))
                {
                    let index = index.unwrap_or_default();
                    below.evidence = index.evidence;
                    below.value = index;
                }
            }
        }
        let flow = self.walk(template, &item, &branch.list)?;
        self.variables.truncate(mark);
        Ok(flow)
    }

    fn template(&mut self, template: &Template, dot: &Val, name: &Str, pipe: Option<&Pipe>) -> Exec<()> {
        let Some(called) = self.set.get(name) else {
            let mut message = b"template ".to_vec();
            message.extend_from_slice(&crate::helm::strconv::quote(name));
            message.extend_from_slice(b" not defined");
            return Err(Box::new(ExecError { meant: self.set.meant(name), ..*self.fail(template, message) }));
        };
        let mark = self.recorder.as_ref().map(|r| r.mark());
        let at = self.at;
        let value = match pipe {
            Some(pipe) => self.recorded_pipeline(template, dot, pipe, mark)?.value,
            None => Value::Nil,
        };
        let mut evidence = 0;
        if let (Some(recorder), Some(mark)) = (&mut self.recorder, mark) {
            let end = pipe.map_or(at.pos, |p| p.end);
            evidence = recorder.enter(&template.source, at.pos, end, mark, true);
        }
        self.execute(&called, &value, evidence)?;
        if let Some(recorder) = &mut self.recorder {
            recorder.leave();
        }
        Ok(())
    }

    fn set_variable(&mut self, template: &Template, name: &Name, value: Val) -> Exec<()> {
        let base = self.base;
        match self.variables[base..].iter_mut().rev().find(|v| v.id == name.id) {
            Some(variable) => {
                variable.evidence = value.evidence;
                variable.value = value;
                Ok(())
            }
            None => Err(self.fail(
                template,
                [b"undefined variable: ", template.source.bytes(name.start, name.end)].concat(),
            )),
        }
    }

    /// Evaluates a pipeline. What it gives is no interface: a missing value becomes Go's invalid one.
    pub(super) fn pipeline(&mut self, template: &Template, dot: &Val, pipe: &Pipe) -> Exec<Val> {
        self.at = pipe.at();
        let mark = match &self.recorder {
            Some(recorder) if !pipe.declares.is_empty() || pipe.commands.len() > 1 => Some(recorder.mark()),
            _ => None,
        };
        let mut value: Option<Val> = None;
        for command in &pipe.commands {
            let mut result = self.command(template, dot, command, value.take())?;
            result.interface = false;
            value = Some(result);
            if let (Some(recorder), Some(mark)) = (&mut self.recorder, mark) {
                recorder.pipe(mark);
            }
        }
        let mut value = value.unwrap_or_default();
        if !pipe.declares.is_empty() {
            if let (Some(recorder), Some(mark)) = (&mut self.recorder, mark) {
                if let (true, Some(name)) = (pipe.assign, pipe.declares.first())
                    && let Some(variable) = self.variables[self.base..].iter().rev().find(|v| v.id == name.id)
                {
                    recorder.assigning(variable.scope);
                }
                value.evidence = recorder.evidence(mark);
            }
            let scope = self.recorder.as_ref().map_or(0, |r| r.scope());
            for name in &pipe.declares {
                if pipe.assign {
                    self.set_variable(template, name, value.clone())?;
                } else {
                    let (value, evidence) = (value.clone(), value.evidence);
                    self.variables.push(Variable { id: name.id, value, evidence, scope });
                }
            }
        }
        Ok(value)
    }

    /// Evaluates a pipeline in parentheses.
    pub(super) fn nested_pipeline(&mut self, template: &Template, dot: &Val, pipe: &Pipe) -> Exec<Val> {
        if stack::is_low() {
            return Err(self.limit(template, FuncError::Limit("nesting of expressions")));
        }
        self.pipeline(template, dot, pipe)
    }

    fn not_a_function(&self, template: &Template, operands: &[Operand], last: Option<&Val>) -> Exec<()> {
        match operands {
            [_] if last.is_none() => Ok(()),
            [first, ..] => {
                let what = template.describe_operand(first);
                Err(self.fail(template, [b"can't give argument to non-function ", &what[..]].concat()))
            }
            [] => Ok(()),
        }
    }

    fn command(&mut self, template: &Template, dot: &Val, command: &Command, last: Option<Val>) -> Exec<Val> {
        let operands = &command.operands[..];
        let Some(first) = operands.first() else { return Ok(Val::default()) };
        match first {
            Operand::Field { fields, .. } => {
                self.at = first.at();
                self.use_dot(dot);
                self.field_chain(template, dot, dot.clone(), first.at(), fields, operands, last)
            }
            Operand::Chain { inner, fields, .. } => {
                let receiver = self.chain_head(template, dot, first.at(), inner)?;
                self.field_chain(template, dot, receiver, first.at(), fields, operands, last)
            }
            Operand::Function { function, .. } => {
                self.at = first.at();
                self.call_function(template, dot, command.at(), function, &operands[1..], last)
            }
            Operand::Pipe(pipe) => {
                self.not_a_function(template, operands, last.as_ref())?;
                self.nested_pipeline(template, dot, pipe)
            }
            Operand::Variable { name, fields, .. } => {
                self.at = first.at();
                let value = self.variable(template, name, fields)?;
                if fields.is_empty() {
                    self.not_a_function(template, operands, last.as_ref())?;
                    return Ok(value);
                }
                self.field_chain(template, dot, value, first.at(), fields, operands, last)
            }
            constant => {
                self.at = first.at();
                self.not_a_function(template, operands, last.as_ref())?;
                match constant {
                    Operand::Dot(_) => {
                        self.use_dot(dot);
                        Ok(dot.clone())
                    }
                    Operand::Nil(_) => Err(self.fail(template, "nil is not a command")),
                    constant => self.constant(template, constant),
                }
            }
        }
    }

    /// The value of a constant whose type nothing decides.
    pub(super) fn constant(&self, template: &Template, operand: &Operand) -> Exec<Val> {
        Ok(Val::plain(match operand {
            Operand::Bool(_, b) => Value::Bool(*b),
            Operand::String { text, .. } => Value::String(text.clone()),
            Operand::Number { numeral, .. } => match numeral.number.ideal(&numeral.text) {
                Ideal::Int(n) => Value::int(n),
                Ideal::Float(f) => Value::Float(f),
                Ideal::Overflow => {
                    return Err(self.fail(template, [&numeral.text[..], b" overflows int"].concat()));
                }
            },
            _ => Value::Nil,
        }))
    }

    /// Reports that the dot is used, unless what is read in it reports itself.
    pub(super) fn use_dot(&self, dot: &Val) {
        if dot.evidence != 0
            && let Some(recorder) = &self.recorder
            && !dot.value.is_tracked()
        {
            recorder.uses(dot.evidence);
        }
    }

    /// The value of a variable, of which `fields` are about to be read.
    pub(super) fn variable(&mut self, template: &Template, name: &Name, fields: &[Str]) -> Exec<Val> {
        let found = self.variables[self.base..].iter().rev().position(|v| v.id == name.id);
        if let Some(distance) = found.filter(|d| *d > 64)
            && let Err(error) = self.spend(distance as u64 / 8)
        {
            return Err(self.limit(template, error));
        }
        match found.and_then(|distance| self.variables.iter().rev().nth(distance)) {
            Some(variable) => {
                // Of a container that a template made each key is known by itself; one of the values may have been
                // chosen among several.
                let is_made = |map: &Map| map.is_tracked() && !map.has_path();
                if variable.evidence != 0
                    && let Some(recorder) = &self.recorder
                    && (fields.is_empty() || !variable.value.value.as_map().is_some_and(is_made))
                {
                    recorder.uses(variable.evidence);
                }
                Ok(variable.value.clone())
            }
            None => Err(self.fail(
                template,
                [b"undefined variable: ", template.source.bytes(name.start, name.end)].concat(),
            )),
        }
    }

    /// What a chain of fields starts from: a parenthesised pipeline or a function.
    pub(super) fn chain_head(
        &mut self,
        template: &Template,
        dot: &Val,
        chain: At,
        inner: &Operand,
    ) -> Exec<Val> {
        self.at = chain;
        self.at = inner.at();
        match inner {
            Operand::Pipe(pipe) => self.nested_pipeline(template, dot, pipe),
            Operand::Function { function, .. } => {
                self.call_function(template, dot, inner.at(), function, &[], None)
            }
            _ => Err(self.fail(template, "can't evaluate a chain")),
        }
    }

    /// `%v` of a value, for a message.
    pub(super) fn show(&self, template: &Template, value: &Value) -> Exec<Vec<u8>> {
        sprint(std::slice::from_ref(value)).map_err(|error| self.limit(template, error))
    }
}
