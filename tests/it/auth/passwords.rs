//! Password hashes, which no other function shows.

use anyhow::Result;
use serde_json::{Value, json};

use crate::ground::{Ground, each};
use crate::run;

const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA";

fn hash(user: &str, hash: &str) -> Value {
    json!({"userId": user, "passwordHash": hash})
}

#[test]
fn a_password_hash_is_kept_and_replaced() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let ada = json!({"userId": "ada"});
        let refusal = ground.refusal("auth.get-password-hash", ada.clone()).await?;
        assert_eq!(refusal, "not-found password");
        assert_eq!(ground.ok("auth.set-password-hash", hash("ada", HASH)).await?, json!(null));
        assert_eq!(ground.ok("auth.get-password-hash", ada.clone()).await?, HASH);
        ground.ok("auth.set-password-hash", hash("ada", "newer")).await?;
        assert_eq!(ground.ok("auth.get-password-hash", ada.clone()).await?, "newer");
        let accounts = ground.ok("auth.list-accounts", ada).await?;
        assert_eq!(each(&accounts, "providerId"), ["credential"], "one account, replaced");
        assert_eq!(each(&accounts, "accountId"), ["ada"]);
        assert!(!accounts.to_string().contains("newer"), "lists do not show it: {accounts}");
        let bobs = ground.refusal("auth.get-password-hash", json!({"userId": "bob"})).await?;
        assert_eq!(bobs, "not-found password");
        Ok(())
    })
}

#[test]
fn nobodys_password_is_not_found() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let refusal = ground.refusal("auth.set-password-hash", hash("nobody", HASH)).await?;
        assert_eq!(refusal, "not-found user");
        let nobody = json!({"userId": "nobody"});
        let refusal = ground.refusal("auth.get-password-hash", nobody).await?;
        assert_eq!(refusal, "not-found password");
        Ok(())
    })
}

#[test]
fn a_user_has_one_password_which_unlinking_takes_away() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        ground.ok("auth.set-password-hash", hash("ada", HASH)).await?;
        let second = json!({"userId": "ada", "providerId": "credential", "accountId": "another",
            "tokens": {}});
        let refusal = ground.refusal("auth.link-account", second).await?;
        assert_eq!(refusal, "conflict accounts_credential_key");
        let own = json!({"userId": "ada", "providerId": "credential", "accountId": "ada"});
        ground.ok("auth.unlink-account", own).await?;
        let refusal = ground.refusal("auth.get-password-hash", json!({"userId": "ada"})).await?;
        assert_eq!(refusal, "not-found password");
        Ok(())
    })
}

#[test]
fn a_password_can_be_set_for_an_account_that_was_linked_without_one() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let bare = json!({"userId": "ada", "providerId": "credential", "accountId": "ada",
            "tokens": {}});
        ground.ok("auth.link-account", bare).await?;
        let ada = json!({"userId": "ada"});
        let refusal = ground.refusal("auth.get-password-hash", ada.clone()).await?;
        assert_eq!(refusal, "not-found password");
        ground.ok("auth.set-password-hash", hash("ada", HASH)).await?;
        assert_eq!(ground.ok("auth.get-password-hash", ada).await?, HASH);
        Ok(())
    })
}
