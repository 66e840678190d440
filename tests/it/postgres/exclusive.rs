//! Connections with one user at a time: how many, who waits, what is left on them.

use std::time::Duration;

use anyhow::Result;
use avenire_app::postgres::{Error, Pool, PoolOptions, TransactionOptions, WaitingFor};

use super::{Ground, begin, none, number, number_in, run_in, within};
use crate::patience::{eventually, soon};
use crate::run;

fn two(ground: &Ground) -> Pool {
    ground.pool_with(PoolOptions { exclusive: 2, ..PoolOptions::default() })
}

fn is_wait<T: std::fmt::Debug>(result: Result<T, Error>) -> Error {
    match result {
        Err(error @ Error::Timeout { waiting_for: WaitingFor::Connection }) => error,
        other => panic!("not a wait for a connection: {other:?}"),
    }
}

#[test]
fn exclusive_connections_are_bounded_and_waiting_ends_at_the_deadline() -> Result<()> {
    run(async {
        let ground = Ground::new("").await?;
        let pool = two(&ground);
        let first = begin(&pool).await?;
        let second = begin(&pool).await?;
        assert_ne!(
            number_in(&first, "select pg_backend_pid()").await?,
            number_in(&second, "select pg_backend_pid()").await?
        );
        let options = TransactionOptions::default();
        let error = is_wait(pool.begin(options, within(100)).await);
        assert!(error.hint().is_some_and(|hint| hint.contains("number of connections")));
        // Cursors are of the same lot, autocommit statements are not.
        is_wait(pool.open_cursor("select 1", &none(), within(100)).await);
        assert_eq!(number(&pool, "select 5").await?, 5);
        assert_eq!(pool.figures().in_use, 2);
        assert_eq!(ground.backends("state = 'idle in transaction'").await?, 2);
        drop(first);
        assert_eq!(number_in(&begin(&pool).await?, "select 6").await?, 6, "room for another");
        drop(second);
        Ok(())
    })
}

#[test]
fn who_waits_is_served_when_a_connection_comes_back() -> Result<()> {
    run(async {
        let ground = Ground::new("create table item (id int)").await?;
        let pool = two(&ground);
        let waiters: Vec<_> = (0..20)
            .map(|_| {
                let pool = pool.clone();
                tokio::spawn(async move {
                    let mut transaction = begin(&pool).await?;
                    run_in(&transaction, "insert into item values (1)").await?;
                    transaction.commit(soon()).await
                })
            })
            .collect();
        for waiter in waiters {
            waiter.await??;
        }
        assert_eq!(number(&pool, "select count(*) from item").await?, 20);
        assert!(pool.figures().connects <= 4, "{:?}", pool.figures());
        assert_eq!((pool.figures().in_use, pool.figures().waiting), (0, 0));
        Ok(())
    })
}

#[test]
fn a_transaction_that_never_spoke_costs_no_way_to_the_server() -> Result<()> {
    run(async {
        let ground = Ground::new("").await?;
        let pool = two(&ground);
        let mut transaction = begin(&pool).await?;
        assert_eq!(ground.backends("state like 'idle in transaction%'").await?, 0);
        transaction.commit(soon()).await?;
        drop(begin(&pool).await?);
        assert_eq!((pool.figures().in_use, pool.figures().idle), (0, 1), "the same connection");
        Ok(())
    })
}

#[test]
fn nothing_of_a_transaction_is_left_on_its_connection() -> Result<()> {
    run(async {
        let ground = Ground::new("create table item (id int)").await?;
        let pool = ground.pool_with(PoolOptions { exclusive: 1, ..PoolOptions::default() });
        for how in ["commit", "rollback", "drop"] {
            let mut first = begin(&pool).await?;
            run_in(&first, "set local work_mem = '77MB'").await?;
            run_in(&first, "create temp table item (other text)").await?;
            run_in(&first, "insert into item values ('x')").await?;
            match how {
                "commit" => first.commit(soon()).await?,
                "rollback" => first.rollback(soon()).await?,
                _ => drop(first),
            }
            let second = begin(&pool).await?;
            let left = "select (current_setting('work_mem') = '77MB')::int + count(*) from item";
            assert_eq!(number_in(&second, left).await?, 0, "{how}: item is the real one");
        }
        Ok(())
    })
}

#[test]
fn a_connection_that_waits_idle_is_closed() -> Result<()> {
    run(async {
        let ground = Ground::new("").await?;
        let idle_timeout = Duration::from_millis(100);
        let options = PoolOptions { idle_timeout, ..PoolOptions::default() };
        let pool = ground.pool_with(options);
        let held = begin(&pool).await?;
        number_in(&held, "select 1").await?;
        begin(&pool).await?.rollback(soon()).await?;
        eventually("only the one in use is left", async || {
            Ok(pool.figures().idle == 0 && ground.backends("true").await? == 1)
        })
        .await?;
        assert_eq!(number_in(&held, "select 7").await?, 7);
        Ok(())
    })
}
