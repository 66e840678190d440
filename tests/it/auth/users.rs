//! Making, finding, changing and deleting users.

use anyhow::Result;
use serde_json::{Value, json};

use crate::ground::{Ground, moment, new_user, text};
use crate::run;

/// Changes that leave everything as it is.
fn no_changes() -> Value {
    json!({"image": "keep", "username": "keep", "displayUsername": "keep"})
}

/// Those changes for a user.
fn changing(user: &str, changes: &Value) -> Value {
    let mut all = no_changes();
    for (name, change) in changes.as_object().into_iter().flatten() {
        all[name] = change.clone();
    }
    json!({"userId": user, "changes": all})
}

fn set(value: &str) -> Value {
    json!({"tag": "set", "val": value})
}

#[test]
fn a_new_user_is_returned_and_found_by_id_address_and_name() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let new = json!({
            "id": "cy", "name": "Cy Größe", "email": "Cy@Example.org", "emailVerified": true,
            "image": "https://example.org/cy.png", "username": "CyTheCat", "displayUsername": "Cy the Cat",
        });
        let user = ground.ok("auth.create-user", json!({"user": new})).await?;
        for (name, value) in new.as_object().unwrap() {
            assert_eq!(user[name], *value, "{name} is kept as written");
        }
        assert_eq!(user["createdAt"], user["updatedAt"]);
        let by_id = ground.ok("auth.get-user-by-id", json!({"userId": "cy"})).await?;
        assert_eq!(by_id, user);
        for email in ["Cy@Example.org", "cy@example.org", "CY@EXAMPLE.ORG"] {
            let found = ground.ok("auth.get-user-by-email", json!({"email": email})).await?;
            assert_eq!(found, user);
        }
        for username in ["CyTheCat", "cythecat", "CYTHECAT"] {
            let arguments = json!({"username": username});
            assert_eq!(ground.ok("auth.get-user-by-username", arguments).await?, user);
        }
        Ok(())
    })
}

#[test]
fn what_a_new_user_leaves_out_is_chosen_or_absent() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let new = json!({"name": "", "email": "d@e", "emailVerified": false});
        let user = ground.ok("auth.create-user", json!({"user": new})).await?;
        assert_eq!(text(&user, "id").len(), 36, "a UUID: {user}");
        for member in ["image", "username", "displayUsername"] {
            assert_eq!(user[member], json!(null));
        }
        Ok(())
    })
}

#[test]
fn a_new_user_has_settings() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let user = ground.ok("auth.create-user", json!({"user": new_user("cy")})).await?;
        let settings = ground.ok("settings.get-settings", json!({"userId": "cy"})).await?;
        assert_eq!(settings["updatedAt"], user["createdAt"], "a row, made in the same moment");
        Ok(())
    })
}

#[test]
fn addresses_and_usernames_are_taken_however_they_are_capitalised() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let mut first = new_user("cy");
        first["username"] = json!("cy");
        ground.ok("auth.create-user", json!({"user": first})).await?;
        let before = ground.contents(&["users", "user_settings"]).await?;
        let attempts = [
            ("email", "CY@example.ORG", "conflict users_email_key"),
            ("username", "CY", "conflict users_username_key"),
            ("id", "cy", "conflict users_pkey"),
        ];
        for (member, taken, expected) in attempts {
            let mut user = new_user("eve");
            user[member] = json!(taken);
            let refusal = ground.refusal("auth.create-user", json!({"user": user})).await?;
            assert_eq!(refusal, expected);
            if member != "id" {
                let change = if member == "email" { json!(taken) } else { set(taken) };
                let arguments = changing("ada", &json!({member: change, "name": "changed"}));
                assert_eq!(ground.refusal("auth.update-user", arguments).await?, expected);
            }
        }
        assert_eq!(ground.contents(&["users", "user_settings"]).await?, before);
        // What is one's own is not taken, and ids are told apart by case.
        let own = changing("cy", &json!({"email": "CY@example.org", "username": set("CY")}));
        assert_eq!(ground.ok("auth.update-user", own).await?["username"], "CY");
        let other = json!({"id": "CY", "name": "", "email": "x@y.z", "emailVerified": false});
        ground.ok("auth.create-user", json!({"user": other})).await?;
        Ok(())
    })
}

