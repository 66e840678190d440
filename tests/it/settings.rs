//! The query functions of user settings.

use anyhow::Result;
use avenire_sdk::schema::user_settings::defaults;
use serde_json::{Value, json};

use crate::ground::{Ground, moment};
use crate::run;

async fn get(ground: &Ground, user: &str) -> Result<Value> {
    ground.ok("settings.get-settings", json!({"userId": user})).await
}

fn changing(user: &str, changes: &Value) -> Value {
    json!({"userId": user, "changes": changes})
}

const UPDATE: &str = "settings.update-settings";

#[test]
fn the_defaults_are_those_of_the_tables_columns() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let sql = "delete from user_settings where user_id in ('ada', 'bob');
            insert into user_settings (user_id) values ('ada')";
        ground.database().run(sql).await?;
        let stored = get(&ground, "ada").await?;
        assert!(stored["updatedAt"].is_string(), "{stored}");
        let mut absent = get(&ground, "bob").await?;
        assert_eq!(absent["updatedAt"], json!(null), "defaults were never changed");
        absent["userId"] = json!("ada");
        absent["updatedAt"] = stored["updatedAt"].clone();
        assert_eq!(absent, stored);
        assert_eq!(stored["model"], defaults::MODEL);
        assert_eq!(stored["learningStyle"], defaults::LEARNING_STYLE);
        assert_eq!(stored["difficulty"], defaults::DIFFICULTY);
        assert_eq!(stored["pacing"], defaults::PACING);
        assert_eq!(stored["emailNotification"], defaults::EMAIL_NOTIFICATION);
        Ok(())
    })
}

#[test]
fn reading_settings_makes_none() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let before = ground.contents(&["user_settings"]).await?;
        assert_eq!(get(&ground, "nobody").await?["userId"], "nobody");
        assert_eq!(ground.contents(&["user_settings"]).await?, before);
        Ok(())
    })
}

#[test]
fn a_change_keeps_the_rest() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let changes = [
            ("model", json!("another")),
            ("learningStyle", json!("")),
            ("difficulty", json!(10)),
            ("pacing", json!(false)),
            ("emailNotification", json!(true)),
            ("difficulty", json!(1)),
        ];
        let mut expected = get(&ground, "ada").await?;
        for (name, value) in changes {
            let after = ground.ok(UPDATE, changing("ada", &json!({name: value}))).await?;
            assert!(moment(&after, "updatedAt") > moment(&expected, "updatedAt"), "{after}");
            expected[name] = value;
            expected["updatedAt"] = after["updatedAt"].clone();
            assert_eq!(after, expected);
            assert_eq!(get(&ground, "ada").await?, expected);
        }
        assert_eq!(get(&ground, "user-2").await?["learningStyle"], "visual", "others are left");
        Ok(())
    })
}

#[test]
fn several_settings_change_at_once() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let all = json!({"model": "m", "learningStyle": "l", "difficulty": 3, "pacing": false,
            "emailNotification": true});
        let changed = ground.ok(UPDATE, changing("user-2", &all)).await?;
        for (name, value) in all.as_object().unwrap() {
            assert_eq!(changed[name], *value);
        }
        Ok(())
    })
}

#[test]
fn a_change_of_absent_settings_is_made_on_top_of_the_defaults() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        ground.database().run("delete from user_settings where user_id = 'ada'").await?;
        let mut expected = get(&ground, "ada").await?;
        let changed = ground.ok(UPDATE, changing("ada", &json!({"difficulty": 9}))).await?;
        expected["difficulty"] = json!(9);
        expected["updatedAt"] = changed["updatedAt"].clone();
        assert_eq!(changed, expected);
        assert_eq!(get(&ground, "ada").await?, expected);
        Ok(())
    })
}

#[test]
fn settings_of_an_unknown_user_can_not_be_changed() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let refusal = ground.refusal(UPDATE, changing("nobody", &json!({"difficulty": 9}))).await?;
        assert_eq!(refusal, "not-found user");
        Ok(())
    })
}

#[test]
fn what_can_not_be_stored_is_invalid_and_changes_nothing() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let before = ground.contents(&["user_settings"]).await?;
        for difficulty in [0, 11, 255] {
            let changes = json!({"model": "changed", "difficulty": difficulty});
            let refusal = ground.refusal(UPDATE, changing("ada", &changes)).await?;
            assert_eq!(refusal, "invalid difficulty", "{difficulty}");
        }
        let refusal = ground.refusal(UPDATE, changing("ada", &json!({"model": "a\0b"}))).await?;
        assert_eq!(refusal, "invalid arguments");
        assert_eq!(ground.contents(&["user_settings"]).await?, before);
        Ok(())
    })
}
