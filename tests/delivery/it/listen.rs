//! Tests of notifications on a session.

use std::time::Duration;

use avenire_postgres::{Endpoint, Error, Session};

use crate::registry::{soon, with};

#[test]
fn a_session_is_told_what_others_notify_on_its_channel() {
    with(async |_, database| {
        let session = database.session().await.unwrap();
        let channel = "odd \"name\"; select 1/0";
        let mut told = session.listen(channel).await.unwrap();
        let mut other = session.listen("other").await.unwrap();
        let notify = "select pg_notify($1, 'x')";
        database.rows(notify, &[&channel]).await.unwrap();
        tokio::time::timeout(Duration::from_mins(1), told.arrived()).await.unwrap().unwrap();
        // An answer to a later statement comes after all notifications before it.
        session.rows("select 1", &[]).await.unwrap();
        assert!(tokio::time::timeout(Duration::ZERO, other.arrived()).await.is_err());
        // Many are told as one.
        for _ in 0..5 {
            database.rows(notify, &[&"other"]).await.unwrap();
        }
        session.rows("select 1", &[]).await.unwrap();
        other.arrived().await.unwrap();
        assert!(tokio::time::timeout(Duration::ZERO, other.arrived()).await.is_err());
    });
}

#[test]
fn the_end_of_the_connection_is_told_with_its_reason() {
    with(async |_, database| {
        let session = database.session().await.unwrap();
        let mut told = session.listen("a").await.unwrap();
        database.run(KILL).await.unwrap();
        let error = tokio::time::timeout(Duration::from_mins(1), told.arrived()).await.unwrap();
        let error = error.unwrap_err();
        assert!(matches!(&error, Error::Unavailable(_)), "{error:?}");
        assert!(error.to_string().contains("terminating connection"), "{error}");
        assert!(session.listen("b").await.is_err());
        // A session that is dropped ends what listens on it, too.
        let session = database.session().await.unwrap();
        let mut told = session.listen("a").await.unwrap();
        drop(session);
        assert!(told.arrived().await.is_err());
    });
}

#[test]
fn a_pooled_endpoint_is_not_listened_on() {
    with(async |_, database| {
        let pooled = Endpoint::parse(&format!("{}&pgbouncer=true", database.url())).unwrap();
        let session = Session::connect(&pooled, soon()).await.unwrap();
        let error = session.listen("a").await.unwrap_err();
        assert!(error.to_string().contains("pooled"), "{error}");
        session.batch("select 1").await.unwrap();
    });
}

/// Ends all other connections to the database.
pub(crate) const KILL: &str = "
select pg_terminate_backend(pid) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid()";
