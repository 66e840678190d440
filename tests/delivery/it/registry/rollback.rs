//! Tests of going back.

use avenire_delivery::registry::{Registry, RegistryError, Rollback, State, What};

use super::{back, deploy, open, said, serving, soon, with};

/// The states of a component's generations, the first one first.
async fn states(registry: &Registry) -> Vec<State> {
    let mut generations = registry.generations("chat", 100, soon()).await.unwrap();
    generations.reverse();
    generations.into_iter().map(|generation| generation.state).collect()
}

/// Rolls back, and says from where to where.
async fn roll_back(registry: &Registry, rollback: Rollback<'_>) -> (i64, i64) {
    let done = registry.rollback(&rollback, soon()).await.unwrap();
    assert_eq!(serving(registry).await, Some(done.to));
    (done.from, done.to)
}

#[test]
fn each_rollback_goes_further_back_until_there_is_nothing() {
    with(async |_, database| {
        let registry = open(database).await;
        for bytes in [b"one", b"two", b"thr"] {
            deploy(&registry, "chat", bytes).await;
        }
        assert_eq!(roll_back(&registry, back("chat")).await, (3, 2));
        assert_eq!(roll_back(&registry, back("chat")).await, (2, 1));
        let error = registry.rollback(&back("chat"), soon()).await.unwrap_err();
        assert!(matches!(error, RegistryError::NothingBefore { generation: 1, .. }), "{error:?}");
        assert!(said(&error).contains("`chat`"), "{}", said(&error));
        let expected = [State::Serving, State::RolledBack, State::RolledBack];
        assert_eq!(states(&registry).await, expected);
        assert_eq!(serving(&registry).await, Some(1));
    });
}

#[test]
fn a_deployment_after_a_rollback_gets_a_new_number_and_goes_back_to_what_served_before_it() {
    with(async |_, database| {
        let registry = open(database).await;
        for bytes in [b"one", b"two", b"thr"] {
            deploy(&registry, "chat", bytes).await;
        }
        roll_back(&registry, back("chat")).await;
        assert_eq!(deploy(&registry, "chat", b"fou").await, 4);
        // Not to 3, which was given up.
        assert_eq!(roll_back(&registry, back("chat")).await, (4, 2));
        // The same bytes as those that were given up: a new decision.
        assert_eq!(deploy(&registry, "chat", b"fou").await, 5);
        assert_eq!(roll_back(&registry, back("chat")).await, (5, 2));
        assert_eq!(roll_back(&registry, back("chat")).await, (2, 1));
    });
}

#[test]
fn a_generation_that_is_named_serves_again_whatever_became_of_it() {
    with(async |_, database| {
        let registry = open(database).await;
        for bytes in [b"one", b"two", b"thr", b"fou", b"fiv"] {
            deploy(&registry, "chat", bytes).await;
        }
        let to = |to| Rollback { to: Some(to), ..back("chat") };
        assert_eq!(roll_back(&registry, to(2)).await, (5, 2));
        // What was passed over is not returned to.
        assert_eq!(roll_back(&registry, back("chat")).await, (2, 1));
        // Forward again: what served is not given up, and is what served before.
        assert_eq!(roll_back(&registry, to(5)).await, (1, 5));
        let [one, two, .., five] = &states(&registry).await[..] else { panic!("too few") };
        assert_eq!([one, two, five], [&State::Former, &State::RolledBack, &State::Serving]);
        assert_eq!(roll_back(&registry, back("chat")).await, (5, 1));
        let error = registry.rollback(&to(1), soon()).await.unwrap_err();
        assert!(matches!(error, RegistryError::AlreadyServing { generation: 1, .. }));
        for missing in [6, 0, -1, i64::MAX] {
            let error = registry.rollback(&to(missing), soon()).await.unwrap_err();
            assert!(matches!(error, RegistryError::NoGeneration { .. }), "{error:?}");
        }
    });
}

#[test]
fn a_rollback_of_what_does_not_serve_any_more_is_refused() {
    with(async |_, database| {
        let registry = open(database).await;
        for bytes in [b"one", b"two", b"thr"] {
            deploy(&registry, "chat", bytes).await;
        }
        let seen = Rollback { expected: Some(3), ..back("chat") };
        assert_eq!(roll_back(&registry, seen).await, (3, 2));
        // Somebody who saw the same fault: one step back is enough.
        let error = registry.rollback(&seen, soon()).await.unwrap_err();
        let moved = "generation 3 was expected to serve, but it is generation 2";
        assert!(error.to_string().contains(moved), "{error}");
        assert_eq!(serving(&registry).await, Some(2));
        let error = registry.rollback(&back("shop"), soon()).await.unwrap_err();
        assert!(matches!(error, RegistryError::NoComponent { .. }), "{error:?}");
    });
}

#[test]
fn the_history_tells_who_did_what_and_why() {
    with(async |_, database| {
        let registry = open(database).await;
        deploy(&registry, "chat", b"one").await;
        deploy(&registry, "auth", b"one").await;
        deploy(&registry, "chat", b"two").await;
        let why = Rollback { reason: Some("slow"), ..back("chat") };
        registry.rollback(&why, soon()).await.unwrap();
        let all = registry.history(None, 10, soon()).await.unwrap();
        let told: Vec<_> = all
            .iter()
            .map(|one| (one.component.as_str(), one.generation, &one.what, one.serving))
            .collect();
        let expected = [
            ("chat", 2, &What::RolledBack, Some(1)),
            ("chat", 2, &What::Deployed, Some(2)),
            ("auth", 1, &What::Deployed, Some(1)),
            ("chat", 1, &What::Deployed, Some(1)),
        ];
        assert_eq!(told, expected);
        assert_eq!((all[0].by.as_str(), all[0].reason.as_deref()), ("ben", Some("slow")));
        assert!(all[0].at.ends_with('Z'), "{}", all[0].at);
        let chat = registry.history(Some("chat"), 2, soon()).await.unwrap();
        assert_eq!(chat, all[..2]);
        let generation = registry.generation("chat", 2, soon()).await.unwrap();
        assert_eq!(generation.state, State::RolledBack);
        assert_eq!(generation.reason.as_deref(), Some("slow"));
    });
}
