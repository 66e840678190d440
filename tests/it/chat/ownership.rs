//! Whose chats are whose: private ones are read by their user only, public ones by
//! anyone, and both are written by their user only.

use anyhow::Result;
use serde_json::{Value, json};

use super::{chat, said_at, save};
use crate::ground::Ground;
use crate::run;

/// Functions that read the chat of that id or its message `m-<id>`.
fn reading(chat: &str) -> [(&'static str, Value); 4] {
    [
        ("chat.get-chat-by-id", json!({"chatId": chat})),
        ("chat.get-messages-by-chat-id", json!({"chatId": chat})),
        ("chat.list-messages", json!({"chatId": chat, "limit": 10, "start": "first"})),
        ("chat.get-message-by-id", json!({"messageId": format!("m-{chat}")})),
    ]
}

/// Functions that change the chat of that id for a user.
fn writing(chat: &str, user: &str) -> [(&'static str, Value); 5] {
    let of = |more: Value| {
        let mut arguments = json!({"chatId": chat, "userId": user});
        for (name, value) in more.as_object().into_iter().flatten() {
            arguments[name] = value.clone();
        }
        arguments
    };
    [
        ("chat.update-chat-visibility", of(json!({"visibility": "private"}))),
        ("chat.update-chat-title", of(json!({"title": "theirs"}))),
        ("chat.save-messages", of(json!({"messages": [{"role": "user", "parts": []}]}))),
        (
            "chat.delete-messages-by-chat-id-after-timestamp",
            of(json!({"timestamp": "2000-01-01T00:00:00Z"})),
        ),
        ("chat.delete-chat-by-id", of(json!({}))),
    ]
}

/// A private and a public chat of ada, each with a message.
async fn ground_with_chats() -> Result<std::sync::Arc<Ground>> {
    let ground = Ground::new().await?;
    for id in ["private", "public"] {
        chat(&ground, "ada", id).await?;
        let message = said_at(&format!("m-{id}"), "x", "2026-01-01T00:00:00Z");
        save(&ground, id, "ada", json!([message])).await?;
    }
    let publish = json!({"chatId": "public", "userId": "ada", "visibility": "public"});
    ground.ok("chat.update-chat-visibility", publish).await?;
    Ok(ground)
}

#[test]
fn private_chats_are_read_by_their_user_only() -> Result<()> {
    run(async {
        let ground = ground_with_chats().await?;
        for (function, mut arguments) in reading("private") {
            let refusal = ground.refusal(function, arguments.clone()).await?;
            assert_eq!(refusal, "forbidden chat", "{function} without a reader");
            for reader in ["bob", "nobody", "", "ADA"] {
                arguments["reader"] = json!(reader);
                let refusal = ground.refusal(function, arguments.clone()).await?;
                assert_eq!(refusal, "forbidden chat", "{function} by {reader}");
            }
            arguments["reader"] = json!("ada");
            ground.ok(function, arguments).await?;
        }
        Ok(())
    })
}

#[test]
fn public_chats_are_read_by_anyone() -> Result<()> {
    run(async {
        let ground = ground_with_chats().await?;
        for (function, mut arguments) in reading("public") {
            let read = ground.ok(function, arguments.clone()).await?;
            for reader in ["ada", "bob", "nobody"] {
                arguments["reader"] = json!(reader);
                assert_eq!(ground.ok(function, arguments.clone()).await?, read, "{function}");
            }
        }
        Ok(())
    })
}

#[test]
fn an_empty_private_chat_is_forbidden_to_others_and_not_empty() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        chat(&ground, "ada", "empty").await?;
        for (function, mut arguments) in reading("empty").into_iter().take(3) {
            arguments["reader"] = json!("bob");
            let refusal = ground.refusal(function, arguments).await?;
            assert_eq!(refusal, "forbidden chat", "{function}");
        }
        Ok(())
    })
}

#[test]
fn chats_are_written_by_their_user_only_public_or_not() -> Result<()> {
    run(async {
        let ground = ground_with_chats().await?;
        let before = ground.contents(&["chat", "message"]).await?;
        for id in ["private", "public"] {
            for user in ["bob", "nobody", ""] {
                for (function, arguments) in writing(id, user) {
                    let refusal = ground.refusal(function, arguments).await?;
                    assert_eq!(refusal, "forbidden chat", "{function} of {id} by {user:?}");
                }
            }
        }
        assert_eq!(ground.contents(&["chat", "message"]).await?, before);
        for (function, arguments) in writing("public", "ada") {
            ground.ok(function, arguments).await?;
        }
        Ok(())
    })
}

#[test]
fn lists_show_a_users_own_chats_only() -> Result<()> {
    run(async {
        let ground = ground_with_chats().await?;
        let calls = [
            ("chat.get-chats-by-user-id", json!({"userId": "bob", "limit": 10})),
            ("chat.get-top-chats-by-user-id", json!({"userId": "bob"})),
            ("chat.search-chats-by-title", json!({"userId": "bob", "term": "", "limit": 10})),
        ];
        for (function, arguments) in calls {
            assert_eq!(ground.ok(function, arguments).await?, json!([]), "{function}");
        }
        let arguments = json!({"userId": "bob", "limit": 10, "start": "first"});
        let page = ground.ok("chat.list-chats", arguments).await?;
        assert_eq!(page, json!({"chats": [], "next": null}));
        Ok(())
    })
}
