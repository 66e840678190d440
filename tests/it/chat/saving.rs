//! Saving messages: many at once, in order, replaced where they are, and never at the
//! cost of another chat.

use std::sync::Arc;

use anyhow::Result;
use serde_json::{Value, json};

use super::{chat, messages, said, said_at, save, words};
use crate::ground::{Ground, each, ids, moment, text};
use crate::patience::eventually;
use crate::run;

const FUNCTION: &str = "chat.save-messages";

#[test]
fn a_message_comes_back_as_it_was_saved() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        chat(&ground, "ada", "mine").await?;
        let roles = ["user", "assistant", "system", "tool", "data"];
        let given: Vec<Value> = roles
            .iter()
            .enumerate()
            .map(|(n, role)| {
                json!({
                    "id": format!("m{n}"), "role": role, "createdAt": format!("2026-01-01T00:00:0{n}.000001Z"),
                    // Numbers that no float holds, text beyond ASCII, nothing at all.
                    "parts": {"n": 12_345_678_901_234_567_890_u64, "größe": ["漢", null, {}]},
                    "attachments": [{"url": "https://example.org/a.png"}],
                })
            })
            .collect();
        let saved = save(&ground, "mine", "ada", json!(given)).await?;
        assert_eq!(ids(&saved), ["m0", "m1", "m2", "m3", "m4"]);
        let read = messages(&ground, "mine", "ada").await?;
        for (given, read) in given.iter().zip(read.as_array().unwrap()) {
            let mut expected = given.clone();
            expected["chatId"] = json!("mine");
            assert_eq!(*read, expected);
        }
        assert_eq!(each(&read, "role"), roles);
        Ok(())
    })
}

#[test]
fn what_is_left_out_is_chosen_by_the_database() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        chat(&ground, "ada", "mine").await?;
        let saved = save(&ground, "mine", "ada", json!([{"role": "user", "parts": []}])).await?;
        assert_eq!(text(&saved[0], "id").len(), 36, "a UUID: {saved}");
        let read = messages(&ground, "mine", "ada").await?;
        assert_eq!(read[0]["id"], saved[0]["id"]);
        assert_eq!(read[0]["createdAt"], saved[0]["createdAt"]);
        assert_eq!(read[0]["attachments"], json!([]));
        let this_moment = "created_at between now() - interval '5 minutes' and now()";
        assert_eq!(ground.count("message", this_moment).await?, 1);
        Ok(())
    })
}

#[test]
fn messages_saved_in_one_call_keep_their_order() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        chat(&ground, "ada", "mine").await?;
        let said_in_turn: Vec<String> = (0..50).map(|n| format!("word {n}")).collect();
        let given: Vec<Value> = said_in_turn
            .iter()
            .map(|word| json!({"role": "user", "parts": [{"text": word}]}))
            .collect();
        let saved = save(&ground, "mine", "ada", json!(given)).await?;
        let saved_messages = saved.as_array().unwrap().iter();
        let times: Vec<_> = saved_messages.map(|message| moment(message, "createdAt")).collect();
        assert!(times.is_sorted_by(|a, b| a < b), "each is later than the one before: {times:?}");
        let read = messages(&ground, "mine", "ada").await?;
        let read_words: Vec<&str> = read.as_array().unwrap().iter().map(words).collect();
        assert_eq!(read_words, said_in_turn);
        assert_eq!(ids(&read), ids(&saved), "returned in the order given");
        Ok(())
    })
}

#[test]
fn saved_messages_are_returned_in_the_order_given_whatever_their_times() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        chat(&ground, "ada", "mine").await?;
        let given = json!([
            said_at("z", "x", "2026-01-03T00:00:00Z"),
            said_at("m", "x", "2026-01-01T00:00:00Z"),
            said("a", "x"),
            said_at("b", "x", "2026-01-02T00:00:00Z"),
        ]);
        let saved = save(&ground, "mine", "ada", given).await?;
        assert_eq!(ids(&saved), ["z", "m", "a", "b"]);
        assert_eq!(ids(&messages(&ground, "mine", "ada").await?), ["m", "b", "z", "a"]);
        Ok(())
    })
}

#[test]
fn a_message_the_chat_has_is_replaced_and_keeps_its_time_unless_one_is_given() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        chat(&ground, "ada", "mine").await?;
        let given = json!([
            {"id": "1", "role": "user", "parts": [{"text": "old"}], "attachments": [1],
                "createdAt": "2026-01-01T00:00:00Z"},
            said_at("2", "old", "2026-01-02T00:00:00Z"),
        ]);
        save(&ground, "mine", "ada", given).await?;
        let given = json!([
            {"id": "1", "role": "assistant", "parts": [{"text": "new"}]},
            said_at("2", "newer", "2025-01-01T00:00:00Z"),
            said("3", "more"),
        ]);
        let saved = save(&ground, "mine", "ada", given).await?;
        assert_eq!(ids(&saved), ["1", "2", "3"]);
        let read = messages(&ground, "mine", "ada").await?;
        assert_eq!(ids(&read), ["2", "1", "3"]);
        assert_eq!(read[0]["createdAt"], "2025-01-01T00:00:00Z");
        assert_eq!(
            read[1],
            json!({"id": "1", "chatId": "mine", "role": "assistant", "parts": [{"text": "new"}],
                "attachments": [], "createdAt": "2026-01-01T00:00:00Z"})
        );
        Ok(())
    })
}

