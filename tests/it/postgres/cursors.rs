//! Cursors: rows of any number in pieces of a bounded size, outside and inside of a
//! transaction.

use std::time::Duration;

use anyhow::Result;
use avenire_app::postgres::{Caps, Cursor, Error, PoolOptions};
use tokio::time::timeout;

use super::{ENOUGH, Ground, INT4, TEXT, Table, begin, int4, none, number, number_in, sqlstate};
use crate::patience::{eventually, soon};
use crate::run;

/// A piece, and at most one header of two columns beside it.
const PIECE: u32 = 16 * 1024;
const HEADER: usize = 2 + 1 + 2 * 4 + 4;

const MANY: &str = "select g, 'row ' || g from generate_series(1, 100000) g where g > $1";

/// Reads to the end, checks that the first column counts up from one.
async fn count(cursor: &mut Cursor) -> Result<i64, Error> {
    let mut last = 0;
    loop {
        let packed = cursor.next(PIECE, ENOUGH, soon()).await?;
        assert!(packed.bytes.len() <= PIECE as usize + HEADER, "{}", packed.bytes.len());
        let table = Table::read(&packed);
        assert_eq!(table.types(), [INT4, TEXT], "also of the empty piece at the end");
        if table.rows.is_empty() {
            return Ok(last);
        }
        for row in 0..table.rows.len() {
            last += 1;
            assert_eq!(table.int(row, 0), last);
        }
    }
}

#[test]
fn all_rows_come_once_in_order_and_the_end_stays_the_end() -> Result<()> {
    run(async {
        let ground = Ground::new("").await?;
        for pool in ground.both()? {
            let mut cursor = pool.open_cursor(MANY, &int4(0), soon()).await?;
            assert_eq!(pool.figures().in_use, 1);
            assert_eq!(count(&mut cursor).await?, 100_000);
            assert_eq!(pool.figures().in_use, 0, "the end gives the connection back");
            assert_eq!(cursor.next(PIECE, ENOUGH, soon()).await?.rows, 0);
            let transaction = begin(&pool).await?;
            let mut cursor = transaction.open_cursor(MANY, &int4(0), soon()).await?;
            assert_eq!(count(&mut cursor).await?, 100_000);
            assert_eq!(cursor.next(PIECE, ENOUGH, soon()).await?.rows, 0);
            assert_eq!(number_in(&transaction, "select 5").await?, 5);
        }
        Ok(())
    })
}

#[test]
fn the_columns_are_known_without_rows() -> Result<()> {
    run(async {
        let ground = Ground::new("create table item (id int, name text)").await?;
        for pool in ground.both()? {
            let transaction = begin(&pool).await?;
            for mut cursor in [
                pool.open_cursor("select id, name as label from item;", &none(), soon()).await?,
                transaction
                    .open_cursor("select id, name as label from item;", &none(), soon())
                    .await?,
            ] {
                let columns: Vec<(&str, u32)> =
                    cursor.columns().iter().map(|one| (one.name.as_str(), one.type_oid)).collect();
                assert_eq!(columns, [("id", INT4), ("label", TEXT)]);
                assert_eq!(cursor.next(1, ENOUGH, soon()).await?.rows, 0);
            }
        }
        Ok(())
    })
}

#[test]
fn cursors_of_a_transaction_and_its_statements_take_turns() -> Result<()> {
    run(async {
        let ground = Ground::new("").await?;
        for pool in ground.both()? {
            let mut transaction = begin(&pool).await?;
            let sql = "select g from generate_series(1, 3000) g";
            let mut one = transaction.open_cursor(sql, &none(), soon()).await?;
            let mut two = transaction.open_cursor(sql, &none(), soon()).await?;
            let (mut first, mut second) = (0, 0);
            loop {
                let (a, b) =
                    (one.next(1024, ENOUGH, soon()).await?, two.next(2048, ENOUGH, soon()).await?);
                assert_eq!(number_in(&transaction, "select 5").await?, 5);
                if a.rows + b.rows == 0 {
                    break;
                }
                for (packed, last) in [(a, &mut first), (b, &mut second)] {
                    let table = Table::read(&packed);
                    for row in 0..table.rows.len() {
                        *last += 1;
                        assert_eq!(table.int(row, 0), *last);
                    }
                }
            }
            assert_eq!((first, second), (3000, 3000));
            transaction.commit(soon()).await?;
        }
        Ok(())
    })
}

#[test]
fn a_cursor_that_is_dropped_early_frees_its_connection_and_stops_the_server() -> Result<()> {
    run(async {
        let ground = Ground::new("").await?;
        let pool = ground.pool_with(PoolOptions { exclusive: 1, ..PoolOptions::default() });
        let endless = "select generate_series(1, 1000000000000), 'endless'";
        for _ in 0..3 {
            let mut cursor = pool.open_cursor(endless, &none(), soon()).await?;
            assert!(cursor.next(PIECE, ENOUGH, soon()).await?.rows > 0);
            drop(cursor);
            assert_eq!(number_in(&begin(&pool).await?, "select 5").await?, 5);
        }
        ground.none_is("state = 'active' and query like '%endless%'").await?;
        // In a transaction the connection is the transaction's, which goes on.
        let transaction = begin(&pool).await?;
        let mut cursor = transaction.open_cursor(endless, &none(), soon()).await?;
        cursor.next(PIECE, ENOUGH, soon()).await?;
        drop(cursor);
        let open = "select count(*) from pg_cursors where name like 'avenire%'";
        assert_eq!(number_in(&transaction, open).await?, 0, "it is closed at the server");
        Ok(())
    })
}

