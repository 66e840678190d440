//! One statement: what comes back, what goes in, and how a failure is told.

use anyhow::Result;
use avenire_app::postgres::{Error, Header, Parameters, Pool};

use super::{
    BOOL, Column, ENOUGH, Ground, INT4, INT8_ARRAY, TEXT, Table, UUID, VARCHAR, execute, int4,
    none, number, parameters, query, sqlstate,
};
use crate::patience::soon;
use crate::run;

async fn described(pool: &Pool, sql: &str) -> Result<Table> {
    Ok(Table::read(&pool.query(sql, &none(), Header::Described, ENOUGH, soon()).await?))
}

#[test]
fn cells_come_in_binary_with_the_types_of_their_columns() -> Result<()> {
    run(async {
        let ground = Ground::new("").await?;
        for pool in ground.both()? {
            let sql = "select 7, 'ä'::text, true, null::uuid, '{1}'::int8[] union all
                       select -1, '', false, '00000000-0000-0000-0000-0000000000ff', '{}'";
            let table = query(&pool, sql, &none()).await?;
            assert_eq!(table.types(), [INT4, TEXT, BOOL, UUID, INT8_ARRAY]);
            assert_eq!((table.int(0, 0), table.int(1, 0)), (7, -1));
            assert_eq!((table.text(0, 1), table.text(1, 1)), ("ä", ""), "empty is not null");
            assert_eq!((&table.rows[0][2], &table.rows[1][2]), (&Some(vec![1]), &Some(vec![0])));
            let mut uuid = [0; 16];
            uuid[15] = 0xff;
            assert_eq!((&table.rows[0][3], &table.rows[1][3]), (&None, &Some(uuid.to_vec())));
            let array = table.rows[0][4].as_deref().unwrap();
            assert_eq!(array.last_chunk(), Some(&1_i64.to_be_bytes()));
        }
        Ok(())
    })
}

#[test]
fn a_described_header_names_the_columns_also_of_an_empty_result() -> Result<()> {
    run(async {
        let ground = Ground::new("create table item (id int, name varchar(20))").await?;
        let column =
            |oid, name: &str, modifier| Column { oid, about: Some((name.to_owned(), modifier)) };
        // A modifier of varchar is the length and four.
        let expected =
            [column(INT4, "id", -1), column(VARCHAR, "näme", 24), column(TEXT, "näme", -1)];
        for pool in ground.both()? {
            let sql = "select id, name as \"näme\", 'x'::text as \"näme\" from item";
            let empty = described(&pool, sql).await?;
            assert_eq!(empty, Table { columns: expected.to_vec(), rows: vec![] });
            execute(&pool, "insert into item values (1, 'one')").await?;
            let full = described(&pool, sql).await?;
            assert_eq!((&full.columns[..], full.text(0, 1)), (&expected[..], "one"));
            execute(&pool, "delete from item").await?;
            let types = query(&pool, sql, &none()).await?;
            assert_eq!((types.types(), types.rows.len()), (vec![INT4, VARCHAR, TEXT], 0));
            let nothing = query(&pool, "select from item", &none()).await?;
            assert_eq!(nothing.types(), [0_u32; 0]);
        }
        Ok(())
    })
}

#[test]
fn nulls_keep_the_type_of_their_column() -> Result<()> {
    run(async {
        let ground = Ground::new("create type mood as enum ('sad', 'ok')").await?;
        for pool in ground.both()? {
            let (mood, moods) = pool.lookup_type("mood", None, soon()).await?;
            let sql = "select null::int, null::uuid, null::mood, null::mood[], null";
            let table = query(&pool, sql, &none()).await?;
            assert_eq!(table.types(), [INT4, UUID, mood, moods, TEXT]);
            assert_eq!(table.rows, [vec![None, None, None, None, None]]);
        }
        Ok(())
    })
}

#[test]
fn a_custom_enum_works_as_column_and_as_parameter() -> Result<()> {
    run(async {
        let schema = "create schema other; create type other.mood as enum ('else');
            create type mood as enum ('sad', 'ok');
            create table person (id int primary key, mood mood, moods mood[]);
            insert into person values (1, 'ok', '{sad,ok}'), (2, null, null)";
        let ground = Ground::new(schema).await?;
        for pool in ground.both()? {
            let found = pool.lookup_type("mood", None, soon()).await?;
            let (mood, moods) = found;
            let ours = "select 'mood'::regtype::oid::int8";
            assert_eq!(number(&pool, ours).await?, i64::from(mood));
            assert_eq!(pool.lookup_type("mood", Some("public"), soon()).await?, found);
            assert_ne!(pool.lookup_type("mood", Some("other"), soon()).await?, found);
            assert_eq!(sqlstate(pool.lookup_type("moods", None, soon()).await), "42704");

            let table = query(&pool, "select mood, moods from person order by id", &none()).await?;
            assert_eq!(table.types(), [mood, moods]);
            assert_eq!(table.text(0, 0), "ok");
            assert_eq!(table.rows[1], [None, None]);

            // By its own OID in binary, by text whose type is inferred, as an array.
            let count = "select count(*) from person where mood = $1";
            for ok in [parameters(&[(mood, 1, Some(b"ok"))]), Parameters::texts(&["ok"])] {
                assert_eq!(query(&pool, count, &ok).await?.int(0, 0), 1);
            }
            let any = "select count(*) from person where mood = any($1)";
            let array = parameters(&[(moods, 0, Some(b"{ok,sad}"))]);
            assert_eq!(query(&pool, any, &array).await?.int(0, 0), 1);
            let wrong = parameters(&[(mood, 1, Some(b"nope"))]);
            assert_eq!(sqlstate(query(&pool, count, &wrong).await), "22P02");
        }
        Ok(())
    })
}

