//! Between the tables' rows and words and the contract's. Nothing else.

use avenire_sdk::schema::chat as tables;

use crate::bindings::exports::avenire::chat::queries::{
    Chat, Message, Position, Role, SavedMessage, Visibility,
};

impl From<tables::Chat> for Chat {
    fn from(row: tables::Chat) -> Self {
        Self {
            id: row.id,
            user_id: row.user_id,
            title: row.title,
            visibility: row.visibility.into(),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        }
    }
}

impl From<tables::Message> for Message {
    fn from(row: tables::Message) -> Self {
        Self {
            id: row.id,
            chat_id: row.chat_id,
            role: row.role.into(),
            parts: row.parts.into(),
            attachments: row.attachments.into(),
            created_at: row.created_at.into(),
        }
    }
}

impl From<&Chat> for Position {
    fn from(chat: &Chat) -> Self {
        Self { created_at: chat.created_at, id: chat.id.clone() }
    }
}

impl From<&Message> for Position {
    fn from(message: &Message) -> Self {
        Self { created_at: message.created_at, id: message.id.clone() }
    }
}

impl From<Position> for SavedMessage {
    fn from(position: Position) -> Self {
        Self { id: position.id, created_at: position.created_at }
    }
}

impl From<tables::Visibility> for Visibility {
    fn from(visibility: tables::Visibility) -> Self {
        match visibility {
            tables::Visibility::Private => Self::Private,
            tables::Visibility::Public => Self::Public,
        }
    }
}

impl From<Visibility> for tables::Visibility {
    fn from(visibility: Visibility) -> Self {
        match visibility {
            Visibility::Private => Self::Private,
            Visibility::Public => Self::Public,
        }
    }
}

impl From<tables::Role> for Role {
    fn from(role: tables::Role) -> Self {
        match role {
            tables::Role::User => Self::User,
            tables::Role::Assistant => Self::Assistant,
            tables::Role::System => Self::System,
            tables::Role::Tool => Self::Tool,
            tables::Role::Data => Self::Data,
        }
    }
}

impl From<Role> for tables::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::User => Self::User,
            Role::Assistant => Self::Assistant,
            Role::System => Self::System,
            Role::Tool => Self::Tool,
            Role::Data => Self::Data,
        }
    }
}