#[test]
fn a_cursor_ends_with_its_savepoint_or_transaction() -> Result<()> {
    run(async {
        let ground = Ground::new("").await?;
        for pool in ground.both()? {
            let mut transaction = begin(&pool).await?;
            let mut outer = transaction.open_cursor(MANY, &int4(0), soon()).await?;
            outer.next(PIECE, ENOUGH, soon()).await?;
            transaction.savepoint(soon()).await?;
            let mut inner = transaction.open_cursor(MANY, &int4(0), soon()).await?;
            inner.next(PIECE, ENOUGH, soon()).await?;
            transaction.rollback_to_savepoint(soon()).await?;
            let gone = inner.next(PIECE, ENOUGH, soon()).await.unwrap_err();
            assert!(matches!(gone, Error::Invalid { .. }), "{gone:?}");
            assert!(outer.next(PIECE, ENOUGH, soon()).await?.rows > 0, "the outer one goes on");
            transaction.commit(soon()).await?;
            let gone = outer.next(PIECE, ENOUGH, soon()).await.unwrap_err();
            assert!(matches!(gone, Error::Invalid { .. }), "{gone:?}");
        }
        Ok(())
    })
}

#[test]
fn a_failure_in_the_midst_is_told_and_ends_the_cursor() -> Result<()> {
    run(async {
        let ground = Ground::new("").await?;
        let sql = "select 1 / (500 - g) from generate_series(1, 1000) g";
        for pool in ground.both()? {
            let transaction = begin(&pool).await?;
            for mut cursor in [
                pool.open_cursor(sql, &none(), soon()).await?,
                transaction.open_cursor(sql, &none(), soon()).await?,
            ] {
                let mut read = 0;
                let error = loop {
                    match cursor.next(1024, ENOUGH, soon()).await {
                        Ok(packed) => read += packed.rows,
                        Err(error) => break error,
                    }
                };
                assert_eq!(error.sqlstate(), Some("22012"));
                assert!(read < 500, "{read}");
                assert!(cursor.next(1024, ENOUGH, soon()).await.is_err(), "no row is left out");
            }
            assert_eq!(sqlstate(number_in(&transaction, "select 1").await), "25P02");
            drop(transaction);
            eventually("all are back", async || Ok(pool.figures().in_use == 0)).await?;
        }
        Ok(())
    })
}

#[test]
fn a_piece_over_its_caps_ends_the_cursor_so_that_no_row_is_left_out() -> Result<()> {
    run(async {
        let ground = Ground::new("").await?;
        let caps = Caps { rows: 10, ..ENOUGH };
        for pool in ground.both()? {
            let transaction = begin(&pool).await?;
            for mut cursor in [
                pool.open_cursor(MANY, &int4(0), soon()).await?,
                transaction.open_cursor(MANY, &int4(0), soon()).await?,
            ] {
                let error = cursor.next(PIECE, caps, soon()).await.unwrap_err();
                assert!(matches!(error, Error::RowLimit { maximum: 10 }), "{error:?}");
                let after = cursor.next(PIECE, ENOUGH, soon()).await.unwrap_err();
                assert!(matches!(after, Error::Invalid { .. }), "{after:?}");
            }
            assert_eq!(number_in(&transaction, "select 5").await?, 5, "the transaction goes on");
        }
        Ok(())
    })
}

#[test]
fn a_cursor_reads_only() -> Result<()> {
    run(async {
        let ground = Ground::new("create table item (id int)").await?;
        for pool in ground.both()? {
            let transaction = begin(&pool).await?;
            for sql in [
                "insert into item values (1) returning id",
                "drop table item",
                "/* */ delete from item",
            ] {
                for opened in [
                    pool.open_cursor(sql, &none(), soon()).await,
                    transaction.open_cursor(sql, &none(), soon()).await,
                ] {
                    assert!(matches!(opened, Err(Error::Denied { .. })), "{sql}: {opened:?}");
                }
            }
            let missing = pool.open_cursor("select nonsense from item", &none(), soon()).await;
            let Err(Error::Database(about)) = missing else { panic!("{missing:?}") };
            assert_eq!((about.code.as_str(), about.position), ("42703", Some(8)));
            assert_eq!(number(&pool, "select count(*) from item").await?, 0);
        }
        Ok(())
    })
}

#[test]
fn a_dropped_read_breaks_the_cursor_instead_of_losing_rows() -> Result<()> {
    run(async {
        let ground = Ground::new("").await?;
        let pool = ground.pool();
        let slow = "select repeat('x', 20000) union all select 'y' from pg_sleep(600)";
        let mut cursor = pool.open_cursor(slow, &none(), soon()).await?;
        let read = cursor.next(PIECE, ENOUGH, soon());
        assert!(timeout(Duration::from_millis(100), read).await.is_err());
        let after = cursor.next(PIECE, ENOUGH, soon()).await.unwrap_err();
        assert!(matches!(after, Error::Invalid { .. }), "{after:?}");
        eventually("the connection is free", async || Ok(pool.figures().in_use == 0)).await?;
        ground.none_is("state = 'active'").await
    })
}
