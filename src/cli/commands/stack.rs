//! `stackc stack list|show|eject`.

use super::session::{Outcome, Session, Telling, run as session};
use crate::cli::arguments::{DataFormat, FindingsFormat, Global, Stack as Command};
use crate::cli::{Console, Exit};
use crate::diag::{Diagnostic, Reported, codes, did_you_mean};
use crate::load::{Library, Stack, embedded_files, library};
use crate::schema::Description;
use crate::source::Sources;
use crate::value::{Node, Path, Segment};
use crate::world::World;
use camino::Utf8Path;
use serde_json::json;

pub(super) fn run(global: &Global, command: &Command, world: &dyn World, console: &mut Console<'_>) -> Exit {
    session(global, Telling::Beside(FindingsFormat::Human), world, console, |session| {
        let library = library(&session.world, &session.sources, &mut session.sink);
        match command {
            Command::List { format } => Ok(Outcome::data(list(&library, *format, &session.sources))),
            Command::Show { name, format } => {
                let stack = find(&library, name, session)?;
                Ok(Outcome::data(show(stack, *format)))
            }
            Command::Eject { name } => eject(&library, name, session),
        }
    })
}

fn find<'l>(library: &'l Library, name: &str, session: &mut Session<'_>) -> Result<&'l Stack, Reported> {
    if let Some(stack) = library.stack(name, &session.sources) {
        return Ok(stack);
    }
    for finding in library.findings(name, &session.sources) {
        session.sink.report(finding.clone());
    }
    session.sink.finish(())?;
    let finding = Diagnostic::error(codes::UNKNOWN_STACK, format!("there is no stack `{name}`"));
    Err(session.sink.report(match did_you_mean(name, library.names().map(AsRef::as_ref)) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding.help("`stackc stack list` prints them"),
    }))
}

fn list(library: &Library, format: DataFormat, sources: &Sources) -> String {
    let stacks: Vec<&Stack> =
        library.names().filter_map(|name| library.stack(name, sources).map(AsRef::as_ref)).collect();
    match format {
        DataFormat::Json => {
            let all: Vec<_> = stacks.iter().map(|stack| summary(stack)).collect();
            format!("{:#}\n", serde_json::Value::from(all))
        }
        DataFormat::Text => {
            let width = stacks.iter().map(|stack| stack.name.len()).max().unwrap_or(0);
            stacks.iter().fold(String::new(), |out, stack| {
                let own = if stack.embedded { "" } else { "  (of this project)" };
                out + &format!("{:width$}  {}{own}\n", stack.name, stack.description)
            })
        }
    }
}

/// The inputs that a stack takes by itself, beside those of every instance: each with what is inside it, free keys
/// as `NAME` and items of lists as `[]`.
fn inputs(stack: &Stack) -> Vec<(Path, String, Description)> {
    let mut found = stack.schema.inputs();
    // A member that has no words of its own is told by the type of what holds it.
    found.retain(|(path, input)| match path.segments() {
        [Segment::Key(_)] => true,
        [.., Segment::Key(_)] => {
            !(input.description.is_empty() && path.names().last().is_some_and(|last| last == "NAME"))
        }
        _ => !input.description.is_empty(),
    });
    found
        .into_iter()
        .map(|(path, input)| (path.clone(), path.to_string().replace("[0]", "[]"), input))
        .collect()
}

/// What is said of an input in brackets: its type, and whether it has to be there or what it is where it is not.
fn marks(input: &Description) -> String {
    let default = input.default.as_ref().map(|node| node.to_json().to_string()).filter(|text| text != "{}");
    match default {
        _ if input.required && input.default.is_none() => format!("{}, required", input.type_),
        Some(default) => format!("{}, default {default}", input.type_),
        None => input.type_.clone(),
    }
}

