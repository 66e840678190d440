//! Caps count rows and bytes while they arrive, so that a result of any size costs no
//! more than what is allowed.

use anyhow::Result;
use avenire_app::postgres::{Caps, Error, Header, Packed, Pool};

use super::{ENOUGH, Ground, none, number, query};
use crate::patience::soon;
use crate::run;

/// More rows than any machine could hold or send in the time.
const ENDLESS: &str = "select generate_series(1, 1000000000000), 'abcdefgh'";

async fn capped(pool: &Pool, sql: &str, caps: Caps) -> Result<Packed, Error> {
    pool.query(sql, &none(), Header::Types, caps, soon()).await
}

#[test]
fn a_result_over_its_caps_ends_while_it_arrives() -> Result<()> {
    run(async {
        let ground = Ground::new("").await?;
        for pool in ground.both()? {
            let rows = Caps { rows: 1000, ..ENOUGH };
            let error = capped(&pool, ENDLESS, rows).await.unwrap_err();
            assert!(matches!(error, Error::RowLimit { maximum: 1000 }), "{error:?}");
            let bytes = Caps { bytes: 50_000, ..ENOUGH };
            let error = capped(&pool, ENDLESS, bytes).await.unwrap_err();
            assert!(matches!(error, Error::ByteLimit { maximum: 50_000 }), "{error:?}");
            assert_eq!(number(&pool, "select 5").await?, 5, "the next call is not concerned");
        }
        ground.none_is("state = 'active' and query like '%abcdefgh%'").await
    })
}

#[test]
fn what_is_exactly_allowed_passes() -> Result<()> {
    run(async {
        let ground = Ground::new("").await?;
        // Four bytes of length and four of text a row.
        let sql = "select 'abcd' from generate_series(1, 3)";
        for pool in ground.both()? {
            assert_eq!(capped(&pool, sql, Caps { rows: 3, bytes: 24 }).await?.rows, 3);
            let error = capped(&pool, sql, Caps { rows: 2, bytes: 24 }).await.unwrap_err();
            assert!(matches!(error, Error::RowLimit { maximum: 2 }), "{error:?}");
            let error = capped(&pool, sql, Caps { rows: 3, bytes: 23 }).await.unwrap_err();
            assert!(matches!(error, Error::ByteLimit { maximum: 23 }), "{error:?}");
        }
        Ok(())
    })
}

#[test]
fn a_small_excess_does_not_cost_the_connection() -> Result<()> {
    run(async {
        let ground = Ground::new("").await?;
        let pool = ground.pool();
        let pid = "select pg_backend_pid()";
        let before = number(&pool, pid).await?;
        for _ in 0..3 {
            let sql = "select generate_series(1, 100)";
            let error = capped(&pool, sql, Caps { rows: 10, ..ENOUGH }).await.unwrap_err();
            assert!(matches!(error, Error::RowLimit { .. }), "{error:?}");
        }
        assert_eq!(number(&pool, pid).await?, before);
        Ok(())
    })
}

#[test]
fn one_gigantic_row_is_refused_although_the_caps_allow_it() -> Result<()> {
    run(async {
        let ground = Ground::new("").await?;
        let pool = ground.pool();
        let sql = "select repeat('x', 70 * 1024 * 1024)";
        let error = query(&pool, sql, &none()).await.unwrap_err();
        assert!(matches!(error, Error::ByteLimit { maximum } if maximum == 64 << 20), "{error:?}");
        assert_eq!(number(&pool, "select 5").await?, 5);
        Ok(())
    })
}

#[test]
fn a_batch_shares_its_caps() -> Result<()> {
    run(async {
        let ground = Ground::new("create table item (id int)").await?;
        for pool in ground.both()? {
            let statements = ["select generate_series(1, 6)", "select generate_series(1, 6)"]
                .map(|sql| (sql.to_owned(), none()));
            let caps = Caps { rows: 10, ..ENOUGH };
            let results = pool.batch(&statements, Header::Types, caps, soon()).await?;
            let limited = results.iter().filter(|one| matches!(one, Err(Error::RowLimit { .. })));
            assert_eq!(limited.count(), 1, "{results:?}");
            // An atomic one is undone by the excess, whether it is a little or a lot.
            for excess in ["select generate_series(1, 50)", "select generate_series(1, 1000000)"] {
                let statements = ["insert into item values (1)", excess];
                let statements = statements.map(|sql| (sql.to_owned(), none()));
                let result = pool.batch_atomic(&statements, Header::Types, caps, soon()).await;
                let error = result.unwrap_err().error;
                assert!(matches!(error, Error::RowLimit { maximum: 10 }), "{error:?}");
            }
            assert_eq!(number(&pool, "select count(*) from item").await?, 0);
        }
        Ok(())
    })
}
