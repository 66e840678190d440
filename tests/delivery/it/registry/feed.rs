//! Tests of how hosts hear of changes.

use std::sync::Arc;
use std::time::Duration;

use avenire_delivery::registry::{Feed, Following, Poll, Registry, Slots};
use avenire_delivery_tests::Database;
use avenire_postgres::Endpoint;
use tokio::time::timeout;

use super::{TIME, deploy, open, soon, until, with};
use crate::listen::KILL;

/// Looks by itself only in a day.
fn listening() -> Poll {
    Poll { interval: Duration::MAX, ..Poll::default() }
}

/// Looks by itself soon.
fn looking(listen: bool) -> Poll {
    Poll { interval: Duration::from_millis(200), listen, ..Poll::default() }
}

async fn next(feed: &mut Feed) -> Arc<Slots> {
    timeout(TIME, feed.changed()).await.unwrap()
}

/// Takes what the feed tells until the component serves this.
async fn serves(feed: &mut Feed, component: &str, generation: i64) {
    loop {
        let slots = next(feed).await;
        let slot = slots.slots.iter().find(|slot| slot.component == component);
        let serving = slot.and_then(|slot| slot.serving.as_ref());
        if serving.is_some_and(|one| one.number == generation) {
            return;
        }
    }
}

/// A feed that has begun to listen and told what there is.
async fn started(registry: &Registry, poll: Poll) -> Feed {
    let mut feed = Feed::start(registry, poll);
    next(&mut feed).await;
    if poll.listen {
        until(async || feed.following() == Following::Listening).await;
    }
    feed
}

/// Makes another generation serve without telling anybody.
async fn silently(database: &Database) {
    let sql = "
        with r as (update _avenire.registry set revision = revision + 1 returning revision)
        update _avenire.slots set serving = 1, revision = r.revision from r";
    database.run(sql).await.unwrap();
}

#[test]
fn a_feed_tells_what_there_is_and_then_each_change_as_it_is_notified() {
    with(async |_, database| {
        let registry = open(database).await;
        let mut feed = Feed::start(&registry, listening());
        assert!(next(&mut feed).await.slots.is_empty());
        // By another host.
        let other = open(database).await;
        deploy(&other, "chat", b"one").await;
        serves(&mut feed, "chat", 1).await;
        deploy(&other, "chat", b"two").await;
        serves(&mut feed, "chat", 2).await;
        other.rollback(&super::back("chat"), soon()).await.unwrap();
        serves(&mut feed, "chat", 1).await;
        // A notification about nothing is none.
        database.run("notify avenire_registry").await.unwrap();
        deploy(&other, "auth", b"one").await;
        let slots = next(&mut feed).await;
        assert_eq!((slots.revision, slots.slots.len()), (4, 2));
        assert!(timeout(Duration::ZERO, feed.changed()).await.is_err());
        // Who starts now is told at once.
        let mut late = Feed::start(&other, listening());
        assert_eq!(next(&mut late).await.slots, slots.slots);
    });
}

#[test]
fn a_change_whose_notification_is_lost_is_seen_by_looking() {
    with(async |_, database| {
        let registry = open(database).await;
        deploy(&registry, "chat", b"one").await;
        deploy(&registry, "chat", b"two").await;
        for listen in [true, false] {
            let mut feed = started(&registry, looking(listen)).await;
            silently(database).await;
            serves(&mut feed, "chat", 1).await;
            assert_eq!(feed.following() == Following::Listening, listen);
            database.run("update _avenire.slots set serving = 2").await.unwrap();
        }
    });
}

#[test]
fn a_feed_whose_connection_is_killed_listens_again_and_misses_nothing() {
    with(async |_, database| {
        let registry = open(database).await;
        deploy(&registry, "chat", b"one").await;
        let mut feed = started(&registry, listening()).await;
        for generation in 2..5 {
            let sql = format!("{KILL}; update _avenire.registry set revision = revision + 1");
            database.run(&sql).await.unwrap();
            // The change came while nobody listened.
            next(&mut feed).await;
            until(async || feed.following() == Following::Listening).await;
            // The next one is notified.
            deploy(&registry, "chat", &[0, generation]).await;
            serves(&mut feed, "chat", generation.into()).await;
        }
    });
}

