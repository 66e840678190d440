//! Making, reading, listing, changing and deleting chats.

use anyhow::Result;
use serde_json::json;

use super::{chat, messages, said, save};
use crate::ground::{Ground, ids, moment, text};
use crate::run;

/// Chats of ada, of which some began at the same time.
const TIES: &str = "
    insert into chat (id, user_id, title, created_at) values
        ('c', 'ada', 'third', '2026-01-02Z'), ('a', 'ada', 'first', '2026-01-01Z'),
        ('b', 'ada', 'second', '2026-01-02Z'), ('d', 'ada', 'fourth', '2026-01-02Z'),
        ('f', 'ada', 'sixth', '2026-01-03Z'), ('e', 'ada', 'fifth', '2026-01-03Z'),
        ('other', 'bob', 'of another user', '2026-01-04Z')";

#[test]
fn a_saved_chat_is_returned_with_what_the_database_chose() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let arguments = json!({"userId": "ada", "title": "Größe & <b>"});
        let saved = ground.ok("chat.save-chat", arguments).await?;
        assert_eq!(text(&saved, "id").len(), 36, "a UUID: {saved}");
        assert_eq!(saved["userId"], "ada");
        assert_eq!(saved["title"], "Größe & <b>");
        assert_eq!(saved["visibility"], "private");
        assert_eq!(saved["createdAt"], saved["updatedAt"]);
        let this_moment = "created_at between now() - interval '5 minutes' and now()";
        assert_eq!(ground.count("chat", this_moment).await?, 1, "by the database's clock");
        let arguments = json!({"chatId": saved["id"], "reader": "ada"});
        assert_eq!(ground.ok("chat.get-chat-by-id", arguments).await?, saved);
        Ok(())
    })
}

#[test]
fn a_chat_keeps_the_id_and_the_visibility_it_is_given() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let arguments = json!({"userId": "ada", "title": "", "id": "mine", "visibility": "public"});
        let saved = ground.ok("chat.save-chat", arguments).await?;
        assert_eq!((text(&saved, "id"), text(&saved, "visibility")), ("mine", "public"));
        Ok(())
    })
}

#[test]
fn a_taken_chat_id_is_a_conflict_with_its_key_whoever_has_it() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        chat(&ground, "ada", "taken").await?;
        let before = ground.contents(&["chat"]).await?;
        for user in ["ada", "bob"] {
            let arguments = json!({"userId": user, "title": "Mine now", "id": "taken"});
            let refusal = ground.refusal("chat.save-chat", arguments).await?;
            assert_eq!(refusal, "conflict chat_pkey");
        }
        assert_eq!(ground.contents(&["chat"]).await?, before);
        Ok(())
    })
}

#[test]
fn a_chat_of_an_unknown_user_is_a_conflict_with_the_foreign_key() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let arguments = json!({"userId": "nobody", "title": "Lost"});
        let refusal = ground.refusal("chat.save-chat", arguments).await?;
        assert_eq!(refusal, "conflict chat_user_id_fkey");
        Ok(())
    })
}

#[test]
fn text_with_a_nul_is_invalid_and_nothing_is_written() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        chat(&ground, "ada", "mine").await?;
        let before = ground.contents(&["chat"]).await?;
        let refusals = [
            ("chat.save-chat", json!({"userId": "ada", "title": "a\0b"})),
            ("chat.save-chat", json!({"userId": "ada", "title": "a", "id": "a\0b"})),
            ("chat.update-chat-title", json!({"chatId": "mine", "userId": "ada", "title": "\0"})),
        ];
        for (function, arguments) in refusals {
            assert_eq!(ground.refusal(function, arguments).await?, "invalid arguments");
        }
        assert_eq!(ground.contents(&["chat"]).await?, before);
        Ok(())
    })
}

#[test]
fn chat_ids_have_1_to_255_characters() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        for id in [String::new(), "x".repeat(256)] {
            let arguments = json!({"userId": "ada", "title": "t", "id": id});
            assert_eq!(ground.refusal("chat.save-chat", arguments).await?, "invalid id");
        }
        // Characters, not bytes.
        chat(&ground, "ada", &"漢".repeat(255)).await?;
        chat(&ground, "ada", "x").await?;
        Ok(())
    })
}

#[test]
fn chats_are_listed_newest_first_and_those_of_one_time_by_id() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        ground.database().run(TIES).await?;
        let user = json!({"userId": "ada", "limit": 200});
        let all = ground.ok("chat.get-chats-by-user-id", user.clone()).await?;
        assert_eq!(ids(&all), ["f", "e", "d", "c", "b", "a"]);
        let mut searched = user;
        searched["term"] = json!("");
        assert_eq!(ground.ok("chat.search-chats-by-title", searched).await?, all);
        let two = json!({"userId": "ada", "limit": 2});
        assert_eq!(ids(&ground.ok("chat.get-chats-by-user-id", two).await?), ["f", "e"]);
        Ok(())
    })
}

