//! Deleting chats that nobody wrote to.

use anyhow::Result;
use serde_json::json;

use crate::ground::Ground;
use crate::run;

const FUNCTION: &str = "chat.cleanup";

/// Chats of two users: empty or not, of 29 and of 31 days ago.
const CHATS: &str = "
    insert into chat (id, user_id, title, created_at) values
        ('old', 'ada', 't', now() - interval '31 days'), ('old too', 'bob', 't', now() - interval '31 days'),
        ('young', 'ada', 't', now() - interval '29 days'), ('said', 'ada', 't', now() - interval '31 days');
    insert into message (id, chat_id, role, parts) values ('m', 'said', 'user', '1')";

#[test]
fn only_empty_chats_older_than_asked_for_are_deleted() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        ground.database().run(CHATS).await?;
        let before = ground.count("chat", "true").await?;
        assert_eq!(ground.ok(FUNCTION, json!({"olderThanDays": 30})).await?, json!(2));
        assert_eq!(ground.count("chat", "id in ('old', 'old too')").await?, 0);
        assert_eq!(ground.count("chat", "true").await?, before - 2);
        assert_eq!(ground.ok(FUNCTION, json!({"olderThanDays": 30})).await?, json!(0));
        // What lost its messages is empty too.
        ground.database().run("delete from message where id = 'm'").await?;
        assert_eq!(ground.ok(FUNCTION, json!({"olderThanDays": 30})).await?, json!(1));
        Ok(())
    })
}

#[test]
fn days_outside_1_to_36500_are_invalid() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        ground.database().run(CHATS).await?;
        let before = ground.contents(&["chat"]).await?;
        for days in [0, 36501, u32::MAX] {
            let refusal = ground.refusal(FUNCTION, json!({"olderThanDays": days})).await?;
            assert_eq!(refusal, "invalid older-than-days");
        }
        assert_eq!(ground.ok(FUNCTION, json!({"olderThanDays": 36500})).await?, json!(0));
        assert_eq!(ground.contents(&["chat"]).await?, before);
        Ok(())
    })
}

#[test]
fn a_chat_that_somebody_is_writing_to_is_left_and_not_waited_for() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        ground.database().run(CHATS).await?;
        let writer = ground.database().session().await?;
        writer.batch("begin; insert into message (id, chat_id, role, parts) values ('w', 'old', 'user', '1')").await?;
        assert_eq!(ground.ok(FUNCTION, json!({"olderThanDays": 30})).await?, json!(1));
        writer.batch("commit").await?;
        assert_eq!(ground.count("message", "chat_id = 'old'").await?, 1);
        assert_eq!(ground.count("chat", "id = 'old too'").await?, 0);
        Ok(())
    })
}

#[test]
fn ten_thousand_chats_are_deleted_at_a_time_the_oldest_first() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let sql = "insert into chat (id, user_id, title, created_at)
            select 'c' || n, 'ada', 't', now() - interval '31 days' - n * interval '1 s'
            from generate_series(1, 10001) n order by random()";
        ground.database().run(sql).await?;
        assert_eq!(ground.ok(FUNCTION, json!({"olderThanDays": 30})).await?, json!(10000));
        assert_eq!(ground.count("chat", "id = 'c1'").await?, 1, "the youngest is left");
        assert_eq!(ground.ok(FUNCTION, json!({"olderThanDays": 30})).await?, json!(1));
        Ok(())
    })
}
