//! Tests of what another program, or a fault, has left in the registry's tables.

use avenire_delivery::registry::{
    Blame, Digest, MAXIMUM_ARTIFACT, Outcome, RegistryError, State, What,
};

use super::{deploy, of, open, said, soon, with};

#[test]
fn bytes_that_are_not_what_was_stored_are_refused_until_they_are_deployed_again() {
    with(async |_, database| {
        let registry = open(database).await;
        let sha256 = registry.deploy(&of("chat", b"one"), soon()).await.unwrap().sha256;
        database.run("update _avenire.artifacts set bytes = 'two'").await.unwrap();
        let error = registry.artifact(&sha256, soon()).await.unwrap_err();
        let found = Digest::of(b"two");
        assert!(matches!(error, RegistryError::WrongDigest { found: is, .. } if is == found));
        assert_eq!(error.blame(), Blame::Database);
        assert!(said(&error).contains(&sha256.to_string()), "{}", said(&error));
        let before = registry.slots(soon()).await.unwrap().revision;
        let deployed = registry.deploy(&of("chat", b"one"), soon()).await.unwrap();
        assert_eq!((deployed.generation, deployed.outcome), (1, Outcome::Repaired));
        assert_eq!(registry.artifact(&sha256, soon()).await.unwrap(), b"one");
        // Hosts that failed to read it are told.
        assert!(registry.slots(soon()).await.unwrap().revision > before);
        let history = registry.history(None, 1, soon()).await.unwrap();
        assert_eq!(history[0].what, What::Repaired);
    });
}

#[test]
fn a_missing_artifact_hides_no_slot_and_is_put_right_by_deploying_it_again() {
    with(async |_, database| {
        let registry = open(database).await;
        let sha256 = registry.deploy(&of("chat", b"one"), soon()).await.unwrap().sha256;
        let loose = "alter table _avenire.generations drop constraint generations_sha256_fkey; \
                     delete from _avenire.artifacts";
        database.run(loose).await.unwrap();
        let error = registry.artifact(&sha256, soon()).await.unwrap_err();
        assert!(matches!(error, RegistryError::NoArtifact { sha256: told } if told == sha256));
        let slots = registry.slots(soon()).await.unwrap();
        assert_eq!(slots.slots[0].serving.as_ref().unwrap().size, None);
        let deployed = registry.deploy(&of("chat", b"one"), soon()).await.unwrap();
        assert_eq!((deployed.generation, deployed.outcome), (1, Outcome::Repaired));
        assert_eq!(registry.artifact(&sha256, soon()).await.unwrap(), b"one");
    });
}

#[test]
fn an_artifact_that_is_too_large_is_not_read() {
    with(async |_, database| {
        let registry = open(database).await;
        let sha256 = registry.deploy(&of("chat", b"one"), soon()).await.unwrap().sha256;
        let large = format!(
            "update _avenire.artifacts set size = {0}, bytes = decode(repeat('00', {0}), 'hex')",
            MAXIMUM_ARTIFACT + 1
        );
        database.run(&large).await.unwrap();
        let error = registry.artifact(&sha256, soon()).await.unwrap_err();
        assert!(matches!(error, RegistryError::Size { size: 67_108_865, .. }), "{error:?}");
        database.run("update _avenire.artifacts set size = 0, bytes = ''").await.unwrap();
        let error = registry.artifact(&sha256, soon()).await.unwrap_err();
        assert!(matches!(error, RegistryError::Size { size: 0, .. }), "{error:?}");
    });
}

/// Takes the tables' own protection away.
const LOOSE: &str = "
do $$ declare c record; begin
    for c in select conrelid::regclass as t, conname from pg_constraint
        where connamespace = '_avenire'::regnamespace and contype in ('c', 'f') loop
        execute format('alter table %s drop constraint %I', c.t, c.conname);
    end loop;
end $$";

