//! A component whose own test does what the rows of the table `script` say: statements, and the
//! words of [`step`]. Never: used outside of tests.

mod bindings {
    avenire_sdk::contract!("test:tested/tested@0.1.0" in [
        "../../../wit/database/v0.1", "../../../wit/types/v0.1", "wit",
    ]);
}

use avenire_sdk::prelude::*;
use diesel::result::Error;
use diesel::sql_query;
use diesel::sql_types::Text;

struct Component;

impl bindings::exports::test::tested::queries::Guest for Component {
    fn answer() -> String {
        "alive".to_owned()
    }
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    text: String,
}

fn self_test(checks: &mut Checks) {
    let steps = sql_query("select text from script order by number").load(&mut database());
    let steps: Vec<Step> = match steps {
        Ok(steps) => steps,
        Err(error) => return checks.problem(format!("no script: {error}")),
    };
    for Step { text } in steps {
        step(&text, checks);
    }
}

/// One step: `panic`, `loop`, `problems` (too many, too long), `nested` (transactions in each
/// other), `batch`, `cursor`, `plain SQL` (outside of any check), or a statement.
fn step(text: &str, checks: &mut Checks) {
    match text.split_once(' ') {
        None if text == "panic" => panic!("so be it"),
        None if text == "loop" => loop {
            std::hint::black_box(0);
        },
        None if text == "problems" => {
            (0..100).for_each(|number| checks.problem(format!("{number} {}", "ä".repeat(1000))));
        }
        None if text == "nested" => checks.check(text, || nested().map_err(Into::into)),
        None if text == "batch" => checks.check(text, || batch().map_err(Into::into)),
        None if text == "cursor" => checks.check(text, || cursor().map_err(Into::into)),
        Some(("plain", sql)) => {
            if let Err(error) = sql_query(sql).execute(&mut database()) {
                checks.problem(format!("plain: {error}"));
            }
        }
        _ => checks.check(text, || Ok(sql_query(text).execute(&mut database())?)),
    }
}

#[derive(QueryableByName, PartialEq, Debug)]
struct Setting {
    #[diesel(sql_type = Text)]
    value: String,
}

/// What `set local` made of a setting, which a savepoint that is undone takes back.
fn setting(connection: &mut HostConnection) -> QueryResult<String> {
    let shown = sql_query("select current_setting('search_path') as value");
    Ok(shown.get_result::<Setting>(connection)?.value)
}

fn expect(what: &str, holds: bool) -> QueryResult<()> {
    if holds { Ok(()) } else { Err(Error::QueryBuilderError(what.into())) }
}

fn nested() -> QueryResult<()> {
    let connection = &mut database();
    connection.transaction(|connection| {
        sql_query("set local search_path = outermost").execute(connection)?;
        let failed = connection.transaction(|connection| {
            sql_query("set local search_path = undone").execute(connection)?;
            expect("a savepoint's own setting", setting(connection)? == "undone")?;
            sql_query("select 1 / 0").execute(connection)
        });
        expect("a division by zero", failed.is_err())?;
        expect("an undone savepoint", setting(connection)? == "outermost")?;
        connection.transaction(|connection| {
            sql_query("set local search_path = kept").execute(connection)
        })?;
        expect("a kept savepoint", setting(connection)? == "kept")
    })?;
    // A statement outside of it is in the same transaction of the call.
    expect("one transaction", setting(&mut database())? == "kept")
}

fn batch() -> QueryResult<()> {
    let connection = &mut database();
    let mut batch = connection.batch();
    batch.execute(sql_query("set local search_path = batch"))?;
    batch.execute(sql_query("select 1 / 0"))?;
    expect("an atomic batch that fails", batch.run().is_err())?;
    expect("nothing of it", setting(connection)? != "batch")?;
    let mut batch = connection.batch();
    let seen = batch.load::<Setting, _>(sql_query("select 'x' as value"))?;
    let mut outcomes = batch.run().map_err(|failure| failure.error)?;
    expect("a row of a batch", outcomes.rows(seen)?.len() == 1)?;
    Ok(())
}

fn cursor() -> QueryResult<()> {
    let mut seen = 0;
    let connection = &mut database();
    let rows = sql_query("select n::text as value from generate_series(1, 5000) n");
    for row in rows.load_iter::<Setting, Streamed>(connection)? {
        row?;
        seen += 1;
    }
    expect("all rows", seen == 5000)
}

avenire_sdk::export!(Component in bindings);
avenire_sdk::self_test!(self_test);
