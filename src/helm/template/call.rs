//! Fields, methods and calls: Go's `evalField`, `evalCall`, `evalArg` and `validateType`.

use super::ctx::{Ctx, Val};
use super::error::FuncError;
use super::exec::Exec;
use super::tree::{At, Operand, Template};
use crate::helm::funcs::go::is_true;
use crate::helm::funcs::{Args, Body, Call, Function};
use crate::helm::value::{Kind, Str, Type, Value, types};

/// Room for the arguments of most calls without an allocation.
const FEW: usize = 4;
/// Texts up to this long may be anything.
const LONG: usize = 4 << 20;

impl Ctx<'_> {
    /// Evaluates `.X.Y.Z`, the last of which may be a method that takes the operands after the first.
    #[allow(
        clippy::too_many_arguments,
        reason = "Go's evalFieldChain, so that both can be read side by side"
    )]
    pub(super) fn field_chain(
        &mut self,
        template: &Template,
        dot: &Val,
        mut receiver: Val,
        node: At,
        fields: &[Str],
        operands: &[Operand],
        last: Option<Val>,
    ) -> Exec<Val> {
        let Some((name, before)) = fields.split_last() else { return Ok(receiver) };
        for field in before {
            receiver = self.field(template, dot, node, field, &[], None, receiver)?;
        }
        self.field(template, dot, node, name, operands, last, receiver)
    }

    #[allow(clippy::too_many_arguments, reason = "Go's evalField, so that both can be read side by side")]
    fn field(
        &mut self,
        template: &Template,
        dot: &Val,
        node: At,
        name: &Str,
        operands: &[Operand],
        last: Option<Val>,
        receiver: Val,
    ) -> Exec<Val> {
        let static_type = if receiver.interface { types::ANY.name } else { receiver.value.type_name() };
        let has_args = operands.len() > 1 || last.is_some();
        let arguments = operands.get(1..).unwrap_or_default();
        match &receiver.value {
            Value::Nil if receiver.interface => {
                Err(self.fail(template, [b"nil pointer evaluating interface {}.", &name[..]].concat()))
            }
            Value::Nil => Ok(Val::default()),
            Value::Map(map) => {
                let ty = map.type_of();
                if !ty.methods.is_empty()
                    && let Some(method) = ty.method(name)
                {
                    return self.call_method(template, dot, node, method, receiver.value, arguments, last);
                }
                if has_args {
                    return Err(
                        self.fail(template, [name, &b" is not a method but has arguments"[..]].concat())
                    );
                }
                let elem = ty.elem.unwrap_or(&types::ANY);
                let value = match map.get(name) {
                    Some(value) => value,
                    None => Value::zero(elem),
                };
                Ok(Val { value, interface: elem.kind == Kind::Interface, evidence: 0 })
            }
            Value::Object(object) => {
                let ty = object.type_of();
                if let Some(method) = ty.method(name) {
                    return self.call_method(
                        template,
                        dot,
                        node,
                        method,
                        receiver.value.clone(),
                        arguments,
                        last,
                    );
                }
                match object.field(name) {
                    Some(_) if has_args => {
                        let message =
                            [name, &b" has arguments but cannot be invoked as function"[..]].concat();
                        Err(self.fail(template, message))
                    }
                    Some(value) => Ok(Val::plain(value)),
                    None => Err(self.no_field(template, name, static_type)),
                }
            }
            value => {
                if let Some(ty) = value.type_of()
                    && let Some(method) = ty.method(name)
                {
                    return self.call_method(template, dot, node, method, receiver.value, arguments, last);
                }
                Err(self.no_field(template, name, static_type))
            }
        }
    }

    fn no_field(&self, template: &Template, name: &Str, of: &str) -> Box<super::ExecError> {
        self.fail(template, [b"can't evaluate field ", &name[..], b" in type ", of.as_bytes()].concat())
    }

    #[allow(clippy::too_many_arguments, reason = "Go's evalCall, so that both can be read side by side")]
    fn call_method(
        &mut self,
        template: &Template,
        dot: &Val,
        node: At,
        method: &'static Function,
        receiver: Value,
        arguments: &[Operand],
        last: Option<Val>,
    ) -> Exec<Val> {
        match method.body {
            Body::Plain(call) => {
                self.call_plain(template, dot, node, method, call, Some(receiver), arguments, last)
            }
            _ => Ok(Val::default()),
        }
    }

    /// Calls a function with the operands and, where it stands behind a `|`, the value before.
    pub(super) fn call_function(
        &mut self,
        template: &Template,
        dot: &Val,
        node: At,
        function: &'static Function,
        arguments: &[Operand],
        last: Option<Val>,
    ) -> Exec<Val> {
        match function.body {
            Body::Plain(call) => self.call_plain(template, dot, node, function, call, None, arguments, last),
            Body::And | Body::Or => {
                if arguments.is_empty() && last.is_none() {
                    return Err(self.wrong_count(template, function, "at least 1", 0));
                }
                let stop_at = matches!(function.body, Body::Or);
                let mut value = Val::default();
                for argument in arguments {
                    value = self.argument_val(template, dot, argument)?;
                    if is_true(&value.value) == stop_at {
                        return Ok(value);
                    }
                }
                Ok(last.unwrap_or(value))
            }
            Body::Len => {
                let count = arguments.len() + usize::from(last.is_some());
                if count != 1 {
                    return Err(self.wrong_count(template, function, "1", count));
                }
                let value = match (arguments.first(), last) {
                    (Some(argument), _) => self.argument_val(template, dot, argument)?,
                    (None, last) => last.unwrap_or_default(),
                };
                match length(&value) {
                    Ok(n) => Ok(Val::plain(Value::int(i64::try_from(n).unwrap_or(i64::MAX)))),
                    Err(message) => {
                        self.at = node;
                        let head = b"error calling len: ".to_vec();
                        Err(self.fail_call(template, head, FuncError::message(message)))
                    }
                }
            }
            Body::Call => {
                let name = match arguments.first() {
                    Some(first) => template.describe_operand(first),
                    None if last.is_some() => {
                        // Go prints the `reflect.Value` here.
                        match last.as_ref().map(|last| &last.value) {
                            Some(Value::String(text)) => text.to_vec(),
                            Some(value) if !value.is_untyped_nil() => {
                                format!("<{} Value>", value.type_name()).into()
                            }
                            _ => b"<invalid Value>".to_vec(),
                        }
                    }
                    None => return Err(self.wrong_count(template, function, "at least 1", 0)),
                };
                let mut callee = last.unwrap_or_default();
                for (at, argument) in arguments.iter().enumerate() {
                    let value = self.argument_val(template, dot, argument)?;
                    if at == 0 {
                        callee = value;
                    }
                }
                // No value of Helm's is a function.
                let message = match callee.value.type_of() {
                    None => b"call of nil".to_vec(),
                    Some(ty) => [b"non-function ", &name[..], b" of type ", ty.name.as_bytes()].concat(),
                };
                self.at = node;
                Err(self.fail_call(template, b"error calling call: ".to_vec(), FuncError::message(message)))
            }
        }
    }

    fn wrong_count(
        &self,
        template: &Template,
        function: &Function,
        want: &str,
        got: usize,
    ) -> Box<super::ExecError> {
        self.fail(template, format!("wrong number of args for {}: want {want} got {got}", function.name))
    }

    #[allow(clippy::too_many_arguments, reason = "Go's evalCall, so that both can be read side by side")]
    fn call_plain(
        &mut self,
        template: &Template,
        dot: &Val,
        node: At,
        function: &'static Function,
        call: Call,
        receiver: Option<Value>,
        arguments: &[Operand],
        last: Option<Val>,
    ) -> Exec<Val> {
        let bound = usize::from(receiver.is_some());
        let params = function.params.get(bound..).unwrap_or_default();
        let given = arguments.len() + usize::from(last.is_some());
        let fixed = if function.variadic { params.len().saturating_sub(1) } else { params.len() };
        if function.variadic && given < fixed {
            return Err(self.wrong_count(template, function, &format!("at least {fixed}"), arguments.len()));
        }
        if !function.variadic && given != fixed {
            return Err(self.wrong_count(template, function, &fixed.to_string(), given));
        }
        let param = |at: usize| -> Type { params.get(at).or(params.last()).copied().unwrap_or(&types::ANY) };

        let total = given + bound;
        let mut few: [Value; FEW] = Default::default();
        let mut many: Vec<Value> = Vec::new();
        let values: &mut [Value] = if total <= FEW {
            &mut few[..total]
        } else {
            many.resize_with(total, Value::default);
            &mut many
        };
        let mut slot = 0;
        if let Some(receiver) = receiver {
            values[0] = receiver;
            slot = 1;
        }
        let mut mark = self.recorder.as_mut().map(|r| r.begin_call());
        for (at, argument) in arguments.iter().enumerate() {
            let from = self.recorder.as_ref().map_or(0, |r| r.begin_argument());
            values[slot] = self.argument(template, dot, param(at), argument)?;
            if let Some(recorder) = &mut self.recorder {
                recorder.end_argument(from);
            }
            slot += 1;
        }
        if let Some(last) = last {
            values[slot] = self.validate(template, last, param(given - 1))?;
            if let (Some(recorder), Some(mark)) = (&mut self.recorder, &mut mark) {
                recorder.piped_argument(mark);
            }
        }
        let steps = self.spend(1 + values.iter().map(read_steps).sum::<u64>());
        if let Err(error) = steps.and_then(|()| values.iter().try_for_each(|value| self.fits(as_text(value))))
        {
            return Err(self.fail_call(template, Vec::new(), error));
        }
        if let (Some(recorder), Some(mark)) = (&mut self.recorder, mark) {
            recorder.calling(&template.source, node.pos, mark);
            if let Some(impurity) = function.impurity {
                recorder.impure(&template.source, node.pos, function.name, impurity);
            }
        }
        let result = call(self, &mut Args::new(values)).and_then(|value| {
            self.charge(16 + fresh_size(&value))?;
            Ok(value)
        });
        if let (Some(recorder), Some(mark), Ok(value)) = (&mut self.recorder, mark, &result) {
            recorder.called(function, mark, values, value);
        }
        match result {
            Ok(value) => Ok(Val::plain(value)),
            Err(error) => {
                self.at = node;
                let head = format!("error calling {}: ", function.name).into_bytes();
                Err(self.fail_call(template, head, error))
            }
        }
    }

    /// An argument of any type, with its static type.
    fn argument_val(&mut self, template: &Template, dot: &Val, operand: &Operand) -> Exec<Val> {
        self.at = operand.at();
        match operand {
            Operand::Dot(_) => {
                self.use_dot(dot);
                Ok(dot.clone())
            }
            Operand::Nil(_) => Ok(Val::default()),
            Operand::Field { fields, .. } => {
                self.use_dot(dot);
                self.field_chain(template, dot, dot.clone(), operand.at(), fields, &[], None)
            }
            Operand::Variable { name, fields, .. } => {
                let value = self.variable(template, name, fields)?;
                self.field_chain(template, dot, value, operand.at(), fields, &[], None)
            }
            Operand::Pipe(pipe) => self.nested_pipeline(template, dot, pipe),
            Operand::Function { function, .. } => {
                self.call_function(template, dot, operand.at(), function, &[], None)
            }
            Operand::Chain { inner, fields, .. } => {
                let receiver = self.chain_head(template, dot, operand.at(), inner)?;
                self.field_chain(template, dot, receiver, operand.at(), fields, &[], None)
            }
            constant => self.constant(template, constant),
        }
    }

    /// An argument as a value of the parameter's type.
    fn argument(&mut self, template: &Template, dot: &Val, ty: Type, operand: &Operand) -> Exec<Value> {
        match operand {
            Operand::Nil(_) => {
                self.at = operand.at();
                if ty.can_be_nil() {
                    return Ok(Value::zero(ty));
                }
                Err(self.fail(template, format!("cannot assign nil to {ty}")))
            }
            Operand::Bool(..) | Operand::Number { .. } | Operand::String { .. } => {
                self.at = operand.at();
                self.typed_constant(template, ty, operand)
            }
            operand => {
                let value = self.argument_val(template, dot, operand)?;
                self.validate(template, value, ty)
            }
        }
    }

    /// A constant in the type of its parameter.
    fn typed_constant(&mut self, template: &Template, ty: Type, operand: &Operand) -> Exec<Value> {
        let (value, expected) = match (ty.kind, operand) {
            (Kind::Interface | Kind::Invalid, constant) => {
                return Ok(self.constant(template, constant)?.value);
            }
            (Kind::Bool, Operand::Bool(_, b)) => (Some(Value::Bool(*b)), "bool"),
            (Kind::Bool, _) => (None, "bool"),
            (Kind::String, Operand::String { text, .. }) => (Some(Value::String(text.clone())), "string"),
            (Kind::String, _) => (None, "string"),
            (Kind::Float64 | Kind::Float32, Operand::Number { numeral, .. }) => {
                (numeral.number.float.map(Value::Float), "float")
            }
            (Kind::Float64 | Kind::Float32, _) => (None, "float"),
            (kind, Operand::Number { numeral, .. }) if kind.is_int() => {
                (numeral.number.int.map(|n| Value::Int(kind, n)), "integer")
            }
            (kind, _) if kind.is_int() => (None, "integer"),
            (kind, Operand::Number { numeral, .. }) if kind.is_uint() => {
                (numeral.number.uint.map(|n| Value::Uint(kind, n)), "unsigned integer")
            }
            (kind, _) if kind.is_uint() => (None, "unsigned integer"),
            _ => {
                let what = template.describe_operand(operand);
                let message =
                    [b"can't handle ", &what[..], b" for arg of type ", ty.name.as_bytes()].concat();
                return Err(self.fail(template, message));
            }
        };
        value.ok_or_else(|| {
            let what = template.describe_operand(operand);
            self.fail(template, [b"expected ", expected.as_bytes(), b"; found ", &what[..]].concat())
        })
    }

    /// Go's `validateType`: the value as one of type `ty`.
    fn validate(&mut self, template: &Template, value: Val, ty: Type) -> Exec<Value> {
        if matches!(ty.kind, Kind::Interface | Kind::Invalid) {
            return Ok(value.value);
        }
        let Some(actual) = value.value.type_of() else {
            if value.interface {
                return Err(self.wrong_type(template, ty, types::ANY.name));
            }
            if ty.can_be_nil() {
                return Ok(Value::zero(ty));
            }
            return Err(self.fail(template, format!("invalid value; expected {ty}")));
        };
        if actual.is(ty) {
            return Ok(value.value);
        }
        if actual.assignable_to(ty) {
            return Ok(match value.value {
                Value::Map(map) => Value::Map(map.with_type(ty)),
                Value::List(list) => Value::List(list.with_type(ty)),
                value => value,
            });
        }
        if actual.kind == Kind::Ptr
            && actual.elem.is_some_and(|elem| elem.assignable_to(ty))
            && let Value::Object(object) = &value.value
            && let Some(pointee) = object.pointee()
        {
            return Ok(pointee);
        }
        Err(self.wrong_type(template, ty, actual.name))
    }

    fn wrong_type(&self, template: &Template, ty: Type, got: &str) -> Box<super::ExecError> {
        self.fail(template, format!("wrong type for value; expected {ty}; got {got}"))
    }
}

