//! Conversations and what was said in them: `chat` and `message`. Owns these tables'
//! columns, row types and the two closed sets of words in them.

use diesel::prelude::*;

use crate::values::text_enum;
use crate::{Json, Timestamp};

diesel::table! {
    /// One row a conversation. Goes with its user.
    chat (id) {
        /// 1 to 255 characters; never changes.
        id -> Text,
        /// Whose chat it is; only they may write to it.
        user_id -> Text,
        /// The title to show.
        title -> Text,
        /// `private`: only its user may read it. `public`: everybody may.
        visibility -> Text,
        /// When the chat began.
        created_at -> Timestamptz,
        /// When title or visibility were changed last.
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    /// One row a message. Goes with its chat.
    message (id) {
        /// 1 to 255 characters; unique over all chats; never changes.
        id -> Text,
        /// The chat it belongs to; never changes.
        chat_id -> Text,
        /// Who speaks: `user`, `assistant`, `system`, `tool` or `data`.
        role -> Text,
        /// What is said, as the application writes it.
        parts -> Jsonb,
        /// What is attached, as the application writes it; `[]` without attachments.
        attachments -> Jsonb,
        /// When it was said; with `id` the order in its chat.
        created_at -> Timestamptz,
    }
}

text_enum! {
    /// Who may read a chat.
    pub enum Visibility {
        /// Its user only.
        Private = "private",
        /// Everybody.
        Public = "public",
    }
}

text_enum! {
    /// Who speaks in a message.
    pub enum Role {
        /// The user.
        User = "user",
        /// The model.
        Assistant = "assistant",
        /// The application, to the model.
        System = "system",
        /// A tool the model called.
        Tool = "tool",
        /// Data for the application that nobody reads.
        Data = "data",
    }
}

/// A row of `chat`, whole.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, QueryableByName, Selectable, Identifiable)]
#[diesel(table_name = chat, check_for_backend(diesel::pg::Pg))]
#[expect(missing_docs, reason = "the columns are documented at the table")]
pub struct Chat {
    pub id: String,
    pub user_id: String,
    pub title: String,
    pub visibility: Visibility,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What the caller says of a new chat; what is none takes the column's default.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = chat)]
#[expect(missing_docs, reason = "the columns are documented at the table")]
pub struct NewChat<'a> {
    pub id: Option<&'a str>,
    pub user_id: &'a str,
    pub title: &'a str,
    pub visibility: Option<Visibility>,
}

/// A row of `message`, whole.
#[derive(
    Debug, Clone, PartialEq, Eq, Queryable, QueryableByName, Selectable, Identifiable, Associations,
)]
#[diesel(table_name = message, belongs_to(Chat), check_for_backend(diesel::pg::Pg))]
#[expect(missing_docs, reason = "the columns are documented at the table")]
pub struct Message {
    pub id: String,
    pub chat_id: String,
    pub role: Role,
    pub parts: Json,
    pub attachments: Json,
    pub created_at: Timestamp,
}
