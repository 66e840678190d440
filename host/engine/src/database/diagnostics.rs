//! The functions of `avenire:database/diagnostics`: what guests say.

use super::bindings::diagnostics::{Host, Level};
use crate::state::CallState;

/// Bytes kept of one message.
const MESSAGE_BYTES: usize = 8 << 10;

/// Messages kept of one call.
const MESSAGES: u32 = 100;

impl Host for CallState {
    fn log(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        self.diagnostics.logged = self.diagnostics.logged.saturating_add(1);
        if self.diagnostics.logged > MESSAGES {
            return Ok(());
        }
        let message = bounded(message);
        let (component, function) = (&*self.component, &*self.function);
        match level {
            Level::Debug => tracing::debug!(target: "guest", component, function, "{message}"),
            Level::Info => tracing::info!(target: "guest", component, function, "{message}"),
            Level::Warn => tracing::warn!(target: "guest", component, function, "{message}"),
            Level::Error => tracing::error!(target: "guest", component, function, "{message}"),
        }
        Ok(())
    }

    fn panicked(&mut self, message: String) -> wasmtime::Result<()> {
        // The first panic is the cause; a second one happens while handling it.
        self.diagnostics.panic.get_or_insert(bounded(message));
        Ok(())
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
