//! Few connections for many callers: how many there are, how they heal, when they go.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use avenire_app::postgres::{Error, Header, Pool, PoolOptions, UnavailableCause};

use super::{ENOUGH, Ground, Table, begin, execute, int4, none, number, query};
use crate::patience::{eventually, soon};
use crate::run;

/// Sixty-four callers with twenty statements each; the backends that answered.
async fn crowd(pool: &Pool) -> Result<BTreeSet<i64>> {
    let callers: Vec<_> = (0..64)
        .map(|caller| {
            let pool = pool.clone();
            tokio::spawn(async move {
                let mut backends = BTreeSet::new();
                for round in 0..20 {
                    let number = caller * 1000 + round;
                    let sql = "select $1::int4, pg_backend_pid()";
                    let table = query(&pool, sql, &int4(number)).await?;
                    ensure!(table.int(0, 0) == i64::from(number), "another caller's answer");
                    backends.insert(table.int(0, 1));
                }
                Ok(backends)
            })
        })
        .collect();
    let mut backends = BTreeSet::new();
    for caller in callers {
        backends.extend(caller.await??);
    }
    Ok(backends)
}

#[test]
fn sixty_four_callers_share_two_connections_and_get_their_own_answers() -> Result<()> {
    run(async {
        let ground = Ground::new("").await?;
        for pool in ground.both()? {
            let backends = crowd(&pool).await?;
            assert!((1..=2).contains(&backends.len()), "{backends:?}");
            assert!(pool.figures().shared <= 2, "{:?}", pool.figures());
        }
        Ok(())
    })
}

#[test]
fn the_server_never_sees_more_than_the_two_connections() -> Result<()> {
    run(async {
        let ground = Ground::new("").await?;
        let pool = ground.pool();
        let is_over = AtomicBool::new(false);
        let work = async {
            let done = crowd(&pool).await;
            is_over.store(true, Ordering::Relaxed);
            done
        };
        let watcher = ground.database.session().await?;
        let watching = async {
            let sql = "select count(*) from pg_stat_activity where datname = current_database()
                and pid <> pg_backend_pid() and backend_type = 'client backend'";
            let (mut most, mut looks) = (0_i64, 0);
            while !is_over.load(Ordering::Relaxed) || looks == 0 {
                most = most.max(watcher.rows(sql, &[]).await?[0].get(0));
                looks += 1;
            }
            anyhow::Ok(most)
        };
        let (done, most) = tokio::join!(work, watching);
        done?;
        assert!(most? <= 2);
        assert!(pool.figures().connects <= 2, "{:?}", pool.figures());
        Ok(())
    })
}

#[test]
fn a_statement_whose_table_changes_heals_itself() -> Result<()> {
    run(async {
        let ground = Ground::new("").await?;
        for pool in ground.both()? {
            ground.database.run("drop table if exists item").await?;
            ground.database.run("create table item (id int); insert into item values (1)").await?;
            let (sql, one) = ("select * from item where id = $1", int4(1));
            crowd(&pool).await?;
            for (change, columns) in [
                ("select", 1),
                ("alter table item add column late int default 7", 2),
                ("alter table item alter column late type text", 2),
                ("alter table item drop column late", 1),
                (
                    "drop table item; create table item (id int, x int, y int); insert into item values (1)",
                    3,
                ),
            ] {
                ground.database.run(change).await?;
                // Each of the connections may have prepared it.
                for _ in 0..4 {
                    let (first, second) =
                        tokio::join!(query(&pool, sql, &one), query(&pool, sql, &one));
                    let (first, second) = (first?, second?);
                    assert_eq!((first.columns.len(), first.rows.len()), (columns, 1), "{change}");
                    assert_eq!(first, second);
                }
            }
        }
        Ok(())
    })
}

#[test]
fn a_table_may_change_while_many_read_it() -> Result<()> {
    run(async {
        let ground = Ground::new("create table item (id int); insert into item values (1)").await?;
        for pool in ground.both()? {
            let is_over = AtomicBool::new(false);
            let changing = async {
                for change in
                    ["add column late int", "alter column late type text", "drop column late"]
                {
                    ground.database.run(&format!("alter table item {change}")).await?;
                }
                is_over.store(true, Ordering::Relaxed);
                anyhow::Ok(())
            };
            let reading = async {
                while !is_over.load(Ordering::Relaxed) {
                    let table = query(&pool, "select * from item", &none()).await?;
                    ensure!(table.columns.len() == table.rows[0].len(), "{table:?}");
                }
                Ok(())
            };
            let (changed, read) = tokio::join!(changing, reading);
            changed?;
            read?;
        }
        Ok(())
    })
}

