//! Statements that nobody waits for any more: passed deadlines, dropped futures, lost
//! connections. Nobody else meets their remains, and the server stops working on them.

use std::time::Duration;

use anyhow::Result;
use avenire_app::postgres::{
    Error, Execution, Header, PoolOptions, TransactionOptions, UnavailableCause, WaitingFor,
};
use tokio::time::timeout;

use super::{ENOUGH, Ground, begin, execute, int4, none, number, query, run_in, within};
use crate::patience::{eventually, soon};
use crate::run;

#[test]
fn a_passed_deadline_cancels_the_statement_at_the_server() -> Result<()> {
    run(async {
        let ground = Ground::new("").await?;
        let pool = ground.pool();
        number(&pool, "select 1").await?;
        let sleep = "select pg_sleep(600)";
        let late = pool.query(sleep, &none(), Header::Types, ENOUGH, within(100)).await;
        let Err(error @ Error::Timeout { waiting_for: WaitingFor::Answer }) = late else {
            panic!("{late:?}")
        };
        assert_eq!(error.execution(), Execution::Unknown, "a write might have taken effect");
        assert_eq!(number(&pool, "select 5").await?, 5, "the next call does not wait for it");
        ground.none_is("state = 'active' and query like '%pg_sleep(600)%'").await
    })
}

#[test]
fn a_deadline_that_has_passed_already_sends_nothing() -> Result<()> {
    run(async {
        let ground = Ground::new("create table item (id int)").await?;
        for pool in ground.both()? {
            let insert = "insert into item values (1)";
            let late = async || pool.execute(insert, &none(), std::time::Instant::now()).await;
            let fresh = late().await;
            assert!(matches!(fresh, Err(Error::Timeout { .. })), "{fresh:?}");
            assert_eq!(execute(&pool, insert).await?, 1);
            // Connected and prepared, so that it could be sent at once.
            let ready = late().await.unwrap_err();
            assert!(matches!(ready, Error::Timeout { .. }), "{ready:?}");
            assert_eq!(ready.execution(), Execution::NotExecuted);
            assert_eq!(execute(&pool, "delete from item").await?, 1);
        }
        Ok(())
    })
}

#[test]
fn one_callers_deadline_does_not_cancel_anothers_statement() -> Result<()> {
    run(async {
        let ground = Ground::new("").await?;
        let pool = ground.pool_with(PoolOptions { shared: 1, ..PoolOptions::default() });
        number(&pool, "select 1").await?;
        let other = pool.clone();
        let before =
            tokio::spawn(
                async move { number(&other, "select 7 from (select pg_sleep(1)) as t").await },
            );
        eventually("it runs", async || {
            Ok(ground.backends("query like '%pg_sleep(1)%'").await? == 1)
        })
        .await?;
        let sleep = "select pg_sleep(600)";
        let late = pool.query(sleep, &none(), Header::Types, ENOUGH, within(100)).await;
        assert!(matches!(late, Err(Error::Timeout { .. })), "{late:?}");
        assert_eq!(before.await??, 7, "on the same connection, and not cancelled");
        ground.none_is("state = 'active' and query like '%pg_sleep(600)%'").await
    })
}

#[test]
fn a_backend_killed_in_the_midst_of_a_statement_is_told_as_unclear() -> Result<()> {
    run(async {
        let ground = Ground::new("").await?;
        for pool in ground.both()? {
            let other = pool.clone();
            let running =
                tokio::spawn(async move { execute(&other, "select pg_sleep(600)").await });
            let sleeping = "state = 'active' and query like '%pg_sleep(600)%'";
            eventually("it runs", async || Ok(ground.backends(sleeping).await? == 1)).await?;
            ground.kill_backends().await?;
            let error = running.await?.unwrap_err();
            let Error::Unavailable(about) = &error else { panic!("{error:?}") };
            assert_eq!(about.cause, UnavailableCause::Lost);
            assert_eq!(about.execution, Execution::Unknown);
            assert!(!error.is_retryable_connect(), "it may have been executed");
            assert_eq!(number(&pool, "select 5").await?, 5);
        }
        Ok(())
    })
}

#[test]
fn dropped_futures_leave_nothing_for_those_who_come_after() -> Result<()> {
    run(async {
        let ground = Ground::new("").await?;
        for pool in ground.both()? {
            for round in 0..60_u64 {
                // Dropped at every stage: connecting, preparing, running, reading.
                let patience = Duration::from_micros(100 * round);
                let sql = "select $1::int4, pg_sleep(0.003), repeat('x', 100000)";
                drop(timeout(patience, query(&pool, sql, &int4(1))).await);
                let number = i32::try_from(round)?;
                let answer = query(&pool, "select $1::int4", &int4(number)).await?;
                assert_eq!(answer.int(0, 0), i64::from(number));
            }
            eventually("nothing is in flight", async || Ok(pool.figures().in_flight == 0)).await?;
            assert!(pool.figures().shared <= 2, "{:?}", pool.figures());
        }
        ground.none_is("state = 'active'").await
    })
}

#[test]
fn dropped_futures_of_transactions_give_their_connection_back() -> Result<()> {
    run(async {
        let ground = Ground::new("create table item (id int)").await?;
        for pool in ground.both()? {
            for round in 0..20_u64 {
                let patience = Duration::from_micros(300 * round);
                let work = async {
                    let mut transaction = begin(&pool).await?;
                    run_in(&transaction, "insert into item values (1)").await?;
                    run_in(&transaction, "select pg_sleep(0.5)").await?;
                    transaction.commit(soon()).await
                };
                assert!(timeout(patience, work).await.is_err(), "it can not have come to its end");
            }
            eventually("all are back", async || Ok(pool.figures().in_use == 0)).await?;
            assert_eq!(number(&pool, "select count(*) from item").await?, 0);
            // As many as there may be, at once.
            let mut held = Vec::new();
            for _ in 0..PoolOptions::default().exclusive {
                let transaction = begin(&pool).await?;
                assert_eq!(super::number_in(&transaction, "select 5").await?, 5);
                held.push(transaction);
            }
        }
        ground.none_is("state like 'idle in transaction%'").await
    })
}

#[test]
fn a_dropped_statement_fails_its_transaction() -> Result<()> {
    run(async {
        let ground = Ground::new("create table item (id int)").await?;
        let pool = ground.pool();
        let mut transaction = begin(&pool).await?;
        run_in(&transaction, "insert into item values (1)").await?;
        let sleep = run_in(&transaction, "select pg_sleep(600)");
        assert!(timeout(Duration::from_millis(100), sleep).await.is_err());
        let commit = transaction.commit(soon()).await;
        assert_eq!(super::sqlstate(commit), "25P02", "its fate is unknown, so it is undone");
        assert_eq!(number(&pool, "select count(*) from item").await?, 0);
        ground.none_is("state = 'active' and query like '%pg_sleep(600)%'").await
    })
}

#[test]
fn a_caller_that_gives_up_while_connecting_costs_no_place() -> Result<()> {
    run(async {
        let ground = Ground::new("").await?;
        let pool = ground.pool_with(PoolOptions { exclusive: 1, ..PoolOptions::default() });
        for round in 0..30_u64 {
            let patience = Duration::from_micros(100 * round);
            drop(timeout(patience, pool.begin(TransactionOptions::default(), soon())).await);
        }
        assert_eq!(super::number_in(&begin(&pool).await?, "select 5").await?, 5);
        eventually("it is back", async || Ok(pool.figures().in_use == 0)).await?;
        assert_eq!(pool.figures().waiting, 0);
        Ok(())
    })
}