#[test]
fn a_feed_survives_that_its_database_is_away() {
    with(async |server, database| {
        let registry = open(database).await;
        deploy(&registry, "chat", b"one").await;
        deploy(&registry, "chat", b"two").await;
        let poll = Poll { patience: Duration::from_millis(500), ..listening() };
        let mut feed = started(&registry, poll).await;
        let session = database.session().await.unwrap();
        let admin = server.database().await.unwrap();
        let name = database.name();
        let close = format!("alter database {name} allow_connections false");
        admin.run(&close).await.unwrap();
        let kill = "select pg_terminate_backend(pid) from pg_stat_activity \
                    where datname = current_database() and pid <> pg_backend_pid()";
        session.batch(kill).await.unwrap();
        until(async || matches!(feed.following(), Following::Failing { .. })).await;
        session.batch("update _avenire.registry set revision = revision + 1").await.unwrap();
        session.batch("update _avenire.slots set serving = 1").await.unwrap();
        assert!(timeout(Duration::ZERO, feed.changed()).await.is_err());
        admin.run(&format!("alter database {name} allow_connections true")).await.unwrap();
        serves(&mut feed, "chat", 1).await;
        until(async || feed.following() == Following::Listening).await;
    });
}

#[test]
fn a_feed_that_starts_before_its_tables_are_there_waits_for_them() {
    with(async |_, database| {
        let registry = open(database).await;
        database.run("drop schema _avenire cascade").await.unwrap();
        let mut feed = Feed::start(&registry, looking(true));
        until(async || match feed.following() {
            Following::Failing { reason } => reason.contains("does not exist"),
            _ => false,
        })
        .await;
        open(database).await;
        assert!(next(&mut feed).await.slots.is_empty());
    });
}

#[test]
fn five_hosts_come_to_the_same_end() {
    with(async |_, database| {
        let registry = open(database).await;
        let mut feeds = Vec::new();
        for host in 0..5 {
            let host_registry = open(database).await;
            feeds.push(Feed::start(
                &host_registry,
                if host == 4 { looking(false) } else { listening() },
            ));
        }
        for generation in 1..=20_u8 {
            assert_eq!(deploy(&registry, "chat", &[0, generation]).await, i64::from(generation));
            if generation == 10 {
                database.run(KILL).await.unwrap();
            }
        }
        for feed in &mut feeds {
            serves(feed, "chat", 20).await;
        }
    });
}

#[test]
fn through_a_pooler_a_feed_looks_now_and_then_and_says_why() {
    with(async |_, database| {
        let pooled = Endpoint::parse(&format!("{}&pgbouncer=true", database.url())).unwrap();
        let registry = Registry::open(&pooled, soon()).await.unwrap();
        let mut feed = Feed::start(&registry, looking(true));
        next(&mut feed).await;
        until(async || match feed.following() {
            Following::Polling { reason } => reason.contains("`direct-url`"),
            _ => false,
        })
        .await;
        deploy(&registry, "chat", b"one").await;
        serves(&mut feed, "chat", 1).await;
    });
}

#[test]
fn a_feed_that_is_dropped_takes_its_connection_with_it() {
    with(async |_, database| {
        let registry = open(database).await;
        let session = database.session().await.unwrap();
        let others = "select count(*) from pg_stat_activity \
                      where datname = current_database() and pid <> pg_backend_pid()";
        let count = async || session.rows(others, &[]).await.unwrap()[0].get::<_, i64>(0);
        let feed = started(&registry, listening()).await;
        until(async || count().await == 2).await;
        drop(feed);
        until(async || count().await == 1).await;
        drop(registry);
        until(async || count().await == 0).await;
    });
}

#[test]
fn what_could_not_be_read_is_told_once_it_is_put_right() {
    with(async |_, database| {
        let registry = open(database).await;
        deploy(&registry, "auth", b"one").await;
        deploy(&registry, "chat", b"one").await;
        let loose = "alter table _avenire.slots drop constraint slots_canary_share_check; \
                     update _avenire.slots set canary = 1, canary_share = -1 \
                     where component = 'chat'";
        database.run(loose).await.unwrap();
        let mut feed = Feed::start(&registry, looking(true));
        let slots = next(&mut feed).await;
        assert_eq!((slots.slots.len(), slots.problems.len()), (1, 1));
        let right = "update _avenire.slots set canary = null, canary_share = 0";
        database.run(right).await.unwrap();
        assert_eq!(next(&mut feed).await.slots.len(), 2);
    });
}
