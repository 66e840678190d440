//! What the SDK claims of transactions, batches, streams and errors, tried on the table
//! `scratch`.

use avenire_sdk::error::sqlstate;
use avenire_sdk::prelude::*;
use diesel::connection::SimpleConnection;
use diesel::result::{DatabaseErrorKind, Error};
use diesel::sql_types::{Integer, Text};

use crate::bindings::exports::avenire::types_test::checks::Claim;

diesel::table! {
    scratch (id) {
        id -> Integer,
        note -> Text,
        parent -> Nullable<Integer>,
    }
}

/// A claim is tried on an empty table and says what it saw if that is not what it claims.
type Try = fn(&mut HostConnection) -> Result<(), String>;

const CLAIMS: &[(&str, Try)] = &[
    ("a committed transaction is seen afterwards", commits),
    ("a failed transaction leaves nothing", rolls_back),
    ("a failed inner transaction leaves the outer one's work", inner_rolls_back),
    ("an inner transaction in which a statement failed can be left", inner_recovers),
    ("an ignored failure of a statement fails the commit", ignored_failure_fails_the_commit),
    ("a read-only transaction does not write", read_only),
    ("transactions with options do not nest", options_do_not_nest),
    ("a streamed query sees all rows in order", streams),
    ("statements run between two rows of a stream in a transaction", streams_between),
    ("an atomic batch is all or nothing", atomic_batch),
    ("a batch in which each statement is for itself keeps what worked", separate_batch),
    ("a batch joins the open transaction", batch_in_transaction),
    ("rows are read by name", by_name),
    ("several statements in one text are refused", one_statement),
    ("unique violations carry their constraint", unique_violation),
    ("check and foreign key violations carry theirs", other_violations),
    ("an unknown type is the host's error", unknown_type),
    ("transaction statements as text are denied", no_begin),
    ("usual results need no more memory than the instance has", memory_stays),
];

pub(crate) fn try_all(connection: &mut HostConnection) -> Result<Vec<Claim>, Failure> {
    let mut claims = Vec::new();
    for (name, claim) in CLAIMS {
        let broken = claim(connection).err();
        diesel::delete(scratch::table).execute(connection)?;
        claims.push(Claim { name: (*name).to_owned(), broken });
    }
    Ok(claims)
}

fn insert(connection: &mut HostConnection, id: i32) -> QueryResult<usize> {
    diesel::insert_into(scratch::table)
        .values((scratch::id.eq(id), scratch::note.eq("x")))
        .execute(connection)
}

fn ids(connection: &mut HostConnection) -> Result<Vec<i32>, String> {
    scratch::table.order(scratch::id).select(scratch::id).load(connection).map_err(text)
}

#[expect(clippy::needless_pass_by_value, reason = "what `map_err` takes")]
fn text(error: Error) -> String {
    format!("{error} ({:?})", sqlstate(&error))
}

#[expect(clippy::needless_pass_by_value, reason = "reads better at the calls")]
fn expect<T: PartialEq + std::fmt::Debug>(seen: T, expected: T) -> Result<(), String> {
    if seen == expected { Ok(()) } else { Err(format!("{seen:?} instead of {expected:?}")) }
}

fn expect_state<T>(result: QueryResult<T>, expected: &str) -> Result<(), String> {
    match result {
        Ok(_) => Err(format!("it worked instead of failing with {expected}")),
        Err(error) => expect(sqlstate(&error).as_deref(), Some(expected)),
    }
}

fn commits(connection: &mut HostConnection) -> Result<(), String> {
    connection.transaction(|connection| insert(connection, 1)).map_err(text)?;
    expect(ids(connection)?, vec![1])
}

fn rolls_back(connection: &mut HostConnection) -> Result<(), String> {
    let result: QueryResult<()> = connection.transaction(|connection| {
        insert(connection, 1)?;
        Err(Error::RollbackTransaction)
    });
    expect(matches!(result, Err(Error::RollbackTransaction)), true)?;
    expect(ids(connection)?, vec![])
}

fn inner_rolls_back(connection: &mut HostConnection) -> Result<(), String> {
    let result = connection.transaction(|connection| {
        insert(connection, 1)?;
        let inner: QueryResult<()> = connection.transaction(|connection| {
            insert(connection, 2)?;
            connection.transaction(|connection| insert(connection, 3))?;
            Err(Error::RollbackTransaction)
        });
        assert!(inner.is_err());
        insert(connection, 4)
    });
    result.map_err(text)?;
    expect(ids(connection)?, vec![1, 4])
}