#[test]
fn a_message_of_another_chat_is_refused_and_everything_stays_as_it_was() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        chat(&ground, "ada", "mine").await?;
        chat(&ground, "ada", "mine too").await?;
        chat(&ground, "bob", "theirs").await?;
        save(&ground, "mine", "ada", json!([said("1", "kept")])).await?;
        save(&ground, "mine too", "ada", json!([said("2", "kept")])).await?;
        save(&ground, "theirs", "bob", json!([said("3", "kept")])).await?;
        let before = ground.contents(&["chat", "message"]).await?;
        for foreign in ["2", "3"] {
            // A new message and a replacement stand beside the one that is refused.
            let given = json!([said("new", "x"), said("1", "changed"), said(foreign, "stolen")]);
            let arguments = json!({"chatId": "mine", "userId": "ada", "messages": given});
            let refusal = ground.refusal(FUNCTION, arguments).await?;
            assert_eq!(refusal, "conflict message_pkey");
        }
        assert_eq!(ground.contents(&["chat", "message"]).await?, before);
        Ok(())
    })
}

#[test]
fn no_messages_are_nothing_to_do() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        chat(&ground, "ada", "mine").await?;
        let before = ground.contents(&["chat", "message"]).await?;
        for chat in ["mine", "no such chat", "chat-1"] {
            assert_eq!(save(&ground, chat, "ada", json!([])).await?, json!([]));
        }
        assert_eq!(ground.contents(&["chat", "message"]).await?, before);
        Ok(())
    })
}

#[test]
fn an_id_given_twice_is_invalid_and_nothing_is_saved() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        chat(&ground, "ada", "mine").await?;
        let given = json!([said("1", "a"), said("2", "b"), said("1", "c")]);
        let arguments = json!({"chatId": "mine", "userId": "ada", "messages": given});
        assert_eq!(ground.refusal(FUNCTION, arguments).await?, "invalid messages");
        assert_eq!(messages(&ground, "mine", "ada").await?, json!([]));
        Ok(())
    })
}

#[test]
fn one_bad_message_keeps_all_from_being_saved() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        chat(&ground, "ada", "mine").await?;
        let bad = [
            said("", "an empty id"),
            said(&"x".repeat(256), "a long id"),
            said("a\0b", "an id with a NUL"),
            said("1", "a NUL \0 in JSON"),
        ];
        for bad in bad {
            let given = json!([said("good", "x"), bad]);
            let arguments = json!({"chatId": "mine", "userId": "ada", "messages": given});
            assert_eq!(ground.refusal(FUNCTION, arguments).await?, "invalid messages", "{bad}");
        }
        assert_eq!(messages(&ground, "mine", "ada").await?, json!([]));
        Ok(())
    })
}

#[test]
fn a_thousand_messages_are_saved_at_once_and_one_more_is_invalid() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        chat(&ground, "ada", "mine").await?;
        let mut given: Vec<Value> = (0..1000).map(|n| said(&format!("m{n}"), "x")).collect();
        let saved = save(&ground, "mine", "ada", json!(given)).await?;
        assert_eq!(saved.as_array().unwrap().len(), 1000);
        assert_eq!(ids(&messages(&ground, "mine", "ada").await?), ids(&saved));
        given.push(said("one more", "x"));
        let arguments = json!({"chatId": "mine", "userId": "ada", "messages": given});
        assert_eq!(ground.refusal(FUNCTION, arguments).await?, "invalid messages");
        assert_eq!(ground.count("message", "chat_id = 'mine'").await?, 1000);
        Ok(())
    })
}

#[test]
fn messages_are_locked_in_the_order_of_their_ids_whatever_order_they_are_given_in() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        chat(&ground, "ada", "mine").await?;
        save(&ground, "mine", "ada", json!([said("a", "x"), said("b", "x")])).await?;
        let writer = ground.database().session().await?;
        let lock = |id: &str| format!("update message set role = 'tool' where id = '{id}'");
        writer.batch(&format!("begin; {}", lock("a"))).await?;
        let saving = tokio::spawn({
            let ground = Arc::clone(&ground);
            async move { save(&ground, "mine", "ada", json!([said("b", "y"), said("a", "y")])).await }
        });
        eventually("the call waits for the other writer", async || {
            let waiting = "datname = current_database() and wait_event_type = 'Lock'";
            Ok(ground.count("pg_stat_activity", waiting).await? > 0)
        })
        .await?;
        // Had the call locked `b` already, both would wait for each other.
        writer.batch(&format!("{}; commit", lock("b"))).await?;
        saving.await??;
        let read = messages(&ground, "mine", "ada").await?;
        assert_eq!(each(&read, "role"), ["user", "user"]);
        Ok(())
    })
}
