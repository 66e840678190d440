//! Tests of what hosts tell of themselves.

use std::time::Duration;

use avenire_delivery::registry::{
    HostRecord, HostReport, HostSlot, HostState, Registry, RegistryError, What,
};
use avenire_schema_tests::Counted;
use tokio::task::JoinSet;

use super::{deploy, open, said, soon, with};

fn slot(component: &str, generation: i64) -> HostSlot {
    HostSlot {
        component: component.to_owned(),
        generation: Some(generation),
        canary: None,
        refused: None,
        state: HostState::Serving,
        reason: None,
        revision: generation,
        since: None,
    }
}

fn report<'a>(id: &'a str, slots: &'a [HostSlot]) -> HostReport<'a> {
    HostReport { id, name: "web-1", version: "0.1.0", interval: Duration::from_secs(5), slots }
}

async fn fleet(registry: &Registry) -> Vec<HostRecord> {
    registry.fleet(soon()).await.unwrap()
}

#[test]
fn the_fleet_shows_what_each_host_serves() {
    with(async |_, database| {
        let registry = open(database).await;
        assert!(fleet(&registry).await.is_empty());
        deploy(&registry, "chat", b"one").await;
        let slots = [slot("chat", 1), slot("auth", 7)];
        let second = HostReport { name: "web-2", ..report("b", &slots[..1]) };
        assert_eq!(registry.beat(&second, soon()).await.unwrap(), 1);
        registry.beat(&report("a", &slots), soon()).await.unwrap();
        registry.beat(&HostReport { name: "web-3", ..report("c", &[]) }, soon()).await.unwrap();
        let hosts = fleet(&registry).await;
        let told: Vec<_> = hosts.iter().map(|host| (host.id.as_str(), host.slots.len())).collect();
        assert_eq!(told, [("a", 2), ("b", 1), ("c", 0)]);
        assert_eq!((hosts[0].version.as_str(), hosts[0].interval.as_secs()), ("0.1.0", 5));
        let chat = &hosts[0].slots[1];
        assert!(chat.since.as_ref().is_some_and(|since| since.ends_with('Z')));
        assert_eq!(HostSlot { since: None, ..chat.clone() }, slots[0]);
        assert!(hosts.iter().all(|host| !host.is_gone && host.started_at.ends_with('Z')));
        // What is not reported any more is gone.
        registry.beat(&report("a", &[slot("chat", 2)]), soon()).await.unwrap();
        let hosts = fleet(&registry).await;
        assert_eq!(hosts[0].slots.len(), 1);
        assert_eq!(hosts[0].slots[0].generation, Some(2));
        registry.leave("a", soon()).await.unwrap();
        registry.leave("nobody", soon()).await.unwrap();
        assert_eq!(fleet(&registry).await.len(), 2);
        assert_eq!(database.count("select count(*) from _avenire.host_slots").await.unwrap(), 1);
    });
}

#[test]
fn a_host_that_vanished_is_listed_as_gone_and_forgotten_after_a_day() {
    with(async |_, database| {
        let registry = open(database).await;
        for id in ["gone", "slow", "well"] {
            registry.beat(&report(id, &[slot("chat", 1)]), soon()).await.unwrap();
        }
        let ago = async |id: &str, ago: &str| {
            let sql = format!("update _avenire.hosts set seen_at = now() - interval '{ago}'");
            database.run(&format!("{sql} where id = '{id}'")).await.unwrap();
        };
        ago("gone", "16 s").await;
        ago("slow", "8 s").await;
        let listed = fleet(&registry).await;
        let gone: Vec<_> = listed.iter().map(|host| (host.id.as_str(), host.is_gone)).collect();
        assert_eq!(gone, [("gone", true), ("slow", false), ("well", false)]);
        assert!(listed[0].seen_ago >= Duration::from_secs(16));
        ago("gone", "25 h").await;
        registry.beat(&report("well", &[]), soon()).await.unwrap();
        let ids: Vec<_> = fleet(&registry).await.into_iter().map(|host| host.id).collect();
        assert_eq!(ids, ["slow", "well"]);
        assert_eq!(database.count("select count(*) from _avenire.host_slots").await.unwrap(), 1);
        // It was only asleep.
        registry.beat(&report("gone", &[slot("chat", 1)]), soon()).await.unwrap();
        assert_eq!(fleet(&registry).await[0].slots.len(), 1);
    });
}

#[test]
fn a_report_that_changes_nothing_is_one_message_and_writes_one_row() {
    with(async |server, database| {
        let counted = Counted::new(server, database).unwrap();
        let registry = Registry::open(counted.endpoint(), soon()).await.unwrap();
        let slots = [slot("auth", 1), slot("chat", 1)];
        registry.beat(&report("a", &slots), soon()).await.unwrap();
        let rows = "select count(*) from _avenire.host_slots where (xmin, ctid)::text = any($1)";
        let versions = "select array_agg((xmin, ctid)::text) from _avenire.host_slots";
        let before: Vec<String> = database.rows(versions, &[]).await.unwrap()[0].get(0);
        let since = fleet(&registry).await[0].slots.clone();
        let statements = counted.statements();
        registry.beat(&report("a", &slots), soon()).await.unwrap();
        assert_eq!(counted.statements() - statements, 1);
        let same: i64 = database.rows(rows, &[&before]).await.unwrap()[0].get(0);
        assert_eq!(same, 2);
        // Only the revision: since when it serves this stays.
        database
            .run("update _avenire.host_slots set since = since - interval '1 h'")
            .await
            .unwrap();
        let moved = [HostSlot { revision: 9, ..slots[0].clone() }, slot("chat", 2)];
        let earlier = fleet(&registry).await[0].slots.clone();
        registry.beat(&report("a", &moved), soon()).await.unwrap();
        let later = fleet(&registry).await[0].slots.clone();
        assert_eq!((&later[0].since, later[0].revision), (&earlier[0].since, 9));
        assert_ne!(later[1].since, earlier[1].since);
        assert_eq!(since.len(), 2);
    });
}

