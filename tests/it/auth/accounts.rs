//! Linking accounts to users, finding and unlinking them, and their tokens.

use anyhow::Result;
use serde_json::{Value, json};

use crate::ground::{Ground, each, moment, new_user, text};
use crate::run;

/// Tokens of which each has a value.
fn tokens() -> Value {
    json!({
        "accessToken": "access", "refreshToken": "refresh", "idToken": "id",
        "accessTokenExpiresAt": "2026-01-01T00:00:00.000001Z", "refreshTokenExpiresAt": "infinity",
        "scope": "read:user user:email",
    })
}

/// Tokens of which none has a value.
fn no_tokens() -> Value {
    json!({"accessToken": null, "refreshToken": null, "idToken": null,
        "accessTokenExpiresAt": null, "refreshTokenExpiresAt": null, "scope": null})
}

fn account(user: &str, provider: &str, id: &str) -> Value {
    json!({"userId": user, "providerId": provider, "accountId": id})
}

fn link(user: &str, provider: &str, id: &str, tokens: Value) -> Value {
    let mut arguments = account(user, provider, id);
    arguments["tokens"] = tokens;
    arguments
}

fn user_with_account(user: &Value, provider: &str, id: &str) -> Value {
    json!({"user": user, "providerId": provider, "accountId": id, "tokens": tokens()})
}

#[test]
fn a_linked_account_is_returned_found_and_listed() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let arguments = link("ada", "github", "17", tokens());
        let linked = ground.ok("auth.link-account", arguments).await?;
        assert_eq!(linked["userId"], "ada");
        assert_eq!((text(&linked, "providerId"), text(&linked, "accountId")), ("github", "17"));
        assert_eq!(linked["tokens"], tokens());
        let arguments = json!({"providerId": "github", "accountId": "17"});
        let found = ground.ok("auth.get-account-by-provider", arguments).await?;
        assert_eq!(found, linked);
        // The same id at another provider is another account.
        let bare = ground.ok("auth.link-account", link("ada", "google", "17", json!({}))).await?;
        assert_eq!(bare["tokens"], no_tokens());
        let list = ground.ok("auth.list-accounts", json!({"userId": "ada"})).await?;
        assert_eq!(list, json!([linked, bare]), "oldest first");
        let nobodys = ground.ok("auth.list-accounts", json!({"userId": "nobody"})).await?;
        assert_eq!(nobodys, json!([]));
        Ok(())
    })
}

#[test]
fn accounts_of_one_time_are_listed_by_id() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let sql = "insert into accounts (id, user_id, provider_id, account_id, created_at) values
            ('c', 'ada', 'p', '1', '2026-01-02Z'), ('a', 'ada', 'p', '2', '2026-01-02Z'),
            ('b', 'ada', 'p', '3', '2026-01-02Z'), ('z', 'ada', 'p', '4', '2026-01-01Z')";
        ground.database().run(sql).await?;
        let list = ground.ok("auth.list-accounts", json!({"userId": "ada"})).await?;
        assert_eq!(each(&list, "id"), ["z", "a", "b", "c"]);
        Ok(())
    })
}

#[test]
fn an_account_is_linked_once_to_whomever() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        ground.ok("auth.link-account", link("ada", "github", "17", json!({}))).await?;
        let before = ground.contents(&["accounts"]).await?;
        for user in ["ada", "bob"] {
            let arguments = link(user, "github", "17", tokens());
            let refusal = ground.refusal("auth.link-account", arguments).await?;
            assert_eq!(refusal, "conflict accounts_provider_key");
        }
        let arguments = link("nobody", "github", "18", tokens());
        assert_eq!(ground.refusal("auth.link-account", arguments).await?, "not-found user");
        assert_eq!(ground.contents(&["accounts"]).await?, before);
        Ok(())
    })
}

#[test]
fn provider_and_account_ids_have_1_to_255_characters() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let long = "x".repeat(256);
        let attempts = [
            ("", "17", "invalid provider-id"),
            (&long, "17", "invalid provider-id"),
            ("github", "", "invalid account-id"),
            ("github", &long, "invalid account-id"),
        ];
        let before = ground.contents(&["users", "accounts"]).await?;
        for (provider, id, expected) in attempts {
            let refusal = ground.refusal("auth.link-account", link("ada", provider, id, tokens()));
            assert_eq!(refusal.await?, expected);
            let arguments = user_with_account(&new_user("cy"), provider, id);
            let refusal = ground.refusal("auth.create-user-with-account", arguments);
            assert_eq!(refusal.await?, expected);
        }
        assert_eq!(ground.contents(&["users", "accounts"]).await?, before);
        Ok(())
    })
}

