//! The query functions of chats and messages: what they give, in which order, and whom
//! and what they refuse.

mod chats;
mod cleanup;
mod messages;
mod ownership;
mod paging;
mod saving;
mod search;
mod stats;

use anyhow::Result;
use serde_json::{Value, json};

use crate::ground::{Ground, text};

/// A new private chat of that user.
async fn chat(ground: &Ground, user: &str, id: &str) -> Result<Value> {
    let arguments = json!({"userId": user, "title": format!("About {id}"), "id": id});
    ground.ok("chat.save-chat", arguments).await
}

/// Saves messages of a chat for its user.
async fn save(ground: &Ground, chat: &str, user: &str, messages: Value) -> Result<Value> {
    let arguments = json!({"chatId": chat, "userId": user, "messages": messages});
    ground.ok("chat.save-messages", arguments).await
}

/// All messages of a chat, as its user reads them.
async fn messages(ground: &Ground, chat: &str, user: &str) -> Result<Value> {
    ground.ok("chat.get-messages-by-chat-id", json!({"chatId": chat, "reader": user})).await
}

/// A message of a user that says that.
fn said(id: &str, what: &str) -> Value {
    json!({"id": id, "role": "user", "parts": [{"type": "text", "text": what}]})
}

/// As [`said`], at a given time.
fn said_at(id: &str, what: &str, created_at: &str) -> Value {
    let mut message = said(id, what);
    message["createdAt"] = json!(created_at);
    message
}

/// What a message says.
fn words(message: &Value) -> &str {
    text(&message["parts"][0], "text")
}