#[test]
fn after_its_backends_were_killed_the_next_call_works() -> Result<()> {
    run(async {
        let ground = Ground::new("").await?;
        for pool in ground.both()? {
            for _ in 0..3 {
                assert_eq!(number(&pool, "select 5").await?, 5);
                begin(&pool).await?.commit(soon()).await?;
                let mut cursor = pool.open_cursor("select 6", &none(), soon()).await?;
                assert_eq!(Table::read(&cursor.next(1, ENOUGH, soon()).await?).int(0, 0), 6);
                drop(cursor);
                ground.kill_backends().await?;
            }
            assert_eq!(number(&pool, "select 5").await?, 5);
            let transaction = begin(&pool).await?;
            assert_eq!(super::number_in(&transaction, "select 7").await?, 7);
            drop(transaction);
            ground.kill_backends().await?;
            let mut cursor = pool.open_cursor("select 6", &none(), soon()).await?;
            assert_eq!(Table::read(&cursor.next(1, ENOUGH, soon()).await?).int(0, 0), 6);
        }
        Ok(())
    })
}

#[test]
fn idle_connections_are_closed_and_opened_again_when_needed() -> Result<()> {
    run(async {
        let ground = Ground::new("").await?;
        let idle_timeout = Duration::from_millis(100);
        let pool = ground.pool_with(PoolOptions { idle_timeout, ..PoolOptions::default() });
        for _ in 0..2 {
            assert_eq!(number(&pool, "select 5").await?, 5);
            begin(&pool).await?.commit(soon()).await?;
            ground.none_is("true").await?;
            eventually("the figures say so", async || {
                Ok(pool.figures().shared + pool.figures().idle == 0)
            })
            .await?;
        }
        Ok(())
    })
}

#[test]
fn a_connection_is_replaced_when_it_is_old() -> Result<()> {
    run(async {
        let ground = Ground::new("").await?;
        let max_lifetime = Duration::from_millis(100);
        let pool = ground.pool_with(PoolOptions { max_lifetime, ..PoolOptions::default() });
        let pid = "select pg_backend_pid()";
        let first = number(&pool, pid).await?;
        eventually("another backend answers", async || Ok(number(&pool, pid).await? != first)).await
    })
}

#[test]
fn a_closed_pool_finishes_what_runs_and_takes_nothing_new() -> Result<()> {
    run(async {
        let ground = Ground::new("create table item (id int)").await?;
        let pool = ground.pool();
        number(&pool, "select 1").await?;
        let other = pool.clone();
        let slow = "insert into item select 1 from pg_sleep(0.3)";
        let running = tokio::spawn(async move { execute(&other, slow).await });
        eventually("it runs", async || {
            Ok(ground.backends("query like '%pg_sleep(0.3)%'").await? == 1)
        })
        .await?;
        pool.close().await;
        assert_eq!(running.await??, 1);
        let error = number(&pool, "select 1").await.unwrap_err();
        let Error::Unavailable(about) = &error else { panic!("{error:?}") };
        assert_eq!(about.cause, UnavailableCause::Closed);
        assert!(!error.is_retryable_connect());
        assert!(matches!(begin(&pool).await, Err(Error::Unavailable(_))));
        ground.none_is("true").await
    })
}

#[test]
fn a_connection_tells_its_name_and_the_servers_own_limit() -> Result<()> {
    run(async {
        let ground = Ground::new("").await?;
        let options = PoolOptions {
            application_name: "the tests".to_owned(),
            statement_timeout: Some(Duration::from_millis(200)),
            ..PoolOptions::default()
        };
        let pool = ground.pool_with(options);
        let sql =
            "select current_setting('application_name'), current_setting('statement_timeout')";
        let table = query(&pool, sql, &none()).await?;
        assert_eq!((table.text(0, 0), table.text(0, 1)), ("the tests", "200ms"));
        let late = pool.query("select pg_sleep(60)", &none(), Header::Types, ENOUGH, soon()).await;
        assert_eq!(super::sqlstate(late), "57014", "the server gave up, long before the caller");
        Ok(())
    })
}
