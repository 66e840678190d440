//! The functions of `avenire:database/diagnostics`: what guests say.

use super::bindings::diagnostics::{Host, Level};
use crate::state::CallState;

/// Bytes kept of one message.
const MESSAGE_BYTES: usize = 8 << 10;

impl Host for CallState {
    fn log(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        if self.diagnostics.is_cut {
            return Ok(());
        }
        let message = bounded(message);
        // An empty message costs a line as well.
        self.diagnostics.logged += message.len().max(64);
        if self.diagnostics.logged > self.limits.log {
            self.diagnostics.is_cut = true;
            let text = format!("no more is logged of this call: limits.log is {}", self.limits.log);
            self.line(Level::Warn, &text);
        } else {
            self.line(level, &message);
        }
        Ok(())
    }

    fn panicked(&mut self, message: String) -> wasmtime::Result<()> {
        // The first panic is the cause; a second one happens while handling it.
        if self.diagnostics.panic.is_none() {
            let message = bounded(message);
            self.line(Level::Error, &format!("panicked: {message}"));
            self.diagnostics.panic = Some(message);
        }
        Ok(())
    }
}

impl CallState {
    /// A line of the host's log that says whose it is.
    fn line(&self, level: Level, message: &str) {
        let (component, function) = (&*self.component, &*self.function);
        let (generation, call) = (self.generation, self.call);
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(target: "guest", component, generation, function, call, "{message}")
            };
        }
        match level {
            Level::Debug => line!(debug),
            Level::Info => line!(info),
            Level::Warn => line!(warn),
            Level::Error => line!(error),
        }
    }
}

/// Cuts at a character's end and replaces what could forge lines of a log or
/// steer a terminal.
fn bounded(mut message: String) -> String {
    if message.len() > MESSAGE_BYTES {
        let end = (0..=MESSAGE_BYTES).rev().find(|&end| message.is_char_boundary(end));
        message.truncate(end.unwrap_or(0));
    }
    message.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_cut_at_a_characters_end() {
        let long = "ä".repeat(MESSAGE_BYTES);
        let kept = bounded(format!("x{long}"));
        assert_eq!(kept.len(), MESSAGE_BYTES - 1);
    }

    #[test]
    fn a_message_can_not_forge_lines_or_steer_a_terminal() {
        assert_eq!(bounded("a\nERROR b\u{1b}[31m".into()), "a ERROR b [31m");
    }
}
