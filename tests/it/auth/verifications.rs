//! Verifications: read as often as one likes, used up once.

use anyhow::Result;
use serde_json::{Value, json};

use super::at_once;
use crate::ground::{Ground, text};
use crate::run;

const LATER: &str = "2999-01-01T00:00:00.000001Z";
const EARLIER: &str = "2020-01-01T00:00:00Z";

async fn create(ground: &Ground, identifier: &str, value: &str, expires: &str) -> Result<Value> {
    let arguments = json!({"identifier": identifier, "value": value, "expiresAt": expires});
    ground.ok("auth.create-verification", arguments).await
}

fn consuming(identifier: &str, value: Option<&str>) -> Value {
    json!({"identifier": identifier, "value": value})
}

const CONSUME: &str = "auth.consume-verification";

#[test]
fn reading_a_verification_does_not_use_it_up() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let made = create(&ground, "reset-password:x", "ada", LATER).await?;
        assert_eq!(made["identifier"], "reset-password:x");
        assert_eq!(made["value"], "ada");
        assert_eq!(made["expiresAt"], LATER);
        let arguments = json!({"identifier": "reset-password:x"});
        for _ in 0..2 {
            assert_eq!(ground.ok("auth.get-verification", arguments.clone()).await?, made);
        }
        assert_eq!(ground.ok(CONSUME, consuming("reset-password:x", None)).await?, made);
        let read = ground.refusal("auth.get-verification", arguments).await?;
        assert_eq!(read, "not-found verification");
        let again = ground.refusal(CONSUME, consuming("reset-password:x", None)).await?;
        assert_eq!(again, "not-found verification");
        Ok(())
    })
}

#[test]
fn of_fifty_calls_at_once_one_uses_a_verification_up() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        for round in 0..5 {
            let identifier = format!("round {round}");
            let made = create(&ground, &identifier, "x", LATER).await?;
            let outcomes = at_once(&ground, 50, CONSUME, consuming(&identifier, None)).await?;
            let (used, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
            assert_eq!(used, [Ok(made)]);
            assert_eq!(refused.len(), 49);
            assert!(refused.iter().all(|r| *r == Err("not-found verification".to_owned())));
        }
        Ok(())
    })
}

#[test]
fn of_fifty_calls_at_once_one_uses_up_all_verifications_of_an_identifier() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        for round in 0..5 {
            let identifier = format!("round {round}");
            let mut newest = json!(null);
            for value in ["a", "b", "c"] {
                newest = create(&ground, &identifier, value, LATER).await?;
            }
            let outcomes = at_once(&ground, 50, CONSUME, consuming(&identifier, None)).await?;
            let (used, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
            assert_eq!(used, [Ok(newest)]);
            assert!(refused.iter().all(|r| *r == Err("not-found verification".to_owned())));
        }
        Ok(())
    })
}

#[test]
fn of_several_verifications_the_newest_counts() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let sql = "insert into email_verifications (id, identifier, value, expires_at, created_at) values
            ('a', 'x', 'old', 'infinity', '2026-01-01Z'), ('c', 'x', 'new', 'infinity', '2026-01-02Z'),
            ('b', 'x', 'new', 'infinity', '2026-01-02Z'),
            ('d', 'x', 'expired', '2026-01-04Z', '2026-01-03Z')";
        ground.database().run(sql).await?;
        let newest = ground.ok("auth.get-verification", json!({"identifier": "x"})).await?;
        assert_eq!(text(&newest, "id"), "c");
        assert_eq!(newest["expiresAt"], "infinity");
        assert_eq!(ground.ok(CONSUME, consuming("x", None)).await?, newest);
        assert_eq!(
            ground.count("email_verifications", "identifier = 'x'").await?,
            1,
            "the expired"
        );
        Ok(())
    })
}

#[test]
fn a_value_uses_up_its_own_verification_only() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let a = create(&ground, "x", "a", LATER).await?;
        let b = create(&ground, "x", "b", LATER).await?;
        let wrong = ground.refusal(CONSUME, consuming("x", Some("c"))).await?;
        assert_eq!(wrong, "not-found verification");
        let other = ground.refusal(CONSUME, consuming("y", Some("a"))).await?;
        assert_eq!(other, "not-found verification");
        assert_eq!(ground.ok(CONSUME, consuming("x", Some("a"))).await?, a);
        assert_eq!(ground.ok("auth.get-verification", json!({"identifier": "x"})).await?, b);
        Ok(())
    })
}

#[test]
fn an_expired_verification_proves_nothing_and_is_left_to_cleaning() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        create(&ground, "x", "v", EARLIER).await?;
        create(&ground, "y", "v", "-infinity").await?;
        create(&ground, "z", "v", LATER).await?;
        let before = ground.contents(&["email_verifications"]).await?;
        for identifier in ["x", "y"] {
            for (function, arguments) in [
                (CONSUME, consuming(identifier, None)),
                (CONSUME, consuming(identifier, Some("v"))),
                ("auth.get-verification", json!({"identifier": identifier})),
            ] {
                let refusal = ground.refusal(function, arguments).await?;
                assert_eq!(refusal, "not-found verification", "{function}");
            }
        }
        assert_eq!(ground.contents(&["email_verifications"]).await?, before);
        let function = "auth.delete-expired-verifications";
        assert_eq!(ground.ok(function, json!({})).await?, json!(2));
        assert_eq!(ground.ok(function, json!({})).await?, json!(0));
        ground.ok(CONSUME, consuming("z", None)).await?;
        Ok(())
    })
}

#[test]
fn an_identifier_with_a_nul_is_invalid() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        let arguments = json!({"identifier": "a\0b", "value": "v", "expiresAt": LATER});
        let refusal = ground.refusal("auth.create-verification", arguments).await?;
        assert_eq!(refusal, "invalid arguments");
        Ok(())
    })
}
