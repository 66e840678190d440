#![allow(warnings, clippy::all, clippy::pedantic)]
use avenire_postgres::*;
use std::time::{Duration, Instant};
#[tokio::main]
async fn main() {
    let l = tokio::net::TcpListener::bind("127.0.0.1:56999").await.unwrap();
    tokio::spawn(async move {
        let mut v = vec![];
        loop {
            v.push(l.accept().await.unwrap());
        }
    });
    let l = tokio::net::TcpListener::bind("127.0.0.1:56998").await.unwrap();
    tokio::spawn(async move {
        loop {
            drop(l.accept().await.unwrap());
        }
    });
    for url in [
        "postgres://postgres:wrong@127.0.0.1:55610/postgres",
        "postgres://postgres@127.0.0.1:55610/postgres",
        "postgres://postgres:secret@127.0.0.1:55610/nodb",
        "postgres://postgres:secret@127.0.0.1:1/postgres",
        "postgres://postgres:secret@nohost.invalid/postgres",
        "postgres://postgres:secret@localhost:55610/postgres?sslmode=require",
        "postgres://postgres:secret@127.0.0.1:55610/postgres?sslmode=verify-full&sslrootcert=/tmp/pgcrate/ca.crt",
        "postgres://postgres:secret@127.0.0.1:55610/postgres?sslmode=verify-ca&sslrootcert=/tmp/pgcrate/ca.crt",
        "postgres://postgres:secret@localhost:55610/postgres?sslmode=require&uselibpqcompat=true",
        "postgres://postgres:secret@localhost:55610/postgres?sslmode=no-verify&channel_binding=require",
        "host=db.local.test hostaddr=127.0.0.1 port=55610 user=postgres password=secret dbname=postgres sslmode=verify-full sslrootcert=/tmp/pgcrate/ca.crt",
        "host=other.local.test hostaddr=127.0.0.1 port=55610 user=postgres password=secret dbname=postgres sslmode=verify-full sslrootcert=/tmp/pgcrate/ca.crt",
        "postgres://postgres:secret@localhost:55610/postgres?sslmode=require&sslnegotiation=direct&sslrootcert=/tmp/pgcrate/ca.crt",
        "postgres://postgres:secret@localhost:55610/postgres?sslmode=disable",
        "postgres://postgres:secret@localhost:55610/postgres?sslmode=verify-full&sslrootcert=/nope.pem",
        "postgres://postgres:secret@localhost:56432/postgres?sslmode=verify-full",
        "postgres://postgres:secret@127.0.0.1:56999/postgres",
        "postgres://postgres:secret@127.0.0.1:56998/postgres",
        "postgres://postgres@/postgres?host=/nowhere",
        "postgres://postgres:secret@127.0.0.1:1,127.0.0.1:55610/postgres",
        "postgres://postgres:secret@127.0.0.1:56999,127.0.0.1:55610/postgres?target_session_attrs=read-write",
        "postgres://postgres:secret@127.0.0.1:55610/postgres?target_session_attrs=read-only",
        "postgres://postgres:secret@127.0.0.1:55610/postgres?options=-c%20search_path%3Dpg_catalog%20-c%20nonsense%3D1",
        "postgres://postgres:secret@127.0.0.1:56432/postgres?channel_binding=require&pgbouncer=true",
    ] {
        let t = Instant::now();
        let r = match Endpoint::parse(url) {
            Err(e) => Err(Error::Url(e)),
            Ok(e) => Session::connect(&e, Instant::now() + Duration::from_secs(3)).await,
        };
        match r {
            Ok(s) => println!("OK   {:>6.0?} {}", t.elapsed(), url),
            Err(e) => println!(
                "{:>8.0?} {}\n        {e}\n        code {:?} retry {} hint {:?}",
                t.elapsed(),
                url,
                e.sqlstate(),
                e.is_retryable_connect(),
                e.hint()
            ),
        }
    }
    let pool = Pool::new(
        Endpoint::parse("postgres://postgres:wrong@127.0.0.1:55610/postgres").unwrap(),
        PoolOptions::default(),
    );
    let t = Instant::now();
    let mut hs = vec![];
    for _ in 0..20 {
        let p = pool.clone();
        hs.push(tokio::spawn(async move {
            p.query(
                "select 1",
                &Parameters::none(),
                Header::Types,
                Caps { rows: 1, bytes: 100 },
                Instant::now() + Duration::from_secs(3),
            )
            .await
            .unwrap_err()
            .to_string()
        }));
    }
    let mut last = String::new();
    for h in hs {
        last = h.await.unwrap();
    }
    println!("20 callers {:?} {last} {:?}", t.elapsed(), pool.figures());
    let pool = Pool::new(
        Endpoint::parse("postgres://postgres:wrong@127.0.0.1:1/postgres").unwrap(),
        PoolOptions::default(),
    );
    let t = Instant::now();
    let e = pool
        .query(
            "select 1",
            &Parameters::none(),
            Header::Types,
            Caps { rows: 1, bytes: 100 },
            Instant::now() + Duration::from_secs(1),
        )
        .await
        .unwrap_err();
    println!("{:?} {e}", t.elapsed());
    let t = Instant::now();
    let e =
        pool.begin(Default::default(), Instant::now() + Duration::from_secs(1)).await.unwrap_err();
    println!("{:?} {e}", t.elapsed());
}
