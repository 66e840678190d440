//! The chat component: implements `avenire:chat/queries`. Owns the statements on the
//! tables `chat` and `message`. Never: touches another table, authenticates anybody.

mod access;
mod chats;
mod cleanup;
mod convert;
mod messages;
mod paging;
mod save;
mod stats;

mod bindings {
    #![expect(clippy::same_length_and_capacity, reason = "generated")]

    avenire_sdk::contract!("avenire:chat/chat@0.1.0" in [
        "../../wit/database/v0.1", "../../wit/types/v0.1", "../../wit/chat/v0.1",
    ]);
}

use avenire_sdk::Checks;
use avenire_sdk::wit::{Failure, Timestamp};
use bindings::exports::avenire::chat::queries::{
    Chat, ChatPage, Guest, Message, MessagePage, NewMessage, PageStart, SavedMessage, UserStats,
    Visibility,
};

/// The component. Each function stands in the file of its topic.
struct Component;

impl Guest for Component {
    fn save_chat(
        user_id: String,
        title: String,
        id: Option<String>,
        visibility: Option<Visibility>,
    ) -> Result<Chat, Failure> {
        chats::save_chat(&user_id, &title, id.as_deref(), visibility)
    }

    fn get_chat_by_id(chat_id: String, reader: Option<String>) -> Result<Chat, Failure> {
        chats::get_chat_by_id(&chat_id, reader.as_deref())
    }

    fn get_chats_by_user_id(user_id: String, limit: u32) -> Result<Vec<Chat>, Failure> {
        chats::get_chats_by_user_id(&user_id, limit)
    }

    fn list_chats(user_id: String, limit: u32, start: PageStart) -> Result<ChatPage, Failure> {
        chats::list_chats(&user_id, limit, start)
    }

    fn get_top_chats_by_user_id(user_id: String) -> Result<Vec<Chat>, Failure> {
        chats::get_top_chats_by_user_id(&user_id)
    }

    fn search_chats_by_title(
        user_id: String,
        term: String,
        limit: u32,
    ) -> Result<Vec<Chat>, Failure> {
        chats::search_chats_by_title(&user_id, &term, limit)
    }

    fn update_chat_visibility(
        chat_id: String,
        user_id: String,
        visibility: Visibility,
    ) -> Result<Chat, Failure> {
        chats::update_chat_visibility(&chat_id, &user_id, visibility)
    }

    fn update_chat_title(chat_id: String, user_id: String, title: String) -> Result<Chat, Failure> {
        chats::update_chat_title(&chat_id, &user_id, &title)
    }

    fn delete_chat_by_id(chat_id: String, user_id: String) -> Result<Chat, Failure> {
        chats::delete_chat_by_id(&chat_id, &user_id)
    }

    fn delete_chats_by_user_id(user_id: String) -> Result<u64, Failure> {
        chats::delete_chats_by_user_id(&user_id)
    }

    fn save_messages(
        chat_id: String,
        user_id: String,
        messages: Vec<NewMessage>,
    ) -> Result<Vec<SavedMessage>, Failure> {
        save::save_messages(&chat_id, &user_id, messages)
    }

    fn get_messages_by_chat_id(
        chat_id: String,
        reader: Option<String>,
    ) -> Result<Vec<Message>, Failure> {
        messages::get_messages_by_chat_id(&chat_id, reader.as_deref())
    }

    fn list_messages(
        chat_id: String,
        reader: Option<String>,
        limit: u32,
        start: PageStart,
    ) -> Result<MessagePage, Failure> {
        messages::list_messages(&chat_id, reader.as_deref(), limit, start)
    }

    fn get_message_by_id(message_id: String, reader: Option<String>) -> Result<Message, Failure> {
        messages::get_message_by_id(&message_id, reader.as_deref())
    }

    fn delete_messages_by_chat_id_after_timestamp(
        chat_id: String,
        user_id: String,
        timestamp: Timestamp,
    ) -> Result<u64, Failure> {
        messages::delete_messages_from(&chat_id, &user_id, timestamp.into())
    }

    fn get_message_count_by_user_id(user_id: String, hours: u32) -> Result<u64, Failure> {
        stats::get_message_count_by_user_id(&user_id, hours)
    }

    fn get_user_stats(user_id: String) -> Result<UserStats, Failure> {
        stats::get_user_stats(&user_id)
    }

    fn cleanup(older_than_days: u32) -> Result<u64, Failure> {
        cleanup::cleanup(older_than_days)
    }
}

/// What every page of the application begins with must be possible.
fn self_test(checks: &mut Checks) {
    checks.check("chats can be listed", || chats::get_chats_by_user_id(NOBODY, 1));
    checks.check("chats can be searched", || chats::search_chats_by_title(NOBODY, "a", 1));
    checks.check("messages can be read", || messages::get_messages_by_chat_id(NOBODY, None));
    checks.check("messages can be counted", || stats::get_user_stats(NOBODY));
}

/// An id that belongs to nothing.
const NOBODY: &str = "self-test";

avenire_sdk::export!(Component in bindings);
avenire_sdk::self_test!(self_test);
avenire_sdk::describe!(avenire_sdk::schema::chat::DESCRIPTION);