fn summary(stack: &Stack) -> serde_json::Value {
    let requires: Vec<_> = stack
        .requires
        .iter()
        .map(
            |needed| json!({"name": &*needed.capability, "optional": needed.optional, "order": needed.order}),
        )
        .collect();
    let provides: Vec<_> = stack
        .provides
        .iter()
        .map(|offer| json!({"name": &*offer.capability, "yields": offer.yields, "exports": offer.exports.keys().map(|name| &**name).collect::<Vec<_>>()}))
        .collect();
    let inputs: Vec<_> = inputs(stack)
        .iter()
        .map(|(_, name, input)| {
            json!({"name": name, "type": input.type_, "required": input.required && input.default.is_none(),
                "default": input.default.as_ref().map(Node::to_json), "description": input.description})
        })
        .collect();
    json!({"name": &*stack.name, "description": &*stack.description, "builtIn": stack.embedded,
        "requires": requires, "provides": provides, "inputs": inputs})
}

fn show(stack: &Stack, format: DataFormat) -> String {
    if format == DataFormat::Json {
        return format!("{:#}\n", summary(stack));
    }
    let mut out = format!("{}: {}\n", stack.name, stack.description);
    let section = |out: &mut String, head: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            out.push_str(&format!("\n{head}:\n"));
            for line in lines {
                out.push_str(&format!("  {line}\n"));
            }
        }
    };
    let needs = stack.requires.iter().map(|needed| {
        let mut marks = Vec::new();
        marks.extend(needed.optional.then_some("optional"));
        marks.extend((!needed.order).then_some("only its values"));
        let marks = if marks.is_empty() { String::new() } else { format!("  ({})", marks.join(", ")) };
        format!("{}{marks}", needed.capability)
    });
    section(&mut out, "needs", needs.collect());
    let gives = stack.provides.iter().map(|offer| {
        let fields: Vec<&str> = offer.exports.keys().map(AsRef::as_ref).collect();
        let fields = if fields.is_empty() { String::new() } else { format!(": {}", fields.join(", ")) };
        let yields = if offer.yields { "  (steps back for another provider)" } else { "" };
        format!("{}{fields}{yields}", offer.capability)
    });
    section(&mut out, "gives", gives.collect());
    let inputs = inputs(stack).into_iter().map(|(path, name, input)| {
        let named = path.names().iter().filter(|name| *name != "NAME" && *name != "0").count();
        let indent = "  ".repeat(named.saturating_sub(1));
        let words = input.description.replace('\n', &format!("\n      {indent}"));
        let words = if words.is_empty() { words } else { format!("\n      {indent}{words}") };
        format!("{indent}{name} ({}){words}", marks(&input))
    });
    section(&mut out, "takes", inputs.collect());
    out.push_str("\nEvery instance takes `stack`, `namespace`, `namespaceLabels`, `after` and `deliver` too; with charts `version`, `values`, `charts` and `helm`.\n");
    out
}

fn eject(library: &Library, name: &str, session: &mut Session<'_>) -> Result<Outcome, Reported> {
    let files = embedded_files(name);
    if files.is_empty() {
        let finding = Diagnostic::error(
            codes::UNKNOWN_STACK,
            format!("there is no built-in stack `{name}` that could be copied"),
        );
        let near = did_you_mean(name, library.names().map(AsRef::as_ref));
        return Err(session.sink.report(match near {
            Some(near) if near != name => finding.help(format!("did you mean `{near}`?")),
            _ => finding
                .help("`stackc stack list` prints the stacks; `chart` and `manifests` need no definition"),
        }));
    }
    if let Some((path, _)) = files.iter().find(|(path, _)| session.world.kind(Utf8Path::new(path)).is_some())
    {
        let finding = Diagnostic::error(codes::FILE_EXISTS, format!("`{path}` exists already"));
        return Err(session.sink.report(
            finding.help("remove it first, or go on changing it: the project's own stack is used already"),
        ));
    }
    let mut status = Vec::new();
    for (path, text) in &files {
        session.write(Utf8Path::new(path), text)?;
        status.push(format!("wrote {path}"));
    }
    status.push(format!("`{name}` is this project's own stack now; the built-in one is no longer used here"));
    Ok(Outcome::status(status))
}
