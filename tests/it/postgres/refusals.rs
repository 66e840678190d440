//! No connection: which server refused, why, what to do, and never a secret.

use std::net::TcpListener;

use anyhow::{Context as _, Result};
use avenire_app::postgres::{
    Endpoint, Error, Execution, Pool, PoolOptions, Session, Unavailable, UnavailableCause,
    scram_verifier,
};

use super::{Ground, execute, none, number, within};
use crate::embedded::{open_folder, start};
use crate::patience::{eventually, soon};
use crate::run;

const SECRET: &str = "s3cret p@ss/word";
const ENCODED: &str = "s3cret%20p%40ss%2Fword";

/// `postgres://user:SECRET@…`
fn endpoint(user: &str, rest: &str) -> Result<Endpoint> {
    Ok(Endpoint::parse(&format!("postgres://{user}:{ENCODED}@{rest}"))?)
}

/// The folder of a URL's socket, as the URL writes it.
fn socket(url: &str) -> Result<&str> {
    Ok(url.split_once("host=").context("a socket")?.1)
}

/// How a pool and a session are refused there, and that nothing of that shows the
/// secret.
async fn refused(endpoint: &Endpoint) -> Result<Unavailable> {
    let pool = Pool::new(endpoint.clone(), PoolOptions::default());
    let by_pool = number(&pool, "select 1").await.unwrap_err();
    let by_session = Session::connect(endpoint, soon()).await.unwrap_err();
    let mut shown =
        vec![format!("{pool:?} {endpoint:?} {} {:?}", endpoint.redacted(), endpoint.explain())];
    for error in [&by_pool, &by_session] {
        shown.push(format!("{error} {error:?} {:?}", error.hint()));
    }
    for text in shown {
        assert!(!text.contains("s3cret"), "{text}");
    }
    let Error::Unavailable(about) = by_pool else { panic!("{by_pool:?}") };
    let Error::Unavailable(other) = by_session else { panic!("{by_session:?}") };
    assert_eq!((about.cause, &about.code), (other.cause, &other.code), "told alike");
    for one in [&about, &other] {
        assert_eq!(one.execution, Execution::NotExecuted);
    }
    Ok(*about)
}

fn told(
    about: &Unavailable,
    cause: UnavailableCause,
    code: Option<&str>,
    message: &str,
    hint: &str,
) {
    assert_eq!((about.cause, about.code.as_deref()), (cause, code), "{about:?}");
    assert!(about.message.contains(message), "{about:?}");
    assert!(about.hint.as_deref().unwrap_or_default().contains(hint), "{about:?}");
}

#[test]
fn a_database_that_does_not_exist_is_named() -> Result<()> {
    run(async {
        let ground = Ground::new("").await?;
        let missing =
            endpoint("postgres", &format!("/nowhere?host={}", socket(ground.database.url())?))?;
        let about = refused(&missing).await?;
        told(&about, UnavailableCause::UnknownDatabase, Some("3D000"), "\"nowhere\"", "create it");
        Ok(())
    })
}

#[test]
fn a_user_that_does_not_exist_is_named() -> Result<()> {
    run(async {
        let ground = Ground::new("").await?;
        let rest = format!("/{}?host={}", ground.database.name(), socket(ground.database.url())?);
        let about = refused(&endpoint("nobody_at_all", &rest)?).await?;
        told(
            &about,
            UnavailableCause::Authentication,
            Some("28000"),
            "nobody_at_all",
            "check user",
        );
        Ok(())
    })
}

#[test]
fn a_port_that_nobody_listens_at_is_named() -> Result<()> {
    run(async {
        // A port that was free a moment ago, and that nobody else was given.
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let place = listener.local_addr()?.to_string();
        drop(listener);
        let about = refused(&endpoint("me", &format!("{place}/app"))?).await?;
        told(&about, UnavailableCause::Unreachable, None, &place, "listens there");
        Ok(())
    })
}