#[test]
fn what_is_no_address_id_or_username_is_invalid_and_makes_no_user() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let before = ground.contents(&["users", "user_settings"]).await?;
        let attempts = [
            ("email", "no-at-sign".to_owned(), "invalid email"),
            ("email", "@example.org".to_owned(), "invalid email"),
            ("email", "a@".to_owned(), "invalid email"),
            ("email", format!("{}@example.org", "x".repeat(309)), "invalid email"),
            ("username", String::new(), "invalid username"),
            ("username", "x".repeat(256), "invalid username"),
            ("id", String::new(), "invalid id"),
            ("id", "x".repeat(256), "invalid id"),
            ("name", "a\0b".to_owned(), "invalid arguments"),
        ];
        for (member, value, expected) in attempts {
            let mut user = new_user("eve");
            user[member] = json!(value);
            let refusal = ground.refusal("auth.create-user", json!({"user": user})).await?;
            assert_eq!(refusal, expected, "{member} {value:?}");
        }
        assert_eq!(ground.contents(&["users", "user_settings"]).await?, before);
        Ok(())
    })
}

#[test]
fn a_change_keeps_clears_and_sets_as_asked() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let changes = json!({
            "name": "Ada", "email": "ada@new.example", "emailVerified": true,
            "image": set("https://example.org/a.png"), "username": set("ada"), "displayUsername": set(""),
        });
        let arguments = changing("ada", &changes);
        let first = ground.ok("auth.update-user", arguments).await?;
        assert_eq!(first["emailVerified"], true);
        assert_eq!(first["email"], "ada@new.example");
        assert_eq!(first["displayUsername"], "", "an empty text is not an absent one");
        assert!(moment(&first, "updatedAt") > moment(&first, "createdAt"));

        let second =
            ground.ok("auth.update-user", changing("ada", &json!({"image": "clear"}))).await?;
        let mut expected = first.clone();
        expected["image"] = json!(null);
        expected["updatedAt"] = second["updatedAt"].clone();
        assert_eq!(second, expected, "the rest is kept");
        let cleared = changing("ada", &json!({"username": "clear", "displayUsername": "clear"}));
        let third = ground.ok("auth.update-user", cleared).await?;
        assert_eq!((&third["username"], &third["displayUsername"]), (&json!(null), &json!(null)));
        let stored = ground.ok("auth.get-user-by-id", json!({"userId": "ada"})).await?;
        assert_eq!(stored, third);
        Ok(())
    })
}

#[test]
fn a_user_who_is_not_there_is_not_found() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let before = ground.contents(&["users"]).await?;
        let calls = [
            ("auth.get-user-by-id", json!({"userId": "nobody"})),
            ("auth.get-user-by-email", json!({"email": "nobody@example.org"})),
            ("auth.get-user-by-email", json!({"email": "%@example.org"})),
            ("auth.get-user-by-username", json!({"username": "nobody"})),
            ("auth.update-user", changing("nobody", &json!({"name": "x"}))),
            ("auth.delete-user", json!({"userId": "nobody"})),
        ];
        for (function, arguments) in calls {
            assert_eq!(ground.refusal(function, arguments).await?, "not-found user", "{function}");
        }
        assert_eq!(ground.contents(&["users"]).await?, before);
        Ok(())
    })
}

#[test]
fn a_deleted_user_takes_everything_along_and_nothing_of_others() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let user = ground.ok("auth.get-user-by-id", json!({"userId": "user-1"})).await?;
        let others = "select
            (select count(*) from users where id <> 'user-1')
            + (select count(*) from accounts where user_id <> 'user-1')
            + (select count(*) from passkeys where user_id <> 'user-1')
            + (select count(*) from user_settings where user_id <> 'user-1')
            + (select count(*) from email_verifications)
            + (select count(*) from message join chat on chat.id = chat_id where user_id <> 'user-1')";
        let others_before = ground.database().count(others).await?;
        assert!(ground.count("chat", "user_id = 'user-1'").await? > 0);
        let arguments = json!({"userId": "user-1"});
        assert_eq!(ground.ok("auth.delete-user", arguments.clone()).await?, user);
        for table in ["accounts", "passkeys", "chat", "user_settings"] {
            assert_eq!(ground.count(table, "user_id = 'user-1'").await?, 0, "{table}");
        }
        assert_eq!(ground.count("message", "chat_id in ('chat-1', 'chat-2')").await?, 0);
        assert_eq!(ground.database().count(others).await?, others_before);
        let again = ground.refusal("auth.delete-user", arguments.clone()).await?;
        assert_eq!(again, "not-found user");
        let stats = ground.ok("chat.get-user-stats", arguments).await?;
        assert_eq!(stats["chats"], 0);
        Ok(())
    })
}