#[test]
fn the_top_chats_are_the_five_newest() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        ground.database().run(TIES).await?;
        let function = "chat.get-top-chats-by-user-id";
        let top = ground.ok(function, json!({"userId": "ada"})).await?;
        assert_eq!(ids(&top), ["f", "e", "d", "c", "b"]);
        let other = ground.ok(function, json!({"userId": "bob"})).await?;
        assert_eq!(ids(&other), ["other"]);
        Ok(())
    })
}

#[test]
fn an_unknown_user_has_no_chats() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let nobody = json!({"userId": "nobody"});
        let limited = json!({"userId": "nobody", "limit": 10});
        let all = ground.ok("chat.get-chats-by-user-id", limited).await?;
        assert_eq!(all, json!([]));
        let top = ground.ok("chat.get-top-chats-by-user-id", nobody.clone()).await?;
        assert_eq!(top, json!([]));
        assert_eq!(ground.ok("chat.delete-chats-by-user-id", nobody).await?, json!(0));
        Ok(())
    })
}

#[test]
fn limits_outside_1_to_200_are_invalid() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        chat(&ground, "ada", "mine").await?;
        let calls = [
            ("chat.get-chats-by-user-id", json!({"userId": "ada"})),
            ("chat.list-chats", json!({"userId": "ada", "start": "first"})),
            ("chat.search-chats-by-title", json!({"userId": "ada", "term": ""})),
            ("chat.list-messages", json!({"chatId": "mine", "reader": "ada", "start": "first"})),
        ];
        for (function, arguments) in calls {
            let with = |limit: u32| {
                let mut arguments = arguments.clone();
                arguments["limit"] = json!(limit);
                arguments
            };
            for limit in [0, 201, u32::MAX] {
                let refusal = ground.refusal(function, with(limit)).await?;
                assert_eq!(refusal, "invalid limit", "{function} with {limit}");
            }
            for limit in [1, 200] {
                ground.ok(function, with(limit)).await?;
            }
        }
        Ok(())
    })
}

#[test]
fn a_new_visibility_is_kept_and_nothing_else_changes() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let before = chat(&ground, "ada", "mine").await?;
        let arguments = json!({"chatId": "mine", "userId": "ada", "visibility": "public"});
        let after = ground.ok("chat.update-chat-visibility", arguments).await?;
        assert_eq!(after["visibility"], "public");
        assert!(moment(&after, "updatedAt") > moment(&before, "updatedAt"), "{before} {after}");
        for member in ["id", "userId", "title", "createdAt"] {
            assert_eq!(after[member], before[member]);
        }
        let read = ground.ok("chat.get-chat-by-id", json!({"chatId": "mine"})).await?;
        assert_eq!(read, after);
        Ok(())
    })
}

#[test]
fn a_new_title_is_kept_and_nothing_else_changes() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let before = chat(&ground, "ada", "mine").await?;
        let arguments = json!({"chatId": "mine", "userId": "ada", "title": "Better"});
        let after = ground.ok("chat.update-chat-title", arguments).await?;
        assert_eq!(after["title"], "Better");
        assert!(moment(&after, "updatedAt") > moment(&before, "updatedAt"), "{before} {after}");
        for member in ["id", "userId", "visibility", "createdAt"] {
            assert_eq!(after[member], before[member]);
        }
        let arguments = json!({"chatId": "mine", "reader": "ada"});
        assert_eq!(ground.ok("chat.get-chat-by-id", arguments).await?, after);
        Ok(())
    })
}

#[test]
fn a_deleted_chat_is_returned_and_takes_its_messages_along() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let gone = chat(&ground, "ada", "gone").await?;
        chat(&ground, "ada", "kept").await?;
        save(&ground, "gone", "ada", json!([said("1", "a"), said("2", "b")])).await?;
        save(&ground, "kept", "ada", json!([said("3", "c")])).await?;
        let arguments = json!({"chatId": "gone", "userId": "ada"});
        assert_eq!(ground.ok("chat.delete-chat-by-id", arguments.clone()).await?, gone);
        assert_eq!(ground.count("message", "chat_id = 'gone'").await?, 0);
        assert_eq!(ids(&messages(&ground, "kept", "ada").await?), ["3"]);
        let again = ground.refusal("chat.delete-chat-by-id", arguments).await?;
        assert_eq!(again, "not-found chat");
        Ok(())
    })
}

#[test]
fn deleting_a_users_chats_leaves_those_of_others() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        ground.database().run(TIES).await?;
        save(&ground, "a", "ada", json!([said("1", "a")])).await?;
        let arguments = json!({"userId": "ada"});
        let deleted = ground.ok("chat.delete-chats-by-user-id", arguments.clone()).await?;
        assert_eq!(deleted, json!(6));
        assert_eq!(ground.count("chat", "user_id = 'ada'").await?, 0);
        assert_eq!(ground.count("message", "id = '1'").await?, 0);
        assert_eq!(ground.count("chat", "user_id = 'bob'").await?, 1);
        let again = ground.ok("chat.delete-chats-by-user-id", arguments).await?;
        assert_eq!(again, json!(0));
        Ok(())
    })
}
