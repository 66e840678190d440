//! Counting what a user has.

use anyhow::Result;
use serde_json::json;

use super::chat;
use crate::ground::Ground;
use crate::run;

#[test]
fn a_users_own_messages_are_counted_within_the_hours_asked_for() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        chat(&ground, "ada", "mine").await?;
        chat(&ground, "ada", "mine too").await?;
        chat(&ground, "bob", "theirs").await?;
        let sql = "insert into message (id, chat_id, role, parts, created_at)
            select 'm' || row_number() over (), chat, role, '1', now() - minutes * interval '1 minute'
            from (values ('mine', 'user', 50), ('mine', 'user', 70), ('mine too', 'user', 0),
                ('mine', 'assistant', 0), ('mine', 'system', 0), ('theirs', 'user', 0),
                ('mine', 'user', 8784 * 60 - 10), ('mine', 'user', 8784 * 60 + 10)
            ) as said (chat, role, minutes)";
        ground.database().run(sql).await?;
        let count = async |user: &str, hours: u32| {
            let arguments = json!({"userId": user, "hours": hours});
            ground.ok("chat.get-message-count-by-user-id", arguments).await
        };
        assert_eq!(count("ada", 1).await?, json!(2));
        assert_eq!(count("ada", 2).await?, json!(3));
        assert_eq!(count("ada", 8784).await?, json!(4));
        assert_eq!(count("bob", 1).await?, json!(1));
        assert_eq!(count("nobody", 24).await?, json!(0));
        for hours in [0, 8785, u32::MAX] {
            let arguments = json!({"userId": "ada", "hours": hours});
            let refusal = ground.refusal("chat.get-message-count-by-user-id", arguments).await?;
            assert_eq!(refusal, "invalid hours");
        }
        Ok(())
    })
}

#[test]
fn statistics_count_a_users_own_things_only() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let stats = ground.ok("chat.get-user-stats", json!({"userId": "user-1"})).await?;
        assert_eq!(
            stats,
            json!({"chats": 4, "publicChats": 1, "messages": 36, "userMessages": 18,
                "lastMessageAt": "2025-02-05T10:03:42.00001Z"})
        );
        Ok(())
    })
}

#[test]
fn without_chats_or_without_a_user_statistics_are_zeros() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let zeros = json!({"chats": 0, "publicChats": 0, "messages": 0, "userMessages": 0,
            "lastMessageAt": null});
        for user in ["ada", "nobody"] {
            let stats = ground.ok("chat.get-user-stats", json!({"userId": user})).await?;
            assert_eq!(stats, zeros);
        }
        chat(&ground, "ada", "empty").await?;
        let stats = ground.ok("chat.get-user-stats", json!({"userId": "ada"})).await?;
        assert_eq!(stats["chats"], 1);
        assert_eq!(stats["messages"], 0);
        Ok(())
    })
}
