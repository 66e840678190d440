//! Tests of deploying.

use std::collections::BTreeSet;

use avenire_delivery::registry::{
    Blame, CanaryTerms, Deployment, Digest, MAXIMUM_ARTIFACT, Outcome, Registry, RegistryError,
    State, What,
};
use avenire_postgres::Endpoint;
use tokio::task::JoinSet;

use super::{back, deploy, of, open, said, serving, soon, with};
use crate::listen::KILL;

#[test]
fn what_is_deployed_is_what_every_host_reads() {
    with(async |_, database| {
        let registry = open(database).await;
        let bytes: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
        let deployment = Deployment {
            contract: Some("avenire:chat/queries@0.1.0"),
            signature: Some("untrusted comment: …"),
            ..of("chat", &bytes)
        };
        let deployed = registry.deploy(&deployment, soon()).await.unwrap();
        assert_eq!((deployed.generation, deployed.former), (1, None));
        assert_eq!(deployed.outcome, Outcome::Serving);
        let host = open(database).await;
        let slots = host.slots(soon()).await.unwrap();
        let slot = &slots.slots[0];
        assert_eq!((slots.revision, slot.revision), (deployed.revision, deployed.revision));
        assert_eq!((slot.component.as_str(), &slot.canary), ("chat", &None));
        let generation = slot.serving.clone().unwrap();
        assert_eq!(generation.sha256, Digest::of(&bytes));
        assert_eq!(generation.size, Some(800_000));
        assert_eq!(generation.contract.as_deref(), deployment.contract);
        assert_eq!(generation.signature.as_deref(), deployment.signature);
        assert_eq!(
            (generation.source.as_str(), generation.state.as_str()),
            ("anna's desk", "serving")
        );
        assert_eq!(generation.deployed_by, "anna");
        assert!(generation.deployed_at.ends_with('Z') && generation.ended_at.is_none());
        assert_eq!(host.artifact(&generation.sha256, soon()).await.unwrap(), bytes);
        assert_eq!(host.generation("chat", 1, soon()).await.unwrap(), generation);
        let error = host.generation("chat", 2, soon()).await.unwrap_err();
        assert!(matches!(error, RegistryError::NoGeneration { generation: 2, .. }), "{error:?}");
    });
}

#[test]
fn the_same_bytes_are_stored_once_and_deploying_them_again_changes_nothing() {
    with(async |_, database| {
        let registry = open(database).await;
        deploy(&registry, "chat", b"one").await;
        deploy(&registry, "auth", b"one").await;
        assert_eq!(database.count("select count(*) from _avenire.artifacts").await.unwrap(), 1);
        let before = registry.slots(soon()).await.unwrap();
        // Even by somebody who has not seen that it serves.
        let again = Deployment { expected: Some(0), ..of("chat", b"one") };
        let deployed = registry.deploy(&again, soon()).await.unwrap();
        assert_eq!((deployed.generation, deployed.outcome), (1, Outcome::Unchanged));
        let after = registry.slots(soon()).await.unwrap();
        assert_eq!((after.revision, after.slots), (before.revision, before.slots));
        assert_eq!(registry.history(None, 10, soon()).await.unwrap().len(), 2);
        // Another signature is another thing to trust.
        let signed = Deployment { signature: Some("RW"), ..of("chat", b"one") };
        let deployed = registry.deploy(&signed, soon()).await.unwrap();
        assert_eq!((deployed.generation, deployed.outcome), (2, Outcome::Serving));
        // What served once may come again, as a new generation.
        deploy(&registry, "chat", b"two").await;
        assert_eq!(deploy(&registry, "chat", b"one").await, 4);
    });
}

