//! Several statements at once: each for itself, or all or nothing.

use anyhow::Result;
use avenire_app::postgres::{Error, Header, Parameters};

use super::{ENOUGH, Ground, Table, begin, int4, none, number, sqlstate};
use crate::patience::soon;
use crate::run;

fn statements(texts: &[&str]) -> Vec<(String, Parameters)> {
    texts.iter().map(|sql| ((*sql).to_owned(), none())).collect()
}

const ITEM: &str = "create table item (id int primary key);
    create table part (item int references item deferrable initially deferred)";

#[test]
fn each_statement_of_a_batch_stands_for_itself() -> Result<()> {
    run(async {
        let ground = Ground::new(ITEM).await?;
        for pool in ground.both()? {
            let batch = statements(&[
                "insert into item values (1)",
                "insert into item values (1)",
                "select count(*) from item",
                "begin",
                "select nonsense",
                "select 7",
            ]);
            let results = pool.batch(&batch, Header::Types, ENOUGH, soon()).await?;
            assert_eq!(results.len(), 6);
            assert_eq!(results[0].as_ref().unwrap().affected, 1);
            assert_eq!(sqlstate(results[1].clone()), "23505");
            assert_eq!(Table::read(results[2].as_ref().unwrap()).int(0, 0), 1, "in order");
            assert!(matches!(results[3], Err(Error::Denied { .. })), "{results:?}");
            assert_eq!(sqlstate(results[4].clone()), "42703");
            assert_eq!(Table::read(results[5].as_ref().unwrap()).int(0, 0), 7);
            assert_eq!(number(&pool, "delete from item returning id").await?, 1, "it was kept");
            assert!(pool.batch(&[], Header::Types, ENOUGH, soon()).await?.is_empty());
        }
        Ok(())
    })
}

#[test]
fn a_statement_of_a_batch_sees_what_those_before_it_made() -> Result<()> {
    run(async {
        let ground = Ground::new("").await?;
        for pool in ground.both()? {
            let batch = statements(&[
                "create table late (a int)",
                "insert into late values (1), (2)",
                "select a from late order by a desc",
                "drop table late",
            ]);
            let results = pool.batch(&batch, Header::Types, ENOUGH, soon()).await?;
            assert_eq!(Table::read(results[2].as_ref().unwrap()).int(0, 0), 2);
            let results = pool.batch_atomic(&batch, Header::Types, ENOUGH, soon()).await?;
            assert_eq!(Table::read(&results[2]).int(1, 0), 1);
            let mut transaction = begin(&pool).await?;
            let results = transaction.batch(&batch, Header::Types, ENOUGH, soon()).await?;
            assert_eq!(Table::read(&results[2]).int(0, 0), 2);
            transaction.commit(soon()).await?;
        }
        Ok(())
    })
}

#[test]
fn an_atomic_batch_is_all_or_nothing_and_names_the_failure() -> Result<()> {
    run(async {
        let ground = Ground::new(ITEM).await?;
        let count = "select count(*) from item";
        for pool in ground.both()? {
            let atomic = async |texts: &[&str]| {
                pool.batch_atomic(&statements(texts), Header::Types, ENOUGH, soon()).await
            };
            for (texts, index, code) in [
                (
                    &["insert into item values (1)", "insert into item values (1)", "select 1"][..],
                    1,
                    "23505",
                ),
                (&["insert into item values (1)", "select 1 / 0"], 1, "22012"),
                (&["insert into item values (1)", "select nonsense"], 1, "42703"),
                // The commit itself fails: no statement's fault.
                (&["insert into item values (1)", "insert into part values (9)"], 2, "23503"),
            ] {
                let error = atomic(texts).await.unwrap_err();
                assert_eq!((error.index, error.error.sqlstate()), (index, Some(code)), "{texts:?}");
                assert_eq!(number(&pool, count).await?, 0, "{texts:?}");
            }
            let denied = atomic(&["insert into item values (1)", "commit"]).await.unwrap_err();
            assert!(
                denied.index == 1 && matches!(denied.error, Error::Denied { .. }),
                "{denied:?}"
            );
            assert_eq!(number(&pool, count).await?, 0, "nothing was sent");
            // Without rows in one round trip, with rows in two.
            let results =
                atomic(&["insert into item values (1)", "insert into item values (2)"]).await?;
            assert_eq!(results.iter().map(|one| one.affected).sum::<u64>(), 2);
            let results = atomic(&["delete from item returning id", count]).await?;
            assert_eq!((results[0].rows, Table::read(&results[1]).int(0, 0)), (2, 0));
        }
        Ok(())
    })
}

#[test]
fn a_batch_in_a_transaction_ends_at_its_first_failure() -> Result<()> {
    run(async {
        let ground = Ground::new(ITEM).await?;
        for pool in ground.both()? {
            let transaction = begin(&pool).await?;
            let mut batch =
                statements(&["insert into item values (1)", "select 1 / 0", "select 2"]);
            let error = transaction.batch(&batch, Header::Types, ENOUGH, soon()).await.unwrap_err();
            assert_eq!((error.index, error.error.sqlstate()), (1, Some("22012")));
            batch.truncate(1);
            let error = transaction.batch(&batch, Header::Types, ENOUGH, soon()).await.unwrap_err();
            assert_eq!(error.error.sqlstate(), Some("25P02"), "the transaction is aborted");
            drop(transaction);
            assert_eq!(number(&pool, "select count(*) from item").await?, 0);
            let with_parameters =
                [("select $1 * 2".to_owned(), int4(4)), ("select $1 + 1".to_owned(), int4(4))];
            let results = pool.batch(&with_parameters, Header::Types, ENOUGH, soon()).await?;
            let numbers: Vec<i64> =
                results.iter().map(|one| Table::read(one.as_ref().unwrap()).int(0, 0)).collect();
            assert_eq!(numbers, [8, 5]);
        }
        Ok(())
    })
}