#[test]
fn a_text_without_a_type_takes_the_type_that_the_statement_gives_it() -> Result<()> {
    run(async {
        let ground = Ground::new("create table item (id int, at timestamptz, data jsonb)").await?;
        for pool in ground.both()? {
            for (sql, texts, expected) in [
                ("select $1::int4 + 1", &["41"][..], "42"),
                ("select $1 || $2", &["a", "b"], "ab"),
                ("select $1", &["it's"], "it's"),
                (
                    "select extract(epoch from $1::timestamptz)::int8",
                    &["1970-01-02 00:00:00+00"],
                    "86400",
                ),
                ("select $1::jsonb ->> 'k'", &["{\"k\": \"v\"}"], "v"),
                ("select cardinality($1::int[])", &["{1,2,3}"], "3"),
                ("select encode($1::bytea, 'hex')", &["\\x00ff"], "00ff"),
                (
                    "select round($1::numeric, 1)",
                    &["99999999999999999999999999999.95"],
                    "100000000000000000000000000000.0",
                ),
            ] {
                let as_text = format!("select x::text from ({sql}) as t(x)");
                let table = query(&pool, &as_text, &Parameters::texts(texts)).await?;
                assert_eq!(table.text(0, 0), expected, "{sql}");
            }
            // Beside binary ones, and null.
            let mixed = parameters(&[
                (0, 0, Some(b"5")),
                (INT4, 1, Some(&7_i32.to_be_bytes())),
                (0, 0, None),
            ]);
            let insert = "insert into item values ($1::int + $2, $3, null) returning id, at";
            let table = query(&pool, insert, &mixed).await?;
            assert_eq!((table.int(0, 0), &table.rows[0][1]), (12, &None));
            let wrong = query(&pool, "select $1::int4", &Parameters::texts(&["x"])).await;
            assert_eq!(sqlstate(wrong), "22P02");
        }
        Ok(())
    })
}

#[test]
fn a_wrong_number_of_parameters_is_the_callers_mistake() -> Result<()> {
    run(async {
        let ground = Ground::new("").await?;
        for pool in ground.both()? {
            for (sql, given) in [
                ("select $1::int4", none()),
                ("select $1::int4, $2::int4", int4(1)),
                ("select $2::int4", int4(1)),
            ] {
                let error = query(&pool, sql, &given).await.unwrap_err();
                assert!(matches!(error, Error::Invalid { .. }), "{sql}: {error:?}");
            }
            assert_eq!(number(&pool, "select 5").await?, 5, "the connection is as before");
        }
        Ok(())
    })
}

#[test]
fn a_refused_statement_names_code_constraint_and_position_but_no_value() -> Result<()> {
    run(async {
        let schema = "create table person (email text constraint one_each unique);
            insert into person values ('s3cret@example.org')";
        let ground = Ground::new(schema).await?;
        for pool in ground.both()? {
            let twice = Parameters::texts(&["s3cret@example.org"]);
            let insert = "insert into person values ($1)";
            let error = query(&pool, insert, &twice).await.unwrap_err();
            assert!(!error.to_string().contains("s3cret"), "{error}");
            let Error::Database(about) = error else { panic!("{error:?}") };
            assert_eq!((about.code.as_str(), about.severity.as_str()), ("23505", "ERROR"));
            assert_eq!(about.constraint.as_deref(), Some("one_each"));
            assert_eq!(about.table.as_deref(), Some("person"));
            assert!(about.detail.is_some_and(|detail| detail.contains("s3cret")), "for the guest");

            let error = query(&pool, "select 'ä', nonsense", &none()).await.unwrap_err();
            let Error::Database(about) = error else { panic!("{error:?}") };
            assert_eq!((about.code.as_str(), about.position), ("42703", Some(13)), "in characters");
            let hinted = query(&pool, "select emial from person", &none()).await.unwrap_err();
            assert!(hinted.hint().is_some_and(|hint| hint.contains("email")), "{hinted:?}");
        }
        Ok(())
    })
}

#[test]
fn a_call_is_one_statement() -> Result<()> {
    run(async {
        let ground = Ground::new("create table item (id int)").await?;
        for pool in ground.both()? {
            for sql in [
                "select 1; select 2",
                "select 1; drop table item",
                "insert into item values (1); commit",
            ] {
                assert_eq!(sqlstate(query(&pool, sql, &none()).await), "42601", "{sql}");
            }
            assert_eq!(number(&pool, "select count(*) from item;").await?, 0);
        }
        Ok(())
    })
}

#[test]
fn the_affected_rows_are_counted_whatever_is_returned() -> Result<()> {
    run(async {
        let ground = Ground::new("create table item (id int)").await?;
        for pool in ground.both()? {
            let insert = "insert into item select generate_series(1, 3)";
            assert_eq!(execute(&pool, insert).await?, 3);
            let returning = format!("{insert} returning id");
            assert_eq!(execute(&pool, &returning).await?, 3, "the rows are thrown away");
            let packed = pool.query(&returning, &none(), Header::Types, ENOUGH, soon()).await?;
            assert_eq!((packed.rows, packed.affected), (3, 3));
            let quiet = pool.query(insert, &none(), Header::Types, ENOUGH, soon()).await?;
            assert_eq!((quiet.rows, quiet.affected), (0, 3));
            assert_eq!(execute(&pool, "delete from item").await?, 12);
            assert_eq!(execute(&pool, "select 1 where false").await?, 0);
        }
        Ok(())
    })
}
