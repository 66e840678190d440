//! Passkeys: registering, finding, renaming and deleting them, and the counter that
//! never goes back.

use anyhow::Result;
use serde_json::{Value, json};

use super::at_once;
use crate::ground::{Ground, ids, text};
use crate::run;

fn new_passkey(credential: &str, counter: u32) -> Value {
    json!({
        "name": "Key", "publicKey": "cHVibGlj", "credentialId": credential, "counter": counter,
        "deviceType": "multi-device", "backedUp": true, "transports": ["usb", "internal"],
        "aaguid": "ADCE0002-35bc-c60a-648b-0b25f1f05503",
    })
}

async fn register(ground: &Ground, user: &str, credential: &str, counter: u32) -> Result<Value> {
    let arguments = json!({"userId": user, "passkey": new_passkey(credential, counter)});
    ground.ok("auth.register-passkey", arguments).await
}

/// A credential that is used, with its counter.
fn used(credential: &str, counter: u32) -> Value {
    json!({"credentialId": credential, "counter": counter})
}

const ADVANCE: &str = "auth.advance-passkey-counter";

#[test]
fn a_registered_passkey_is_returned_found_and_listed() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let first = register(&ground, "ada", "c1", 7).await?;
        let mut expected = new_passkey("c1", 7);
        expected["id"] = first["id"].clone();
        expected["userId"] = json!("ada");
        expected["createdAt"] = first["createdAt"].clone();
        expected["aaguid"] = json!("adce0002-35bc-c60a-648b-0b25f1f05503");
        assert_eq!(first, expected);
        let bare = json!({"publicKey": "", "credentialId": "c2", "counter": 0,
            "deviceType": "single-device", "backedUp": false, "transports": []});
        let arguments = json!({"userId": "ada", "passkey": bare});
        let second = ground.ok("auth.register-passkey", arguments).await?;
        assert_eq!((&second["name"], &second["aaguid"]), (&json!(null), &json!(null)));
        assert_eq!(
            (text(&second, "deviceType"), &second["transports"]),
            ("single-device", &json!([]))
        );
        let arguments = json!({"credentialId": "c1"});
        assert_eq!(ground.ok("auth.get-passkey-by-credential-id", arguments).await?, first);
        let list = ground.ok("auth.list-passkeys", json!({"userId": "ada"})).await?;
        assert_eq!(list, json!([first, second]), "oldest first");
        let none = ground.ok("auth.list-passkeys", json!({"userId": "bob"})).await?;
        assert_eq!(none, json!([]));
        Ok(())
    })
}

#[test]
fn passkeys_of_one_time_are_listed_by_id() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        for credential in ["a", "b", "c", "d"] {
            register(&ground, "ada", credential, 0).await?;
        }
        let sql = "update passkeys set id = credential_id,
            created_at = case credential_id when 'd' then timestamptz '2026-01-01Z' else '2026-01-02Z' end
            where user_id = 'ada'";
        ground.database().run(sql).await?;
        let list = ground.ok("auth.list-passkeys", json!({"userId": "ada"})).await?;
        assert_eq!(ids(&list), ["d", "a", "b", "c"]);
        Ok(())
    })
}

#[test]
fn a_credential_is_registered_once_for_whomever() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        register(&ground, "ada", "c", 7).await?;
        let before = ground.contents(&["passkeys"]).await?;
        let function = "auth.register-passkey";
        for user in ["ada", "bob"] {
            let arguments = json!({"userId": user, "passkey": new_passkey("c", 8)});
            let refusal = ground.refusal(function, arguments).await?;
            assert_eq!(refusal, "conflict passkeys_credential_id_key");
        }
        let arguments = json!({"userId": "nobody", "passkey": new_passkey("c2", 0)});
        assert_eq!(ground.refusal(function, arguments).await?, "not-found user");
        let mut odd = new_passkey("c3", 0);
        odd["aaguid"] = json!("yubikey");
        let arguments = json!({"userId": "ada", "passkey": odd});
        assert_eq!(ground.refusal(function, arguments).await?, "invalid aaguid");
        assert_eq!(ground.contents(&["passkeys"]).await?, before);
        Ok(())
    })
}