fn inner_recovers(connection: &mut HostConnection) -> Result<(), String> {
    let result = connection.transaction(|connection| {
        insert(connection, 1)?;
        let twice = connection.transaction(|connection| insert(connection, 1));
        assert!(twice.is_err());
        // The failure inside is ignored, so releasing the savepoint fails and undoes it.
        let ignored = connection.transaction(|connection| {
            insert(connection, 2)?;
            let _ = insert(connection, 1);
            Ok::<_, Error>(())
        });
        assert!(ignored.is_err());
        insert(connection, 3)
    });
    result.map_err(text)?;
    expect(ids(connection)?, vec![1, 3])
}

fn ignored_failure_fails_the_commit(connection: &mut HostConnection) -> Result<(), String> {
    let result = connection.transaction(|connection| {
        insert(connection, 1)?;
        let _ = insert(connection, 1);
        Ok::<_, Error>(())
    });
    expect_state(result, "25P02")?;
    expect(ids(connection)?, vec![])
}

fn read_only(connection: &mut HostConnection) -> Result<(), String> {
    let result =
        connection.build_transaction().read_only().serializable().deferrable().run(|connection| {
            let isolation: String = diesel::select(diesel::dsl::sql::<Text>(
                "current_setting('transaction_isolation')",
            ))
            .get_result(connection)?;
            assert_eq!(isolation, "serializable");
            insert(connection, 1)
        });
    expect(
        matches!(&result, Err(Error::DatabaseError(DatabaseErrorKind::ReadOnlyTransaction, _))),
        true,
    )?;
    expect_state(result, "25006")
}

fn options_do_not_nest(connection: &mut HostConnection) -> Result<(), String> {
    let result = connection
        .transaction(|connection| connection.build_transaction().run(|_| Ok::<_, Error>(())));
    expect(matches!(result, Err(Error::AlreadyInTransaction)), true)
}

fn streams(connection: &mut HostConnection) -> Result<(), String> {
    let numbers =
        diesel::dsl::sql_query("select n, repeat('x', 100) from generate_series(1, 5000) n");
    let numbers = numbers.load_iter::<Number, Streamed>(connection).map_err(text)?;
    let mut seen = 0;
    for number in numbers {
        seen += 1;
        expect(number.map_err(text)?.n, seen)?;
    }
    expect(seen, 5000)
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = Integer)]
    n: i32,
}

fn streams_between(connection: &mut HostConnection) -> Result<(), String> {
    insert(connection, 1).and_then(|_| insert(connection, 2)).map_err(text)?;
    let result = connection.transaction(|connection| {
        let rows = scratch::table
            .order(scratch::id)
            .select(scratch::id)
            .load_iter::<i32, Streamed>(connection)?;
        for id in rows {
            insert(&mut *connection, id? + 10)?;
        }
        Ok(())
    });
    result.map_err(text)?;
    expect(ids(connection)?, vec![1, 2, 11, 12])
}

fn atomic_batch(connection: &mut HostConnection) -> Result<(), String> {
    let mut batch = connection.batch();
    let value = |id: i32| (scratch::id.eq(id), scratch::note.eq("x"));
    batch.execute(diesel::insert_into(scratch::table).values(value(1))).map_err(text)?;
    batch.execute(diesel::insert_into(scratch::table).values(value(1))).map_err(text)?;
    let failure = batch.run().err().ok_or("it worked")?;
    expect(failure.position, 1)?;
    expect(sqlstate(&failure.error).as_deref(), Some("23505"))?;
    expect(ids(connection)?, vec![])?;

    let mut batch = connection.batch();
    let inserted = batch.execute(diesel::insert_into(scratch::table).values(value(1)));
    let inserted = inserted.map_err(text)?;
    let seen = batch.load::<(i32, String), _>(scratch::table.select((scratch::id, scratch::note)));
    let seen = seen.map_err(text)?;
    let mut outcomes = batch.run().map_err(|failure| text(failure.error))?;
    expect(outcomes.affected(inserted).map_err(text)?, 1)?;
    expect(outcomes.rows(seen).map_err(text)?, vec![(1, "x".to_owned())])
}

fn separate_batch(connection: &mut HostConnection) -> Result<(), String> {
    let mut batch = connection.batch();
    let value = |id: i32| (scratch::id.eq(id), scratch::note.eq("x"));
    let positions = [1, 1, 2].map(|id| {
        batch.execute(diesel::insert_into(scratch::table).values(value(id))).map_err(text)
    });
    let outcomes = batch.run_each().map_err(text)?;
    let [first, second, third] = positions;
    expect(outcomes.affected(first?).map_err(text)?, 1)?;
    expect_state(outcomes.affected(second?), "23505")?;
    expect(outcomes.affected(third?).map_err(text)?, 1)?;
    expect(ids(connection)?, vec![1, 2])
}