#[test]
fn of_ten_deployments_that_saw_the_same_one_wins_and_the_others_are_told() {
    with(async |_, database| {
        // The first of all, and a later one.
        for seen in 0..2 {
            let mut deployments = JoinSet::new();
            for number in 0..10 {
                let endpoint = database.endpoint().clone();
                deployments.spawn(async move {
                    let registry = Registry::open(&endpoint, soon()).await?;
                    let bytes = format!("{seen} {number}");
                    let expected = Some(seen);
                    let deployment = Deployment { expected, ..of("chat", bytes.as_bytes()) };
                    registry.deploy(&deployment, soon()).await
                });
            }
            let results = deployments.join_all().await;
            let (won, lost): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
            assert_eq!((won.len(), lost.len()), (1, 9), "{lost:?}");
            for error in lost.into_iter().map(Result::unwrap_err) {
                let found = match &error {
                    RegistryError::Moved { expected, found, .. } if *expected == seen => *found,
                    _ => panic!("{error:?}"),
                };
                assert_eq!(found, Some(seen + 1));
                assert_eq!(error.blame(), Blame::Caller);
                assert!(error.to_string().contains("`chat`"), "{error}");
            }
            assert_eq!(serving(&open(database).await).await, Some(seen + 1));
        }
    });
}

#[test]
fn of_ten_deployments_that_expect_nothing_each_gets_a_number_of_its_own() {
    with(async |_, database| {
        let mut deployments = JoinSet::new();
        for number in 0..10 {
            let endpoint = database.endpoint().clone();
            deployments.spawn(async move {
                let registry = Registry::open(&endpoint, soon()).await.unwrap();
                deploy(&registry, "chat", format!("{number}").as_bytes()).await
            });
        }
        let numbers: BTreeSet<i64> = deployments.join_all().await.into_iter().collect();
        assert_eq!(numbers, (1..=10).collect());
        let registry = open(database).await;
        assert_eq!(serving(&registry).await, Some(10));
        let generations = registry.generations("chat", 20, soon()).await.unwrap();
        let former = generations.iter().filter(|one| one.state == State::Former).count();
        assert_eq!((generations.len(), former), (10, 9));
        assert!(generations.iter().skip(1).all(|one| one.ended_at.is_some()));
        assert_eq!(registry.slots(soon()).await.unwrap().revision, 10);
    });
}

#[test]
fn who_has_seen_a_revision_has_seen_all_changes_before_it() {
    with(async |_, database| {
        let registry = open(database).await;
        let mut deployments = JoinSet::new();
        for number in 0..30 {
            let registry = registry.clone();
            deployments.spawn(async move {
                let component = format!("c-{number}");
                deploy(&registry, &component, &vec![number; 20_000]).await
            });
        }
        let mut reads = 0;
        loop {
            let slots = registry.slots(soon()).await.unwrap();
            let mut revisions: Vec<i64> = slots.slots.iter().map(|slot| slot.revision).collect();
            revisions.sort_unstable();
            assert_eq!(revisions, (1..=slots.revision).collect::<Vec<_>>());
            reads += 1;
            if slots.revision == 30 {
                break;
            }
        }
        assert!(reads > 1);
        deployments.join_all().await;
    });
}

#[test]
fn what_cannot_be_kept_is_refused_by_name() {
    with(async |_, database| {
        let registry = open(database).await;
        let many: Vec<String> = (0..101).map(|number| number.to_string()).collect();
        let long = "x".repeat(501);
        let share = |share_per_mille, keys: &[String]| {
            Some(CanaryTerms { share_per_mille, keys: keys.to_vec() })
        };
        let good = of("chat", b"one");
        let cases = [
            (of("Chat", b"one"), "`Chat` is not a name"),
            (of("a'; drop table x", b"one"), "is not a name"),
            (of("chat", b""), "has 0 bytes"),
            (Deployment { source: "a\0b", ..good.clone() }, "the source has a zero"),
            (Deployment { by: &long, ..good.clone() }, "more than 500 characters"),
            (Deployment { contract: Some("\0"), ..good.clone() }, "the contract has a zero"),
            (Deployment { canary: share(1001, &[]), ..good.clone() }, "is 1001 per mille"),
            (Deployment { canary: share(1, &many), ..good.clone() }, "keys are more than 100"),
            (Deployment { canary: share(1, &["\0".into()]), ..good.clone() }, "key has a zero"),
            (Deployment { canary: share(1, &[]), ..good.clone() }, "serves nothing yet"),
        ];
        for (deployment, expected) in cases {
            let error = registry.deploy(&deployment, soon()).await.unwrap_err();
            assert!(said(&error).contains(expected), "{}", said(&error));
            assert_eq!(error.blame(), Blame::Caller);
        }
        let large = vec![0; MAXIMUM_ARTIFACT + 1];
        let error = registry.deploy(&of("chat", &large), soon()).await.unwrap_err();
        assert!(matches!(error, RegistryError::Size { size: 67_108_865, .. }), "{error:?}");
        let rows = "select count(*) from _avenire.artifacts";
        assert_eq!(database.count(rows).await.unwrap(), 0);
        assert_eq!(serving(&registry).await, None);
    });
}

