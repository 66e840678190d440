//! Lines for the host's log. At most 8 KiB a line and 100 lines a call; what is over is
//! dropped.

use std::fmt;

use crate::bindings::avenire::database::diagnostics;
pub use crate::bindings::avenire::database::diagnostics::Level;

/// Writes one line; the macros `debug!`, `info!`, `warn!` and `error!` are for this.
pub fn write(level: Level, message: fmt::Arguments<'_>) {
    match message.as_str() {
        Some(message) => diagnostics::log(level, message),
        None => diagnostics::log(level, &message.to_string()),
    }
}

/// Writes a line of use while developing to the host's log.
#[macro_export]
macro_rules! debug {
    ($($message:tt)+) => { $crate::log::write($crate::log::Level::Debug, format_args!($($message)+)) };
}

/// Writes a line worth keeping to the host's log.
#[macro_export]
macro_rules! info {
    ($($message:tt)+) => { $crate::log::write($crate::log::Level::Info, format_args!($($message)+)) };
}

/// Writes a line about something that is not as it should be to the host's log.
#[macro_export]
macro_rules! warn {
    ($($message:tt)+) => { $crate::log::write($crate::log::Level::Warn, format_args!($($message)+)) };
}

/// Writes a line about something that failed to the host's log.
#[macro_export]
macro_rules! error {
    ($($message:tt)+) => { $crate::log::write($crate::log::Level::Error, format_args!($($message)+)) };
}