/// Steps for what a function may read of an argument, so that a long text or list is not read for nothing.
fn read_steps(value: &Value) -> u64 {
    match value {
        Value::String(text) => text.len() as u64 / 64,
        Value::Bytes(bytes) => bytes.len() as u64 / 64,
        Value::List(list) => list.len() as u64 / 16,
        _ => 0,
    }
}

/// How long a very long text is at most once every byte that is no text is a character: many functions make it so.
fn as_text(value: &Value) -> usize {
    match value {
        Value::String(text) if text.len() > LONG && std::str::from_utf8(text).is_err() => text.len() * 3,
        _ => 0,
    }
}

/// Roughly the memory of a value that nothing else holds.
fn fresh_size(value: &Value) -> usize {
    match value {
        Value::String(text) => {
            let len = text.len();
            if len > 22 { len } else { 0 }
        }
        Value::Bytes(bytes) => bytes.len(),
        Value::List(list) if list.is_unshared() => 48 + list.len() * 24,
        Value::Map(map) if map.is_unshared() => 96 + map.size(),
        _ => 0,
    }
}

fn length(value: &Val) -> Result<usize, String> {
    match &value.value {
        Value::Nil if value.interface => Err("len of nil pointer".to_owned()),
        Value::Nil => Err("reflect: call of reflect.Value.Type on zero Value".to_owned()),
        Value::String(text) => Ok(text.len()),
        Value::Bytes(bytes) => Ok(bytes.len()),
        Value::List(list) => Ok(list.len()),
        Value::Map(map) => Ok(map.len()),
        other => {
            let ty = other
                .type_of()
                .map_or("", |t| if t.kind == Kind::Ptr { t.elem.map_or(t.name, |e| e.name) } else { t.name });
            Err(format!("len of type {ty}"))
        }
    }
}
