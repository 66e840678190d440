//! Transactions: what is kept, what is undone, and what a failure inside means.

use anyhow::Result;
use avenire_app::postgres::{
    AccessMode, Error, Execution, Header, IsolationLevel, MAXIMUM_SAVEPOINTS, Pool, PoolOptions,
    StatementMode, TransactionOptions, UnavailableCause, WaitingFor,
};

use super::{ENOUGH, Ground, Table, begin, none, number, number_in, run_in, sqlstate, within};
use crate::patience::{eventually, soon};
use crate::run;

const ITEM: &str = "create table item (id int primary key);
    create table part (item int references item deferrable initially deferred)";

async fn items(pool: &Pool) -> Result<i64, Error> {
    number(pool, "select count(*) from item").await
}

async fn eventually_free(pool: &Pool) -> Result<()> {
    eventually("all connections are back", async || Ok(pool.figures().in_use == 0)).await
}

#[test]
fn what_is_committed_is_kept_and_what_is_rolled_back_or_dropped_is_not() -> Result<()> {
    run(async {
        let ground = Ground::new(ITEM).await?;
        for (round, pool) in (0..).zip(ground.both()?) {
            let insert = |id: i32| format!("insert into item values ({})", id + 100 * round);
            let before = items(&pool).await?;
            let mut transaction = begin(&pool).await?;
            run_in(&transaction, &insert(1)).await?;
            assert_eq!(items(&pool).await?, before, "nobody else sees it yet");
            transaction.commit(soon()).await?;
            assert_eq!(items(&pool).await?, before + 1);
            let mut transaction = begin(&pool).await?;
            run_in(&transaction, &insert(2)).await?;
            transaction.rollback(soon()).await?;
            let transaction = begin(&pool).await?;
            run_in(&transaction, &insert(3)).await?;
            drop(transaction);
            eventually_free(&pool).await?;
            assert_eq!(items(&pool).await?, before + 1);
            ground.none_is("state like 'idle in transaction%'").await?;
        }
        Ok(())
    })
}

#[test]
fn after_a_failed_statement_everything_is_25p02_and_the_commit_is_none() -> Result<()> {
    run(async {
        let ground = Ground::new(ITEM).await?;
        for pool in ground.both()? {
            let mut transaction = begin(&pool).await?;
            run_in(&transaction, "insert into item values (1)").await?;
            let twice = run_in(&transaction, "insert into item values (1)").await;
            assert_eq!(sqlstate(twice), "23505");
            assert_eq!(sqlstate(number_in(&transaction, "select 1").await), "25P02");
            assert_eq!(sqlstate(transaction.savepoint(soon()).await), "25P02");
            let error = transaction.commit(soon()).await.unwrap_err();
            assert_eq!(error.sqlstate(), Some("25P02"));
            assert_eq!(error.execution(), Execution::NotExecuted, "nothing is unclear");
            assert_eq!(items(&pool).await?, 0);
            let ended = number_in(&transaction, "select 1").await.unwrap_err();
            assert!(matches!(ended, Error::Invalid { .. }), "{ended:?}");
            assert_eq!(pool.figures().in_use, 0, "the connection is back");
        }
        Ok(())
    })
}

#[test]
fn what_was_refused_before_it_was_sent_does_not_fail_the_transaction() -> Result<()> {
    run(async {
        let ground = Ground::new(ITEM).await?;
        for pool in ground.both()? {
            let mut transaction = begin(&pool).await?;
            run_in(&transaction, "insert into item values (1)").await?;
            let denied = run_in(&transaction, "commit").await.unwrap_err();
            assert!(matches!(denied, Error::Denied { .. }), "{denied:?}");
            let invalid = run_in(&transaction, "select $1::int4").await.unwrap_err();
            assert!(matches!(invalid, Error::Invalid { .. }), "{invalid:?}");
            transaction.rollback(soon()).await?;
            assert_eq!(items(&pool).await?, 0);
        }
        Ok(())
    })
}

