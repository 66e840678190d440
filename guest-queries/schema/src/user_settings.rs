//! How a user wants to be taught: `user_settings`. Owns this table's columns, its row
//! type and the defaults.

use diesel::prelude::*;

use crate::Timestamp;

diesel::table! {
    /// At most one row a user, made together with the user and gone with them. Where
    /// there is none, the defaults hold.
    user_settings (user_id) {
        /// Whose settings they are.
        user_id -> Text,
        /// The model that answers.
        model -> Text,
        /// How it teaches.
        learning_style -> Text,
        /// From 1, easy, to 10, hard.
        difficulty -> Integer,
        /// Whether it goes at the user's pace.
        pacing -> Bool,
        /// Whether the user wants mail.
        email_notification -> Bool,
        /// When the row was made.
        created_at -> Timestamptz,
        /// When a column was changed last.
        updated_at -> Timestamptz,
    }
}

/// A row of `user_settings`, whole.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, QueryableByName, Selectable, Identifiable)]
#[diesel(table_name = user_settings, primary_key(user_id), check_for_backend(diesel::pg::Pg))]
#[expect(missing_docs, reason = "the columns are documented at the table")]
pub struct UserSettings {
    pub user_id: String,
    pub model: String,
    pub learning_style: String,
    pub difficulty: i32,
    pub pacing: bool,
    pub email_notification: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// The columns' defaults, for users without a row. They must be those of the migrations,
/// which a test compares.
pub mod defaults {
    /// Default of `model`.
    pub const MODEL: &str = "gemini-2-flash-lite";
    /// Default of `learning_style`.
    pub const LEARNING_STYLE: &str = "interactive";
    /// Default of `difficulty`.
    pub const DIFFICULTY: i32 = 5;
    /// Default of `pacing`.
    pub const PACING: bool = true;
    /// Default of `email_notification`.
    pub const EMAIL_NOTIFICATION: bool = false;
}