fn batch_in_transaction(connection: &mut HostConnection) -> Result<(), String> {
    let result: QueryResult<()> = connection.transaction(|connection| {
        let mut batch = connection.batch();
        let value = (scratch::id.eq(1), scratch::note.eq("x"));
        batch.execute(diesel::insert_into(scratch::table).values(value))?;
        batch.run()?;
        assert!(matches!(connection.batch().run_each(), Err(Error::AlreadyInTransaction)));
        Err(Error::RollbackTransaction)
    });
    expect(matches!(result, Err(Error::RollbackTransaction)), true)?;
    expect(ids(connection)?, vec![])
}

fn by_name(connection: &mut HostConnection) -> Result<(), String> {
    let number: Number = diesel::sql_query("select 'x' as other, $1 as n")
        .bind::<Integer, _>(7)
        .get_result(connection)
        .map_err(text)?;
    expect(number.n, 7)
}

fn one_statement(connection: &mut HostConnection) -> Result<(), String> {
    expect_state(connection.batch_execute("select 1; select 2"), "42601")
}

fn unique_violation(connection: &mut HostConnection) -> Result<(), String> {
    insert(connection, 1).map_err(text)?;
    let error = insert(connection, 1).err().ok_or("it worked")?;
    let Error::DatabaseError(DatabaseErrorKind::UniqueViolation, information) = &error else {
        return Err(text(error));
    };
    expect(information.constraint_name(), Some("scratch_pkey"))?;
    expect(information.table_name(), Some("scratch"))?;
    match Failure::from(error) {
        Failure::Conflict(conflict) => expect(conflict.constraint.as_str(), "scratch_pkey"),
        other => Err(format!("{other:?}")),
    }
}

fn other_violations(connection: &mut HostConnection) -> Result<(), String> {
    let empty = diesel::insert_into(scratch::table)
        .values((scratch::id.eq(1), scratch::note.eq("")))
        .execute(connection);
    match empty.map_err(Failure::from) {
        Err(Failure::Invalid(invalid)) => expect(invalid.argument.as_str(), "note")?,
        other => return Err(format!("{other:?}")),
    }
    let orphan = diesel::insert_into(scratch::table)
        .values((scratch::id.eq(1), scratch::note.eq("x"), scratch::parent.eq(9)))
        .execute(connection);
    match orphan.map_err(Failure::from) {
        Err(Failure::Conflict(conflict)) => {
            expect(conflict.constraint.as_str(), "scratch_parent_fkey")
        }
        other => Err(format!("{other:?}")),
    }
}

#[derive(Debug, Clone, Copy, diesel::sql_types::SqlType, diesel::query_builder::QueryId)]
#[diesel(postgres_type(name = "no_such_type"))]
struct NoSuchType;

#[derive(Debug, diesel::expression::AsExpression)]
#[diesel(sql_type = NoSuchType)]
struct NoSuchValue;

impl diesel::serialize::ToSql<NoSuchType, diesel::pg::Pg> for NoSuchValue {
    fn to_sql<'b>(
        &'b self,
        _out: &mut diesel::serialize::Output<'b, '_, diesel::pg::Pg>,
    ) -> diesel::serialize::Result {
        Ok(diesel::serialize::IsNull::No)
    }
}

fn unknown_type(connection: &mut HostConnection) -> Result<(), String> {
    let query = diesel::dsl::sql::<Integer>("1 where 1 = ").bind::<NoSuchType, _>(NoSuchValue);
    expect_state(diesel::select(query).get_result::<i32>(connection), "42704")
}

fn no_begin(connection: &mut HostConnection) -> Result<(), String> {
    use avenire_sdk::{error::host_error, wit};
    let error = connection.batch_execute("begin").err().ok_or("it worked")?;
    match host_error(&error) {
        Some(wit::Error::Denied(_)) => Ok(()),
        _ => Err(text(error)),
    }
}

/// Twenty results of a thousand rows each.
fn memory_stays(connection: &mut HostConnection) -> Result<(), String> {
    let before = memory_pages();
    for _ in 0..20 {
        let numbers: Vec<Number> =
            diesel::sql_query("select n, repeat('x', 100) as x from generate_series(1, 1000) n")
                .load(connection)
                .map_err(text)?;
        expect(numbers.len(), 1000)?;
    }
    expect(memory_pages(), before)
}

#[cfg(target_family = "wasm")]
fn memory_pages() -> usize {
    core::arch::wasm32::memory_size(0)
}

#[cfg(not(target_family = "wasm"))]
fn memory_pages() -> usize {
    0
}