#[test]
fn savepoints_undo_their_own_part_and_mend_a_failed_transaction() -> Result<()> {
    run(async {
        let ground = Ground::new(ITEM).await?;
        for pool in ground.both()? {
            let mut transaction = begin(&pool).await?;
            run_in(&transaction, "insert into item values (1)").await?;
            transaction.savepoint(soon()).await?;
            run_in(&transaction, "insert into item values (2)").await?;
            transaction.savepoint(soon()).await?;
            run_in(&transaction, "insert into item values (3)").await?;
            assert_eq!(
                sqlstate(run_in(&transaction, "insert into item values (3)").await),
                "23505"
            );
            transaction.rollback_to_savepoint(soon()).await?;
            run_in(&transaction, "insert into item values (4)").await?;
            transaction.release_savepoint(soon()).await?;
            let none_left = transaction.release_savepoint(soon()).await.unwrap_err();
            assert!(matches!(none_left, Error::Invalid { .. }), "{none_left:?}");
            assert!(transaction.rollback_to_savepoint(soon()).await.is_err());
            // A released one belongs to what is around it, and is undone with that.
            transaction.savepoint(soon()).await?;
            transaction.savepoint(soon()).await?;
            run_in(&transaction, "insert into item values (5)").await?;
            transaction.release_savepoint(soon()).await?;
            transaction.rollback_to_savepoint(soon()).await?;
            transaction.commit(soon()).await?;
            assert_eq!(number(&pool, "select sum(id) from item").await?, 1 + 2 + 4);
            super::execute(&pool, "delete from item").await?;
        }
        Ok(())
    })
}

#[test]
fn there_is_a_most_of_savepoints() -> Result<()> {
    run(async {
        let ground = Ground::new("").await?;
        let pool = ground.pool();
        let transaction = begin(&pool).await?;
        for _ in 0..MAXIMUM_SAVEPOINTS {
            transaction.savepoint(soon()).await?;
        }
        let error = transaction.savepoint(soon()).await.unwrap_err();
        assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
        assert_eq!(number_in(&transaction, "select 5").await?, 5, "it goes on");
        Ok(())
    })
}

#[test]
fn a_commit_that_postgres_refuses_keeps_nothing() -> Result<()> {
    run(async {
        let ground = Ground::new(ITEM).await?;
        for pool in ground.both()? {
            let mut transaction = begin(&pool).await?;
            run_in(&transaction, "insert into item values (1)").await?;
            run_in(&transaction, "insert into part values (9)").await?;
            assert_eq!(sqlstate(transaction.commit(soon()).await), "23503");
            assert_eq!(items(&pool).await?, 0);
            assert_eq!(pool.figures().in_use, 0);
        }
        Ok(())
    })
}

#[test]
fn isolation_and_access_are_what_was_asked_for() -> Result<()> {
    run(async {
        let ground = Ground::new(ITEM).await?;
        for pool in ground.both()? {
            let options = |isolation, access| TransactionOptions {
                isolation: Some(isolation),
                access,
                deferrable: false,
            };
            let reading = options(IsolationLevel::RepeatableRead, AccessMode::ReadOnly);
            let reader = pool.begin(reading, soon()).await?;
            let before = number_in(&reader, "select count(*) from item").await?;
            super::execute(&pool, "insert into item select count(*) from item").await?;
            assert_eq!(number_in(&reader, "select count(*) from item").await?, before);
            assert_eq!(sqlstate(run_in(&reader, "insert into item values (50)").await), "25006");
            // Write skew: each reads what the other changes.
            let both = options(IsolationLevel::Serializable, AccessMode::ReadWrite);
            let (mut one, mut two) =
                (pool.begin(both, soon()).await?, pool.begin(both, soon()).await?);
            for (transaction, id) in [(&one, 60), (&two, 61)] {
                number_in(transaction, "select sum(id) from item").await?;
                run_in(transaction, &format!("insert into item values ({id})")).await?;
            }
            one.commit(soon()).await?;
            let error = two.commit(soon()).await.unwrap_err();
            assert!(error.is_serialization_failure(), "{error:?}");
            super::execute(&pool, "delete from item where id >= 50").await?;
        }
        Ok(())
    })
}

