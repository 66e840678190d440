//! The tables of the application, one module per domain, and the values their columns
//! hold. Owns the compile-time picture of the schema that `migrations/` produces, and
//! must match it exactly. Never: runs a statement, knows of the host or of a contract.

pub mod auth;
pub mod chat;
pub mod user_settings;
pub mod values;

pub use values::{Json, Network, Timestamp};

diesel::joinable!(auth::accounts -> auth::users (user_id));
diesel::joinable!(auth::passkeys -> auth::users (user_id));
diesel::joinable!(chat::chat -> auth::users (user_id));
diesel::joinable!(chat::message -> chat::chat (chat_id));
diesel::joinable!(user_settings::user_settings -> auth::users (user_id));

// The macro takes plain names only, and two of the tables are called as their modules.
use auth::{accounts, email_verifications, passkeys, users};
use chat::{chat as chat_table, message};
use user_settings::user_settings as user_settings_table;

diesel::allow_tables_to_appear_in_same_query!(
    accounts,
    chat_table,
    email_verifications,
    message,
    passkeys,
    user_settings_table,
    users,
);