#[test]
fn a_counter_advances_and_never_stays_or_goes_back() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        register(&ground, "ada", "c", 5).await?;
        register(&ground, "ada", "other", 5).await?;
        let advanced = ground.ok(ADVANCE, used("c", 6)).await?;
        assert_eq!(advanced["counter"], 6);
        for counter in [6, 5, 0] {
            let refusal = ground.refusal(ADVANCE, used("c", counter)).await?;
            assert_eq!(refusal, "invalid counter", "{counter} after 6");
        }
        let stored = ground.ok("auth.get-passkey-by-credential-id", json!({"credentialId": "c"}));
        assert_eq!(stored.await?, advanced);
        assert_eq!(ground.ok(ADVANCE, used("c", 1000)).await?["counter"], 1000);
        assert_eq!(ground.count("passkeys", "credential_id = 'other' and counter = 5").await?, 1);
        let refusal = ground.refusal(ADVANCE, used("none", 1)).await?;
        assert_eq!(refusal, "not-found passkey");
        Ok(())
    })
}

#[test]
fn an_authenticator_without_a_counter_may_send_0_again_and_again() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        register(&ground, "ada", "c", 0).await?;
        for _ in 0..2 {
            assert_eq!(ground.ok(ADVANCE, used("c", 0)).await?["counter"], 0);
        }
        ground.ok(ADVANCE, used("c", 1)).await?;
        assert_eq!(ground.refusal(ADVANCE, used("c", 0)).await?, "invalid counter");
        Ok(())
    })
}

#[test]
fn a_counter_of_32_unsigned_bits_fits() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        register(&ground, "ada", "c", (1 << 31) - 1).await?;
        for counter in [1 << 31, u32::MAX] {
            let advanced = ground.ok(ADVANCE, used("c", counter)).await?;
            assert_eq!(advanced["counter"], counter);
        }
        let registered = register(&ground, "bob", "full", u32::MAX).await?;
        assert_eq!(registered["counter"], u32::MAX);
        let list = ground.ok("auth.list-passkeys", json!({"userId": "bob"})).await?;
        assert_eq!(list[0]["counter"], u32::MAX);
        assert_eq!(ground.refusal(ADVANCE, used("c", u32::MAX)).await?, "invalid counter");
        Ok(())
    })
}

#[test]
fn of_many_uses_with_one_counter_at_once_one_is_accepted() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        register(&ground, "ada", "c", 5).await?;
        let outcomes = at_once(&ground, 30, ADVANCE, used("c", 6)).await?;
        let (accepted, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
        assert_eq!(accepted.len(), 1);
        assert!(refused.iter().all(|r| *r == Err("invalid counter".to_owned())), "{refused:?}");
        Ok(())
    })
}

#[test]
fn a_passkey_is_renamed_by_its_user_only() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let passkey = register(&ground, "ada", "c", 5).await?;
        let function = "auth.rename-passkey";
        let naming = |id: &Value, user: &str, name: Value| json!({"passkeyId": id, "userId": user, "name": name});
        let id = &passkey["id"];
        let refusal = ground.refusal(function, naming(id, "bob", json!("Mine"))).await?;
        assert_eq!(refusal, "forbidden passkey");
        let refusal = ground.refusal(function, naming(&json!("none"), "ada", json!("x"))).await?;
        assert_eq!(refusal, "not-found passkey");
        let list = ground.ok("auth.list-passkeys", json!({"userId": "ada"})).await?;
        assert_eq!(list, json!([passkey]));
        for name in [json!("Laptop"), json!(null)] {
            let mut expected = passkey.clone();
            expected["name"] = name.clone();
            assert_eq!(ground.ok(function, naming(id, "ada", name)).await?, expected);
        }
        Ok(())
    })
}

#[test]
fn a_passkey_is_deleted_by_its_user_only() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let passkey = register(&ground, "ada", "c", 5).await?;
        let kept = register(&ground, "ada", "kept", 5).await?;
        let function = "auth.delete-passkey";
        let deleting = |id: &Value, user: &str| json!({"passkeyId": id, "userId": user});
        let id = &passkey["id"];
        assert_eq!(ground.refusal(function, deleting(id, "bob")).await?, "forbidden passkey");
        let refusal = ground.refusal(function, deleting(&json!("none"), "ada")).await?;
        assert_eq!(refusal, "not-found passkey");
        assert_eq!(ground.count("passkeys", "user_id = 'ada'").await?, 2);
        assert_eq!(ground.ok(function, deleting(id, "ada")).await?, passkey);
        assert_eq!(ground.refusal(function, deleting(id, "ada")).await?, "not-found passkey");
        let list = ground.ok("auth.list-passkeys", json!({"userId": "ada"})).await?;
        assert_eq!(list, json!([kept]));
        Ok(())
    })
}