#[test]
fn a_statement_past_its_deadline_ends_the_transaction_at_the_server() -> Result<()> {
    run(async {
        let ground = Ground::new(ITEM).await?;
        for pool in ground.both()? {
            let mut transaction = begin(&pool).await?;
            run_in(&transaction, "insert into item values (1)").await?;
            let sleep = "select pg_sleep(600)";
            let late = transaction.execute(sleep, &none(), within(100)).await.unwrap_err();
            let Error::Timeout { waiting_for } = late else { panic!("{late:?}") };
            assert_eq!(waiting_for, WaitingFor::Answer);
            assert_eq!(sqlstate(number_in(&transaction, "select 1").await), "25P02");
            assert_eq!(sqlstate(transaction.commit(soon()).await), "25P02");
            let ended = transaction.rollback(soon()).await.unwrap_err();
            assert!(matches!(ended, Error::Invalid { .. }), "{ended:?}");
            assert_eq!(items(&pool).await?, 0);
            if pool.statement_mode() == StatementMode::Named {
                ground.none_is("state like 'idle in transaction%' or state = 'active'").await?;
            }
            // A pooler of unknown make may not be sent cancel requests.
            ground.kill_backends().await?;
        }
        Ok(())
    })
}

#[test]
fn a_backend_that_dies_takes_its_transaction_with_it() -> Result<()> {
    run(async {
        let ground = Ground::new(ITEM).await?;
        for pool in ground.both()? {
            let mut transaction = begin(&pool).await?;
            run_in(&transaction, "insert into item values (1)").await?;
            ground.kill_backends().await?;
            let lost = run_in(&transaction, "insert into item values (2)").await.unwrap_err();
            let Error::Unavailable(about) = &lost else { panic!("{lost:?}") };
            assert_eq!(about.cause, UnavailableCause::Lost);
            assert_eq!(sqlstate(transaction.commit(soon()).await), "25P02");
            assert_eq!(items(&pool).await?, 0);
        }
        Ok(())
    })
}

#[test]
fn a_lost_commit_is_told_as_unclear() -> Result<()> {
    run(async {
        let slow = "create table item (id int);
            create function slow() returns trigger language plpgsql as
            $$ begin perform pg_sleep(600); return null; end $$;
            create constraint trigger slow after insert on item deferrable initially deferred
            for each row execute function slow()";
        let ground = Ground::new(slow).await?;
        let pool = ground.pool();
        let mut transaction = begin(&pool).await?;
        run_in(&transaction, "insert into item values (1)").await?;
        let committing = tokio::spawn(async move { transaction.commit(soon()).await });
        let at_it = "state = 'active' and query = 'commit'";
        eventually("it commits", async || Ok(ground.backends(at_it).await? == 1)).await?;
        ground.kill_backends().await?;
        let lost = committing.await?.unwrap_err();
        assert_eq!(lost.execution(), Execution::Unknown, "{lost:?}");
        Ok(())
    })
}

#[test]
fn a_table_that_changed_heals_the_first_statement_of_a_transaction() -> Result<()> {
    run(async {
        let ground = Ground::new("create table item (id int); insert into item values (1)").await?;
        let options = PoolOptions { exclusive: 1, ..PoolOptions::default() };
        let pool = ground.pool_with(options);
        for (round, change) in (1..).zip(["add column a int", "add column b int"]) {
            let mut transaction = begin(&pool).await?;
            for _ in 0..2 {
                let packed = transaction
                    .query("select * from item", &none(), Header::Types, ENOUGH, soon())
                    .await?;
                assert_eq!(Table::read(&packed).columns.len(), round);
            }
            transaction.commit(soon()).await?;
            ground.database.run(&format!("alter table item {change}")).await?;
        }
        Ok(())
    })
}