#[test]
fn a_slot_that_cannot_be_read_hides_no_other() {
    with(async |_, database| {
        let registry = open(database).await;
        for component in ["a", "chat", "digest", "negative", "share", "z"] {
            deploy(&registry, component, component.as_bytes()).await;
        }
        database.run(LOOSE).await.unwrap();
        let wrong = "
            insert into _avenire.slots (component, serving) values
                ('Bad name', 1), ('gone', 99), ('', 1), (E'\\x01', null);
            update _avenire.generations set sha256 = 'short' where component = 'digest';
            update _avenire.generations set number = -1 where component = 'negative';
            update _avenire.slots set serving = -1 where component = 'negative';
            update _avenire.slots set canary = 1, canary_share = 70000 where component = 'share';
            insert into _avenire.generations
                (component, number, sha256, source, deployed_by, deployed_at, state)
                select component, 2, sha256, 'x', 'x', 'infinity', 'odd'
                from _avenire.generations where component = 'z';
            update _avenire.slots set canary = 2, canary_share = 1 where component = 'z'";
        database.run(wrong).await.unwrap();
        let slots = registry.slots(soon()).await.unwrap();
        let read: Vec<&str> = slots.slots.iter().map(|slot| slot.component.as_str()).collect();
        assert_eq!(read, ["a", "chat", "z"]);
        let odd = &slots.slots[2].canary.as_ref().unwrap().generation;
        assert_eq!(
            (&odd.state, odd.deployed_at.as_str()),
            (&State::Other("odd".into()), "infinity")
        );
        let problems: Vec<String> = slots.problems.iter().map(ToString::to_string).collect();
        assert_eq!(problems.len(), 7, "{problems:?}");
        for named in
            ["`digest`", "`gone` has no generation 99", "`negative`", "`share`", "`Bad name`"]
        {
            assert!(problems.iter().any(|one| one.contains(named)), "{named}: {problems:?}");
        }
        assert!(problems.iter().all(|problem| !problem.contains('\u{1}')), "{problems:?}");
        let generation = registry.generation("digest", 1, soon()).await.unwrap_err();
        assert_eq!(generation.blame(), Blame::Database);
        // Deploying it again puts a slot right.
        assert_eq!(deploy(&registry, "gone", b"new").await, 100);
        let slots = registry.slots(soon()).await.unwrap();
        assert!(slots.slots.iter().any(|slot| slot.component == "gone"));
    });
}

#[test]
fn former_generations_that_point_in_a_circle_end_a_rollback() {
    with(async |_, database| {
        let registry = open(database).await;
        for bytes in [b"one", b"two", b"thr"] {
            deploy(&registry, "chat", bytes).await;
        }
        database.run(LOOSE).await.unwrap();
        let circle = "update _avenire.generations set before = 4 - number, state = 'odd'";
        database.run(circle).await.unwrap();
        let error = registry.rollback(&super::back("chat"), soon()).await.unwrap_err();
        assert!(matches!(error, RegistryError::NothingBefore { .. }), "{error:?}");
    });
}

#[test]
fn events_of_a_newer_program_are_told_as_they_are() {
    with(async |_, database| {
        let registry = open(database).await;
        deploy(&registry, "chat", b"one").await;
        let newer = "insert into _avenire.events (component, generation, what, by, at)
            values ('chat', 1, 'mirrored', repeat('x', 9999), '-infinity')";
        database.run(newer).await.unwrap();
        let history = registry.history(None, 10, soon()).await.unwrap();
        assert_eq!(history[0].what, What::Other("mirrored".into()));
        assert_eq!((history[0].by.len(), history[0].at.as_str()), (500, "-infinity"));
        assert_eq!(history[1].what, What::Deployed);
    });
}

#[test]
fn a_registry_without_its_row_is_an_error_and_nothing_is_changed() {
    with(async |_, database| {
        let registry = open(database).await;
        deploy(&registry, "chat", b"one").await;
        database.run("delete from _avenire.registry").await.unwrap();
        for error in [
            registry.slots(soon()).await.unwrap_err(),
            registry.deploy(&of("chat", b"two"), soon()).await.unwrap_err(),
            registry.rollback(&super::Rollback::default(), soon()).await.unwrap_err(),
        ] {
            let is_it = matches!(
                error,
                RegistryError::Malformed { .. } | RegistryError::BadComponent { .. }
            );
            assert!(is_it, "{error:?}");
        }
        assert_eq!(database.count("select count(*) from _avenire.generations").await.unwrap(), 1);
    });
}