#[test]
fn a_missing_socket_is_named() -> Result<()> {
    run(async {
        let folder = open_folder()?;
        let path = folder.path().to_str().context("a path")?;
        let about = refused(&endpoint("me", &format!("/app?host={path}"))?).await?;
        told(&about, UnavailableCause::Unreachable, None, path, "socket folder");
        Ok(())
    })
}

#[test]
fn something_that_is_no_postgres_is_told_as_such() -> Result<()> {
    run(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let place = listener.local_addr()?.to_string();
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                drop(stream.try_write(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
            }
        });
        let about = refused(&endpoint("me", &format!("{place}/app?sslmode=disable"))?).await?;
        told(&about, UnavailableCause::Unreachable, None, &place, "Postgres server");
        server.abort();
        Ok(())
    })
}

#[test]
fn a_server_that_never_answers_costs_no_more_than_the_deadline() -> Result<()> {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let place = listener.local_addr()?.to_string();
        let silent = endpoint("me", &format!("{place}/app?sslmode=disable"))?;
        let pool = Pool::new(silent.clone(), PoolOptions::default());
        let error = pool.execute("select 1", &none(), within(300)).await.unwrap_err();
        assert!(matches!(error, Error::Timeout { .. } | Error::Unavailable(_)), "{error:?}");
        assert_eq!(error.execution(), Execution::NotExecuted);
        let error = Session::connect(&silent, within(300)).await.unwrap_err();
        assert!(!error.to_string().contains("s3cret"), "{error}");
        Ok(())
    })
}

#[test]
fn connections_that_are_all_taken_are_told_as_such() -> Result<()> {
    run(async {
        let ground = Ground::new("").await?;
        // Roles belong to the whole cluster; the name is the database's own.
        let role = format!("{}_one", ground.database.name());
        ground.database.run(&format!("create role {role} login connection limit 1")).await?;
        let member = ground.database.endpoint().with_credentials(&role, None);
        let held = Session::connect(&member, soon()).await?;
        let pool = Pool::new(member, PoolOptions::default());
        let error = pool.execute("select 1", &none(), within(500)).await.unwrap_err();
        let Error::Unavailable(about) = &error else { panic!("{error:?}") };
        told(about, UnavailableCause::TooManyConnections, Some("53300"), &role, "lower the number");
        assert!(error.is_retryable_connect());
        // It passes by itself: the pool goes on trying until one is free.
        let waiting = tokio::spawn(async move { execute(&pool, "select 1").await });
        drop(held);
        assert_eq!(waiting.await??, 1);
        Ok(())
    })
}

#[test]
fn a_wrong_or_missing_password_is_told_without_showing_it() -> Result<()> {
    run(async {
        // A cluster of its own, since all others trust whoever reaches their socket.
        let folder = open_folder()?;
        let cluster = start(folder.path()).await?;
        let superuser = Endpoint::parse(&cluster.url())?;
        let session = Session::connect(&superuser, soon()).await?;
        let verifier = scram_verifier("right");
        session.batch(&format!("create role member login password '{verifier}'")).await?;
        let rules = "local all postgres trust\nlocal all all scram-sha-256\n";
        std::fs::write(cluster.data_folder().join("pg_hba.conf"), rules)?;
        session.batch("select pg_reload_conf()").await?;
        let missing = superuser.with_credentials("member", None);
        eventually("the rules are in force", async || {
            Ok(Session::connect(&missing, soon()).await.is_err())
        })
        .await?;

        let about = refused(&superuser.with_credentials("member", Some(SECRET))).await?;
        told(
            &about,
            UnavailableCause::Authentication,
            Some("28P01"),
            "member",
            "check user and password",
        );
        let about = refused(&missing).await?;
        told(
            &about,
            UnavailableCause::Authentication,
            None,
            "asks for a password",
            "add the password",
        );
        let right = superuser.with_credentials("member", Some("right"));
        let pool = Pool::new(right, PoolOptions::default());
        assert_eq!(number(&pool, "select 5").await?, 5, "the verifier fits the password");
        Ok(())
    })
}
