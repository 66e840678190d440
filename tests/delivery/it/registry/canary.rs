//! Tests of canaries.

use avenire_delivery::registry::{
    CanaryTerms, Deployment, Outcome, Place, RegistryError, Rollback, State, What,
};

use super::{back, deploy, of, open, serving, soon, with};

fn terms(share_per_mille: u16, key: &str) -> CanaryTerms {
    CanaryTerms { share_per_mille, keys: vec![key.to_owned()] }
}

fn trial(bytes: &[u8]) -> Deployment<'_> {
    Deployment { canary: Some(terms(50, "anna")), ..of("chat", bytes) }
}

#[test]
fn a_canary_serves_beside_what_serves_until_it_is_promoted() {
    with(async |_, database| {
        let registry = open(database).await;
        deploy(&registry, "chat", b"one").await;
        let tried = registry.deploy(&trial(b"two"), soon()).await.unwrap();
        assert_eq!((tried.generation, tried.former), (2, Some(1)));
        assert_eq!(tried.outcome, Outcome::Canary);
        let slots = registry.slots(soon()).await.unwrap();
        let canary = slots.slots[0].canary.clone().unwrap();
        assert_eq!(slots.slots[0].serving.as_ref().unwrap().number, 1);
        assert_eq!((canary.generation.number, canary.terms), (2, terms(50, "anna")));
        assert_eq!(canary.generation.state, State::Canary);
        // The same again, as after a lost answer.
        let again = registry.deploy(&trial(b"two"), soon()).await.unwrap();
        assert_eq!((again.generation, again.outcome), (2, Outcome::Unchanged));
        let more = terms(500, "ben");
        let revision = registry.adjust("chat", Some(2), &more, "ben", soon()).await.unwrap();
        let slots = registry.slots(soon()).await.unwrap();
        assert_eq!(slots.revision, revision);
        assert_eq!(slots.slots[0].canary.clone().unwrap().terms, more);
        let ended = registry.promote("chat", Some(2), "ben", soon()).await.unwrap();
        assert_eq!((ended.canary, ended.serving, ended.former), (2, Some(2), Some(1)));
        let slots = registry.slots(soon()).await.unwrap();
        assert_eq!(slots.slots[0].canary, None);
        let generation = slots.slots[0].serving.clone().unwrap();
        assert_eq!((generation.number, generation.before), (2, Some(1)));
        assert_eq!((generation.state, generation.ended_at), (State::Serving, None));
        let back = registry.rollback(&back("chat"), soon()).await.unwrap();
        assert_eq!((back.from, back.to), (2, 1));
        let history = registry.history(None, 10, soon()).await.unwrap();
        let told: Vec<_> = history.iter().rev().map(|one| one.what.clone()).collect();
        let expected =
            [What::Deployed, What::Tried, What::Adjusted, What::Promoted, What::RolledBack];
        assert_eq!(told, expected);
    });
}

#[test]
fn a_canary_that_is_abandoned_leaves_what_serves_alone() {
    with(async |_, database| {
        let registry = open(database).await;
        deploy(&registry, "chat", b"one").await;
        registry.deploy(&trial(b"two"), soon()).await.unwrap();
        let ended = registry.abandon("chat", None, "watch", Some("errors"), soon()).await.unwrap();
        assert_eq!((ended.canary, ended.serving), (2, Some(1)));
        assert_eq!(serving(&registry).await, Some(1));
        let generation = registry.generation("chat", 2, soon()).await.unwrap();
        assert_eq!(generation.state, State::Abandoned);
        assert_eq!(generation.reason.as_deref(), Some("errors"));
        for error in [
            registry.abandon("chat", None, "watch", None, soon()).await.unwrap_err(),
            registry.promote("chat", Some(2), "watch", soon()).await.unwrap_err(),
            registry.adjust("chat", None, &terms(1, ""), "watch", soon()).await.unwrap_err(),
        ] {
            assert!(matches!(error, RegistryError::NoCanary { .. }), "{error:?}");
        }
        let error = registry.promote("shop", None, "watch", soon()).await.unwrap_err();
        assert!(matches!(error, RegistryError::NoComponent { .. }), "{error:?}");
        // A rollback never returns to it, unless it is named.
        assert_eq!(deploy(&registry, "chat", b"thr").await, 3);
        let rolled = registry.rollback(&back("chat"), soon()).await.unwrap();
        assert_eq!((rolled.from, rolled.to), (3, 1));
        let named = Rollback { to: Some(2), ..back("chat") };
        assert_eq!(registry.rollback(&named, soon()).await.unwrap().to, 2);
        assert_eq!(registry.rollback(&back("chat"), soon()).await.unwrap().to, 1);
    });
}

#[test]
fn while_a_canary_is_on_trial_everything_else_waits() {
    with(async |_, database| {
        let registry = open(database).await;
        deploy(&registry, "chat", b"one").await;
        registry.deploy(&trial(b"two"), soon()).await.unwrap();
        for error in [
            registry.deploy(&of("chat", b"thr"), soon()).await.unwrap_err(),
            registry.deploy(&of("chat", b"two"), soon()).await.unwrap_err(),
            registry.deploy(&trial(b"thr"), soon()).await.unwrap_err(),
            registry.rollback(&back("chat"), soon()).await.unwrap_err(),
        ] {
            let is_it = matches!(&error, RegistryError::CanaryUnderWay { generation: 2, .. });
            assert!(is_it && error.hint().contains("abandon"), "{error:?}");
        }
        // Another component is not concerned.
        deploy(&registry, "auth", b"one").await;
    });
}

#[test]
fn who_saw_another_canary_does_not_end_this_one() {
    with(async |_, database| {
        let registry = open(database).await;
        deploy(&registry, "chat", b"one").await;
        registry.deploy(&trial(b"two"), soon()).await.unwrap();
        registry.abandon("chat", Some(2), "anna", None, soon()).await.unwrap();
        registry.deploy(&trial(b"thr"), soon()).await.unwrap();
        for error in [
            registry.abandon("chat", Some(2), "watch", None, soon()).await.unwrap_err(),
            registry.promote("chat", Some(2), "watch", soon()).await.unwrap_err(),
        ] {
            let RegistryError::Moved { place: Place::Canary, expected, found, .. } = error else {
                panic!("{error:?}");
            };
            assert_eq!((expected, found), (2, Some(3)));
        }
        let slots = registry.slots(soon()).await.unwrap();
        assert_eq!(slots.slots[0].canary.as_ref().unwrap().generation.number, 3);
    });
}
