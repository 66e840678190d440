//! The schema of the application, one module per domain. Owns the definition of every table:
//! Diesel's view of it, the generated migrations and what components say of it come from here.
//! Never: runs a statement, knows of the host or of a contract.

pub mod auth;
pub mod chat;
pub mod user_settings;

pub use avenire_values::{self as values, Json, Network, Timestamp};

avenire_macros::together! {
    auth::{accounts, email_verifications, passkeys, users},
    chat::{chat, message},
    user_settings::user_settings,
}
