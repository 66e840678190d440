//! How a user wants to be taught: `user_settings`. Owns this table's columns, its row
//! type and the defaults.

avenire_macros::schema! {
    use crate::auth::users;

    /// At most one row a user, made together with the user and gone with them. Where
    /// there is none, the defaults hold.
    #[derive(Eq)]
    table user_settings as UserSettings {
        /// Whose settings they are.
        user_id: text,
        /// The model that answers.
        model: text = "'gemini-2-flash-lite'",
        /// How it teaches.
        learning_style: text = "'interactive'",
        /// From 1, easy, to 10, hard.
        difficulty: integer = 5,
        /// Whether it goes at the user's pace.
        pacing: boolean = true,
        /// Whether the user wants mail.
        email_notification: boolean = false,
        /// When the row was made.
        created_at: timestamptz = "now()",
        /// When a column was changed last.
        updated_at: timestamptz = "now()",

        primary key user_settings_pkey (user_id),
        foreign key user_settings_user_id_fkey (user_id) references users (id) on delete cascade,
        check user_settings_difficulty_check "difficulty between 1 and 10",
    }
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