#[test]
fn the_largest_component_goes_there_and_back() {
    with(async |_, database| {
        let registry = open(database).await;
        let mut random = 1_u64;
        let bytes: Vec<u8> = std::iter::repeat_with(|| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            random.to_be_bytes()[0]
        })
        .take(MAXIMUM_ARTIFACT)
        .collect();
        let sha256 = registry.deploy(&of("chat", &bytes), soon()).await.unwrap().sha256;
        assert!(open(database).await.artifact(&sha256, soon()).await.unwrap() == bytes);
    });
}

#[test]
fn a_connection_that_was_cut_while_idle_is_made_anew() {
    with(async |_, database| {
        let registry = open(database).await;
        deploy(&registry, "chat", b"one").await;
        database.run(KILL).await.unwrap();
        assert_eq!(deploy(&registry, "chat", b"two").await, 2);
        database.run(KILL).await.unwrap();
        assert_eq!(serving(&registry).await, Some(2));
    });
}

#[test]
fn who_waits_too_long_for_another_change_is_told_and_nothing_happens() {
    with(async |_, database| {
        let registry = open(database).await;
        deploy(&registry, "chat", b"one").await;
        let session = database.session().await.unwrap();
        session.batch("begin; select from _avenire.slots for update").await.unwrap();
        let end = std::time::Instant::now() + std::time::Duration::from_millis(700);
        let error = registry.deploy(&of("chat", b"two"), end).await.unwrap_err();
        assert!(said(&error).contains("somebody else is changing"), "{}", said(&error));
        session.batch("rollback").await.unwrap();
        assert_eq!(serving(&registry).await, Some(1));
        assert_eq!(deploy(&registry, "chat", b"two").await, 2);
    });
}

#[test]
fn a_deployment_that_is_dropped_half_way_leaves_nothing() {
    with(async |_, database| {
        let registry = open(database).await;
        deploy(&registry, "chat", b"one").await;
        let session = database.session().await.unwrap();
        session.batch("begin; select from _avenire.slots for update").await.unwrap();
        let other = registry.clone();
        let task = tokio::spawn(async move { deploy(&other, "chat", b"two").await });
        let waiting = "select count(*) from pg_locks l join pg_stat_activity a using (pid) \
                       where not l.granted and a.datname = current_database()";
        super::until(async || database.count(waiting).await.unwrap() > 0).await;
        task.abort();
        drop(task.await);
        session.batch("rollback").await.unwrap();
        super::until(async || database.count(waiting).await.unwrap() == 0).await;
        assert_eq!(deploy(&registry, "chat", b"three").await, 2);
        assert_eq!(database.count("select count(*) from _avenire.artifacts").await.unwrap(), 2);
    });
}

#[test]
fn everything_but_listening_works_through_a_pooler() {
    with(async |_, database| {
        let pooled = Endpoint::parse(&format!("{}&pgbouncer=true", database.url())).unwrap();
        let registry = Registry::open(&pooled, soon()).await.unwrap();
        deploy(&registry, "chat", b"one").await;
        deploy(&registry, "chat", b"two").await;
        registry.rollback(&back("chat"), soon()).await.unwrap();
        assert_eq!(serving(&registry).await, Some(1));
        let history = registry.history(Some("chat"), 10, soon()).await.unwrap();
        assert_eq!(history[0].what, What::RolledBack);
    });
}
