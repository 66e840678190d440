//! `avenire-db call`: one call of a query function.

use std::io::Read as _;

use anyhow::Result;
use avenire_app::engine::{Call, Outcome, PARSERS_OWN_KEY};
use avenire_app::{Host, Project, Selection};
use serde_json::{Map, Value, json};

use crate::arguments::CallArguments;
use crate::exit::{BadArgument, Exit};
use crate::output::Printer;

/// More than any function's arguments: what a call accepts is the component's
/// own memory.
const MAX_ARGUMENT_BYTES: u64 = 64 << 20;

pub(super) async fn run(
    project: &Project,
    call: &CallArguments,
    printer: &Printer,
) -> Result<Exit> {
    // What can be wrong with the words is told before anything is started.
    let (component, function) = split(&call.function)?;
    let arguments = parse(&read(&call.arguments)?)?;
    if !project.manifest().components.contains_key(component) {
        anyhow::bail!(avenire_app::unknown_component(project, component));
    }
    let targets = super::open_targets(project, printer).await?;
    let host = Host::start(project, targets, &Selection::One(component.to_owned())).await?;
    let slot = host.slot(project, component)?;
    let outcome = slot.call(Call::new(function, arguments)).await;
    let exit = match outcome {
        Ok(outcome) => {
            if call.time {
                printer.note(&times(&outcome));
            }
            Ok(print(&call.function, outcome, printer))
        }
        Err(error) => Err(error.into()),
    };
    host.close().await;
    exit
}

/// `component.function`
pub(super) fn split(name: &str) -> Result<(&str, &str), BadArgument> {
    let parts = name
        .split_once('.')
        .filter(|(component, function)| !component.is_empty() && !function.is_empty());
    parts.ok_or_else(|| BadArgument {
        message: format!("`{}` does not name a function", name.escape_debug()),
        hint:
            "write COMPONENT.FUNCTION, such as chat.get-chat-by-id; `avenire-db components list` \
               shows them"
                .into(),
    })
}

fn read(text: &str) -> Result<String, BadArgument> {
    let failed = |what: &str, error: std::io::Error| BadArgument {
        message: format!("the arguments could not be read from {what}: {error}"),
        hint: "give a JSON object, @FILE, or - for standard input".into(),
    };
    let mut content = String::new();
    if text == "-" {
        let mut input = std::io::stdin().take(MAX_ARGUMENT_BYTES + 1);
        input.read_to_string(&mut content).map_err(|error| failed("standard input", error))?;
    } else if let Some(file) = text.strip_prefix('@') {
        let input = std::fs::File::open(file).map_err(|error| failed(file, error))?;
        let mut input = input.take(MAX_ARGUMENT_BYTES + 1);
        input.read_to_string(&mut content).map_err(|error| failed(file, error))?;
    } else {
        text.clone_into(&mut content);
    }
    if content.len() as u64 > MAX_ARGUMENT_BYTES {
        let message = format!("the arguments have more than {MAX_ARGUMENT_BYTES} bytes");
        return Err(BadArgument { message, hint: "give the function less at once".into() });
    }
    if content.contains(PARSERS_OWN_KEY) {
        let message = format!("the arguments have a key that begins with `{PARSERS_OWN_KEY}`");
        return Err(BadArgument { message, hint: "give the key another name".into() });
    }
    Ok(content)
}

/// The arguments as an object of named values.
pub(super) fn parse(text: &str) -> Result<Map<String, Value>, BadArgument> {
    let hint = "give a JSON object of named arguments, such as '{\"userId\":\"user-1\"}'";
    match serde_json::from_str(text) {
        Ok(Value::Object(arguments)) => Ok(arguments),
        Ok(_) => Err(BadArgument {
            message: "the arguments are not a JSON object".into(),
            hint: hint.into(),
        }),
        Err(error) => Err(BadArgument {
            message: format!("the arguments are not JSON: {error}"),
            hint: hint.into(),
        }),
    }
}

fn times(outcome: &Outcome) -> String {
    let millis = |time: std::time::Duration| format!("{:.3} ms", time.as_secs_f64() * 1000.0);
    format!(
        "{} in all: {} waiting for its turn, {} for the database ({} statements, {} rows, {} bytes)",
        millis(outcome.time),
        millis(outcome.queued),
        millis(outcome.usage.waited),
        outcome.usage.statements,
        outcome.usage.rows,
        outcome.usage.bytes,
    )
}

fn print(function: &str, outcome: Outcome, printer: &Printer) -> Exit {
    match outcome.result {
        Ok(value) => {
            if printer.is_json() {
                printer.object(&json!({ "result": value }));
            } else {
                printer.document(&value);
            }
            Exit::Done
        }
        Err(failure) => {
            printer.object(&json!({ "failure": failure }));
            if !printer.is_json() {
                printer.error_text(&format!("{function} answered with a failure: {failure}"), None);
            }
            // The function could only tell that it did not reach the database.
            if outcome.usage.unavailable > 0 { Exit::Database } else { Exit::Failure }
        }
    }
}