#[test]
fn an_account_is_unlinked_by_its_user_only() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let arguments = link("ada", "github", "17", tokens());
        let linked = ground.ok("auth.link-account", arguments).await?;
        let function = "auth.unlink-account";
        let by_bob = ground.refusal(function, account("bob", "github", "17")).await?;
        assert_eq!(by_bob, "forbidden account");
        let unknown = ground.refusal(function, account("ada", "github", "18")).await?;
        assert_eq!(unknown, "not-found account");
        let found = json!({"providerId": "github", "accountId": "17"});
        ground.ok("auth.get-account-by-provider", found.clone()).await?;
        assert_eq!(ground.ok(function, account("ada", "github", "17")).await?, linked);
        let refusal = ground.refusal("auth.get-account-by-provider", found).await?;
        assert_eq!(refusal, "not-found account");
        let again = ground.refusal(function, account("ada", "github", "17")).await?;
        assert_eq!(again, "not-found account");
        Ok(())
    })
}

#[test]
fn tokens_are_kept_cleared_and_set_as_asked_by_their_user_only() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let linked = ground.ok("auth.link-account", link("ada", "github", "17", tokens())).await?;
        let function = "auth.update-account-tokens";
        let changing = |user: &str, id: &str| {
            let mut arguments = account(user, "github", id);
            arguments["changes"] = json!({
                "accessToken": {"tag": "set", "val": "newer"}, "refreshToken": "clear", "idToken": "keep",
                "accessTokenExpiresAt": {"tag": "set", "val": "2027-01-01T00:00:00Z"},
                "refreshTokenExpiresAt": "clear", "scope": "keep",
            });
            arguments
        };
        assert_eq!(ground.refusal(function, changing("bob", "17")).await?, "forbidden account");
        assert_eq!(ground.refusal(function, changing("ada", "18")).await?, "not-found account");
        let list = ground.ok("auth.list-accounts", json!({"userId": "ada"})).await?;
        assert_eq!(list, json!([linked]), "refused changes change nothing");
        let changed = ground.ok(function, changing("ada", "17")).await?;
        let mut expected = linked.clone();
        expected["tokens"] = json!({
            "accessToken": "newer", "refreshToken": null, "idToken": "id",
            "accessTokenExpiresAt": "2027-01-01T00:00:00Z", "refreshTokenExpiresAt": null,
            "scope": "read:user user:email",
        });
        expected["updatedAt"] = changed["updatedAt"].clone();
        assert_eq!(changed, expected);
        assert!(moment(&changed, "updatedAt") > moment(&linked, "updatedAt"));
        let list = ground.ok("auth.list-accounts", json!({"userId": "ada"})).await?;
        assert_eq!(list, json!([changed]));
        // What was kept, cleared and set the other way round.
        let mut other = account("ada", "github", "17");
        other["changes"] = json!({
            "accessToken": "clear", "refreshToken": {"tag": "set", "val": "r"}, "idToken": "clear",
            "accessTokenExpiresAt": "keep", "refreshTokenExpiresAt": {"tag": "set", "val": "infinity"},
            "scope": {"tag": "set", "val": "all"},
        });
        let changed = ground.ok(function, other).await?;
        assert_eq!(
            changed["tokens"],
            json!({"accessToken": null, "refreshToken": "r", "idToken": null,
                "accessTokenExpiresAt": "2027-01-01T00:00:00Z", "refreshTokenExpiresAt": "infinity",
                "scope": "all"})
        );
        Ok(())
    })
}

#[test]
fn a_user_is_made_together_with_account_and_settings() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let arguments = user_with_account(&new_user("cy"), "github", "17");
        let user = ground.ok("auth.create-user-with-account", arguments).await?;
        let stored = ground.ok("auth.get-user-by-id", json!({"userId": "cy"})).await?;
        assert_eq!(stored, user);
        let accounts = ground.ok("auth.list-accounts", json!({"userId": "cy"})).await?;
        assert_eq!(each(&accounts, "accountId"), ["17"]);
        assert_eq!(accounts[0]["tokens"], tokens());
        assert_eq!(ground.count("user_settings", "user_id = 'cy'").await?, 1);
        Ok(())
    })
}

#[test]
fn a_user_whose_account_is_taken_is_not_made_at_all() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        ground.ok("auth.link-account", link("ada", "github", "17", tokens())).await?;
        let before = ground.contents(&["users", "accounts", "user_settings"]).await?;
        let function = "auth.create-user-with-account";
        let taken_account = user_with_account(&new_user("cy"), "github", "17");
        let refusal = ground.refusal(function, taken_account).await?;
        assert_eq!(refusal, "conflict accounts_provider_key");
        let mut taken_address = new_user("cy");
        taken_address["email"] = json!("ADA@example.org");
        let arguments = user_with_account(&taken_address, "github", "18");
        let refusal = ground.refusal(function, arguments).await?;
        assert_eq!(refusal, "conflict users_email_key");
        assert_eq!(ground.contents(&["users", "accounts", "user_settings"]).await?, before);
        Ok(())
    })
}
