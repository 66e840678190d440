//! The only place that prints: results to standard output, everything else to
//! standard error.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::exit;

/// How the program speaks.
pub(crate) struct Printer {
    json: bool,
    quiet: bool,
    spinner: Mutex<Option<ProgressBar>>,
}

impl Printer {
    pub(crate) fn new(json: bool, quiet: bool) -> Self {
        Self { json, quiet, spinner: Mutex::new(None) }
    }

    /// Whether results are for machines.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// A result for people. Nothing when results are for machines.
    pub(crate) fn text(&self, text: &str) {
        if !self.json {
            self.done();
            to_stdout(text);
        }
    }

    /// A result for machines. Nothing when results are for people.
    pub(crate) fn object(&self, value: &Value) {
        if self.json {
            to_stdout(&value.to_string());
        }
    }

    /// A JSON document for people: indented on a terminal, compact in a pipe.
    pub(crate) fn document(&self, value: &Value) {
        self.done();
        if std::io::stdout().is_terminal() {
            to_stdout(&format!("{value:#}"));
        } else {
            to_stdout(&value.to_string());
        }
    }

    /// Something beside the result.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            self.done();
            to_stderr(text);
        }
    }

    /// A question to somebody at the terminal.
    pub(crate) fn ask(&self, text: &str) {
        self.done();
        to_stderr(text);
    }

    /// Work that takes a while has begun: a spinner on a terminal, a line elsewhere.
    pub(crate) fn progress(&self, text: &str) {
        if self.quiet {
            return;
        }
        if !std::io::stderr().is_terminal() {
            to_stderr(&format!("- {text}"));
            return;
        }
        self.done();
        let style = ProgressStyle::with_template("{spinner} {msg} ({elapsed})")
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
        let bar = ProgressBar::new_spinner().with_style(style).with_message(text.to_owned());
        bar.enable_steady_tick(Duration::from_millis(100));
        if let Ok(mut spinner) = self.spinner.lock() {
            *spinner = Some(bar);
        }
    }

    /// The work that was told by `progress` is over.
    pub(crate) fn done(&self) {
        let spinner = self.spinner.lock().ok().and_then(|mut spinner| spinner.take());
        if let Some(bar) = spinner {
            bar.finish_and_clear();
        }
    }

    /// An error with its causes, whose fault it is and what to do.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
        let blame = exit::blame(error).map(avenire_app::engine::Blame::as_str);
        let hint = exit::hint(error);
        if self.json {
            let database = exit::database_facts(error);
            self.object(&json!({ "error": {
                "message": causes.join(": "), "blame": blame, "hint": hint, "database": database,
            } }));
            return;
        }
        self.error_text(&causes.join("\n  because "), hint.as_deref());
    }

    /// As [`Printer::error`], for what is no error type.
    pub(crate) fn error_text(&self, text: &str, hint: Option<&str>) {
        self.done();
        to_stderr(&format!("error: {text}"));
        if let Some(hint) = hint {
            to_stderr(&format!("hint: {hint}"));
        }
    }
}

// A reader that has seen enough, such as `head`, is no reason to fail.

fn to_stdout(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

fn to_stderr(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
