//! Conversations and what was said in them: `chat` and `message`. Owns these tables'
//! columns, row types and the two closed sets of words in them.

use avenire_values::text_enum;
use diesel::prelude::*;

avenire_macros::schema! {
    use crate::auth::users;

    /// One row a conversation. Goes with its user.
    #[derive(Eq)]
    table chat as Chat {
        /// 1 to 255 characters; never changes.
        id: text = "gen_random_uuid()::text",
        /// Whose chat it is; only they may write to it.
        user_id: text,
        /// The title to show.
        title: text,
        /// `private`: only its user may read it. `public`: everybody may.
        visibility: text as Visibility = "'private'",
        /// When the chat began.
        created_at: timestamptz = "now()",
        /// When title or visibility were changed last.
        updated_at: timestamptz = "now()",

        primary key chat_pkey (id),
        check chat_id_check "length(id) between 1 and 255",
        foreign key chat_user_id_fkey (user_id) references users (id) on delete cascade,
        check chat_visibility_check "visibility in ('private', 'public')",
        /// Serves the list of a user's chats, newest first, from any position.
        index chat_user_id_created_at_idx (user_id, created_at desc, id desc),
    }

    /// One row a message. Goes with its chat.
    #[derive(Eq, Associations)]
    #[diesel(belongs_to(Chat))]
    table message as Message {
        /// 1 to 255 characters; unique over all chats; never changes.
        id: text = "gen_random_uuid()::text",
        /// The chat it belongs to; never changes.
        chat_id: text,
        /// Who speaks: `user`, `assistant`, `system`, `tool` or `data`.
        role: text as Role,
        /// What is said, as the application writes it.
        parts: jsonb,
        /// What is attached, as the application writes it; `[]` without attachments.
        attachments: jsonb = "'[]'",
        /// When it was said; with `id` the order in its chat.
        created_at: timestamptz = "now()",

        primary key message_pkey (id),
        check message_id_check "length(id) between 1 and 255",
        foreign key message_chat_id_fkey (chat_id) references chat (id) on delete cascade,
        check message_role_check "role in ('user', 'assistant', 'system', 'tool', 'data')",
        /// Serves the messages of a chat, oldest first, from any position.
        index message_chat_id_created_at_idx (chat_id, created_at, id),
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
