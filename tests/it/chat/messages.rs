//! Reading and deleting messages.

use anyhow::Result;
use serde_json::json;

use super::{chat, messages, said, said_at, save};
use crate::ground::{Ground, ids};
use crate::run;

#[test]
fn messages_are_read_oldest_first_and_those_of_one_time_by_id() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        chat(&ground, "ada", "mine").await?;
        let at = "2026-01-01T00:00:00.000001Z";
        let given = json!([
            said_at("c", "third", at),
            said_at("a", "first", at),
            said_at("b", "second", at),
            said_at("z", "earliest", "2026-01-01T00:00:00Z"),
            said_at("0", "latest", "2026-01-01T00:00:00.000002Z"),
        ]);
        save(&ground, "mine", "ada", given).await?;
        assert_eq!(ids(&messages(&ground, "mine", "ada").await?), ["z", "a", "b", "c", "0"]);
        let arguments = json!({"chatId": "mine", "reader": "ada", "limit": 200, "start": "first"});
        let page = ground.ok("chat.list-messages", arguments).await?;
        assert_eq!(page["messages"], messages(&ground, "mine", "ada").await?);
        assert_eq!(page["next"], json!(null));
        Ok(())
    })
}

#[test]
fn one_message_is_one_value_and_as_the_list_has_it() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let arguments = json!({"messageId": "message-2-1", "reader": "user-1"});
        let message = ground.ok("chat.get-message-by-id", arguments).await?;
        assert_eq!(message, messages(&ground, "chat-2", "user-1").await?[0]);
        assert_eq!(message["role"], "user");
        assert_eq!(message["parts"][0]["text"], "What do the five lines mean?");
        assert_eq!(message["attachments"], json!([]));
        Ok(())
    })
}

#[test]
fn what_is_not_there_is_not_found_and_not_empty() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let calls = [
            ("chat.get-chat-by-id", json!({"chatId": "none"})),
            ("chat.get-messages-by-chat-id", json!({"chatId": "none", "reader": "ada"})),
            ("chat.list-messages", json!({"chatId": "none", "limit": 1, "start": "first"})),
            ("chat.update-chat-title", json!({"chatId": "none", "userId": "ada", "title": "t"})),
            (
                "chat.update-chat-visibility",
                json!({"chatId": "none", "userId": "ada", "visibility": "public"}),
            ),
            ("chat.delete-chat-by-id", json!({"chatId": "none", "userId": "ada"})),
            (
                "chat.save-messages",
                json!({"chatId": "none", "userId": "ada", "messages": [said("1", "a")]}),
            ),
            (
                "chat.delete-messages-by-chat-id-after-timestamp",
                json!({"chatId": "none", "userId": "ada", "timestamp": "2026-01-01T00:00:00Z"}),
            ),
        ];
        for (function, arguments) in calls {
            assert_eq!(ground.refusal(function, arguments).await?, "not-found chat", "{function}");
        }
        let message = json!({"messageId": "none", "reader": "ada"});
        let refusal = ground.refusal("chat.get-message-by-id", message).await?;
        assert_eq!(refusal, "not-found message");
        chat(&ground, "ada", "empty").await?;
        assert_eq!(messages(&ground, "empty", "ada").await?, json!([]));
        let page = json!({"chatId": "empty", "reader": "ada", "limit": 1, "start": "first"});
        let page = ground.ok("chat.list-messages", page).await?;
        assert_eq!(page, json!({"messages": [], "next": null}));
        Ok(())
    })
}

#[test]
fn messages_are_deleted_from_that_very_microsecond_on() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        chat(&ground, "ada", "mine").await?;
        chat(&ground, "ada", "other").await?;
        let given = json!([
            said_at("before", "x", "2026-01-01T12:00:00.123455Z"),
            said_at("at", "x", "2026-01-01T12:00:00.123456Z"),
            said_at("after", "x", "2026-01-01T12:00:00.123457Z"),
        ]);
        save(&ground, "mine", "ada", given).await?;
        save(&ground, "other", "ada", json!([said_at("kept", "x", "2026-01-02T00:00:00Z")]))
            .await?;
        let function = "chat.delete-messages-by-chat-id-after-timestamp";
        let arguments =
            json!({"chatId": "mine", "userId": "ada", "timestamp": "2026-01-01T12:00:00.123456Z"});
        assert_eq!(ground.ok(function, arguments.clone()).await?, json!(2));
        assert_eq!(ids(&messages(&ground, "mine", "ada").await?), ["before"]);
        assert_eq!(ids(&messages(&ground, "other", "ada").await?), ["kept"]);
        assert_eq!(ground.ok(function, arguments).await?, json!(0));
        let all = json!({"chatId": "mine", "userId": "ada", "timestamp": "-infinity"});
        assert_eq!(ground.ok(function, all).await?, json!(1));
        Ok(())
    })
}

#[test]
fn more_messages_than_the_calls_budget_of_rows_fail_instead_of_being_cut() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        chat(&ground, "ada", "long").await?;
        let sql = "insert into message (id, chat_id, role, parts, created_at)
            select 'm' || n, 'long', 'user', '1', timestamptz '2026-01-01Z' + n * interval '1 s'
            from generate_series(1, 100001) n";
        ground.database().run(sql).await?;
        let arguments = json!({"chatId": "long", "reader": "ada"});
        let refusal = ground.refusal("chat.get-messages-by-chat-id", arguments).await?;
        assert_eq!(refusal, "database limit rows 100000");
        let page = json!({"chatId": "long", "reader": "ada", "limit": 1, "start": "first"});
        let page = ground.ok("chat.list-messages", page).await?;
        assert_eq!(ids(&page["messages"]), ["m1"]);
        Ok(())
    })
}