#[test]
fn a_refusal_is_told_once_for_each_host_and_generation() {
    with(async |_, database| {
        let registry = open(database).await;
        deploy(&registry, "chat", b"one").await;
        deploy(&registry, "chat", b"two").await;
        registry.beat(&report("a", &[slot("chat", 1)]), soon()).await.unwrap();
        let long = format!("no table \0{}", "x".repeat(600));
        for (host, generation) in [("a", 2), ("a", 2), ("b", 2), ("a", 1), ("a", 2)] {
            registry.refused("chat", generation, host, &long, soon()).await.unwrap();
        }
        let history = registry.history(Some("chat"), 100, soon()).await.unwrap();
        let refusals: Vec<_> = history
            .iter()
            .filter(|event| event.what == What::Refused)
            .map(|event| (event.generation, event.host.as_deref().unwrap(), event.by.as_str()))
            .collect();
        // The host that has not reported has no name yet.
        assert_eq!(refusals, [(1, "a", "web-1"), (2, "b", "b"), (2, "a", "web-1")]);
        let reason = history[0].reason.as_deref().unwrap();
        assert!(reason.starts_with("no table \u{fffd}xxx") && reason.chars().count() == 500);
        let hosts = fleet(&registry).await;
        assert_eq!(hosts.len(), 1);
        let refused = &hosts[0].slots[0];
        assert_eq!((refused.generation, refused.refused), (Some(1), Some(2)));
        assert_eq!(refused.state, HostState::Refused);
        assert!(refused.reason.as_ref().unwrap().starts_with("no table"));
        // Reported as it was told.
        registry.beat(&report("a", &hosts[0].slots), soon()).await.unwrap();
        assert_eq!(fleet(&registry).await[0].slots, hosts[0].slots);
        let error = registry.refused("chat", 3, "a", "x", soon()).await.unwrap_err();
        assert!(matches!(error, RegistryError::NoGeneration { generation: 3, .. }), "{error:?}");
    });
}

#[test]
fn twenty_hosts_that_report_at_once_never_hinder_each_other() {
    with(async |_, database| {
        let registry = open(database).await;
        for id in 0..200 {
            let id = format!("old-{id}");
            registry.beat(&report(&id, &[slot("chat", 1)]), soon()).await.unwrap();
        }
        database.run("update _avenire.hosts set seen_at = now() - interval '2 d'").await.unwrap();
        let mut hosts = JoinSet::new();
        for number in 0..20 {
            let registry = registry.clone();
            hosts.spawn(async move {
                // Some of those that are being forgotten come back.
                let id =
                    if number < 10 { format!("old-{number}") } else { format!("new-{number}") };
                for generation in 1..10 {
                    let slots = [slot("auth", generation), slot("chat", generation)];
                    registry.beat(&report(&id, &slots), soon()).await?;
                }
                Ok::<(), RegistryError>(())
            });
        }
        let reported = hosts.join_all().await;
        assert!(reported.iter().all(Result::is_ok), "{reported:?}");
        let left = fleet(&registry).await;
        assert_eq!(left.len(), 20);
        assert!(left.iter().all(|host| host.slots.len() == 2 && !host.is_gone));
    });
}

#[test]
fn a_report_that_cannot_be_kept_is_refused_by_name() {
    with(async |_, database| {
        let registry = open(database).await;
        let twice = [slot("chat", 1), slot("chat", 2)];
        let bad = [slot("Chat", 1)];
        let cases = [
            (report("", &[]), "the host's id"),
            (report("a b", &[]), "the host's id"),
            (HostReport { name: "\0", ..report("a", &[]) }, "the host's name has a zero"),
            (report("a", &twice), "names the component `chat` twice"),
            (report("a", &bad), "`Chat` is not a name"),
        ];
        for (report, expected) in cases {
            let error = registry.beat(&report, soon()).await.unwrap_err();
            assert!(said(&error).contains(expected), "{}", said(&error));
        }
        let odd = [HostSlot {
            reason: Some("\"quoted\" \\ \0 \u{1}\n'; drop".into()),
            state: HostState::Other("on \"fire\"".into()),
            ..slot("chat", i64::MAX)
        }];
        registry.beat(&report("a", &odd), soon()).await.unwrap();
        let told = fleet(&registry).await[0].slots[0].clone();
        let expected = "\"quoted\" \\ \u{fffd} \u{1}\n'; drop";
        assert_eq!((told.reason.as_deref(), told.generation), (Some(expected), Some(i64::MAX)));
        assert_eq!(told.state, odd[0].state);
        // A host whose clock or interval is nonsense is still listed.
        let never = HostReport { interval: Duration::MAX, ..report("b", &[]) };
        registry.beat(&never, soon()).await.unwrap();
        assert!(!fleet(&registry).await[1].is_gone);
    });
}
