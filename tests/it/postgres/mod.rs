//! `host/postgres` on a real server: one file for each of its promises. Here is the
//! ground they share: a database, pools on it in both ways of sending statements, and
//! a reader of packed rows that knows nothing of the crate under test.

mod batches;
mod caps;
mod connections;
mod cursors;
mod denied;
mod exclusive;
mod refusals;
mod statements;
mod transactions;
mod unclear;

use std::time::{Duration, Instant};

use anyhow::Result;
use avenire_app::postgres::{
    Caps, Endpoint, Error, Header, Packed, Parameters, Pool, PoolOptions, Transaction,
    TransactionOptions,
};
use avenire_tests::TestDatabase;

use crate::harness;
use crate::patience::{eventually, soon};

/// More than any test returns.
const ENOUGH: Caps = Caps { rows: 10_000_000, bytes: 1 << 32 };

/// OIDs of built-in types (PostgreSQL source, `pg_type.dat`).
const BOOL: u32 = 16;
const INT4: u32 = 23;
const TEXT: u32 = 25;
const INT8_ARRAY: u32 = 1016;
const VARCHAR: u32 = 1043;
const UUID: u32 = 2950;

/// A database of the test's own.
struct Ground {
    database: TestDatabase,
}

impl Ground {
    async fn new(schema: &str) -> Result<Self> {
        let database = harness().await?.empty_database().await?;
        database.run(schema).await?;
        Ok(Self { database })
    }

    /// A pool as on a direct endpoint: named statements.
    fn pool(&self) -> Pool {
        self.pool_with(PoolOptions::default())
    }

    fn pool_with(&self, options: PoolOptions) -> Pool {
        Pool::new(self.database.endpoint().clone(), options)
    }

    /// A pool as behind a pooler: unnamed statements in one round trip.
    fn unnamed(&self) -> Result<Pool> {
        let endpoint = Endpoint::parse(&format!("{}&pgbouncer=true", self.database.url()))?;
        Ok(Pool::new(endpoint, PoolOptions::default()))
    }

    /// Both of them: what is promised does not depend on how statements are sent.
    fn both(&self) -> Result<[Pool; 2]> {
        Ok([self.pool(), self.unnamed()?])
    }

    /// How many of the pools' backends fulfil a condition on `pg_stat_activity`.
    async fn backends(&self, condition: &str) -> Result<i64> {
        let sql = format!(
            "select count(*) from pg_stat_activity
             where datname = current_database() and pid <> pg_backend_pid()
             and backend_type = 'client backend' and ({condition})"
        );
        self.database.count(&sql).await
    }

    /// Waits until no backend fulfils it.
    async fn none_is(&self, condition: &str) -> Result<()> {
        let what = format!("no backend has {condition}");
        eventually(&what, async || Ok(self.backends(condition).await? == 0)).await
    }

    /// Ends all backends of the pools and waits until they are gone.
    async fn kill_backends(&self) -> Result<()> {
        let kill = "select count(pg_terminate_backend(pid)) from pg_stat_activity
             where datname = current_database() and pid <> pg_backend_pid()";
        self.database.count(kill).await?;
        self.none_is("true").await?;
        // One more way to the server and back, so that its last words have arrived.
        self.database.count("select 1::bigint").await.map(drop)
    }
}

/// A result, read by the specification of packed rows in
/// `wit/database/v0.1/types.wit`.
#[derive(Debug, PartialEq, Eq)]
struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Option<Vec<u8>>>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Column {
    oid: u32,
    /// Name and type modifier, where the header describes them.
    about: Option<(String, i32)>,
}

impl Table {
    fn read(packed: &Packed) -> Self {
        let mut rest: &[u8] = &packed.bytes;
        let mut take = |length: usize| {
            let (taken, left) = rest.split_at(length);
            rest = left;
            taken.to_vec()
        };
        let width = u16::from_le_bytes(take(2).try_into().unwrap());
        let is_described = take(1) == [1];
        let columns: Vec<Column> = (0..width)
            .map(|_| {
                let oid = u32::from_le_bytes(take(4).try_into().unwrap());
                let about = is_described.then(|| {
                    let modifier = i32::from_le_bytes(take(4).try_into().unwrap());
                    let length = u16::from_le_bytes(take(2).try_into().unwrap());
                    (String::from_utf8(take(length.into())).unwrap(), modifier)
                });
                Column { oid, about }
            })
            .collect();
        let count = u32::from_le_bytes(take(4).try_into().unwrap());
        let rows = (0..count)
            .map(|_| {
                let cells = columns.iter().map(|_| {
                    let length = i32::from_le_bytes(take(4).try_into().unwrap());
                    usize::try_from(length).ok().map(&mut take)
                });
                cells.collect()
            })
            .collect();
        assert!(rest.is_empty(), "nothing follows the last row");
        assert_eq!(u64::from(count), packed.rows);
        Self { columns, rows }
    }

    fn types(&self) -> Vec<u32> {
        self.columns.iter().map(|column| column.oid).collect()
    }

    /// A cell of type `int2`, `int4` or `int8`.
    fn int(&self, row: usize, column: usize) -> i64 {
        let cell = self.rows[row][column].as_deref().expect("not null");
        match *cell {
            [a, b] => i16::from_be_bytes([a, b]).into(),
            [a, b, c, d] => i32::from_be_bytes([a, b, c, d]).into(),
            _ => i64::from_be_bytes(cell.try_into().expect("an integer")),
        }
    }

    /// A cell whose binary format is its text.
    fn text(&self, row: usize, column: usize) -> &str {
        str::from_utf8(self.rows[row][column].as_deref().expect("not null")).expect("text")
    }
}

/// Packed parameters: of each the OID, the format code and the bytes.
fn parameters(cells: &[(u32, u8, Option<&[u8]>)]) -> Parameters {
    let mut bytes = u16::try_from(cells.len()).unwrap().to_le_bytes().to_vec();
    for (oid, format, value) in cells {
        bytes.extend(oid.to_le_bytes());
        bytes.push(*format);
        let length = value.map_or(-1, |value| i32::try_from(value.len()).unwrap());
        bytes.extend(length.to_le_bytes());
        bytes.extend(value.unwrap_or_default());
    }
    Parameters::parse(bytes).unwrap()
}

fn int4(value: i32) -> Parameters {
    parameters(&[(INT4, 1, Some(&value.to_be_bytes()))])
}

fn none() -> Parameters {
    Parameters::none()
}

fn within(milliseconds: u64) -> Instant {
    Instant::now() + Duration::from_millis(milliseconds)
}

async fn query(pool: &Pool, sql: &str, parameters: &Parameters) -> Result<Table, Error> {
    let packed = pool.query(sql, parameters, Header::Types, ENOUGH, soon()).await?;
    Ok(Table::read(&packed))
}

/// The integer in the first cell of a query without parameters.
async fn number(pool: &Pool, sql: &str) -> Result<i64, Error> {
    Ok(query(pool, sql, &none()).await?.int(0, 0))
}

async fn execute(pool: &Pool, sql: &str) -> Result<u64, Error> {
    pool.execute(sql, &none(), soon()).await
}

async fn begin(pool: &Pool) -> Result<Transaction, Error> {
    pool.begin(TransactionOptions::default(), soon()).await
}

/// A statement of a transaction whose rows do not matter.
async fn run_in(transaction: &Transaction, sql: &str) -> Result<u64, Error> {
    transaction.execute(sql, &none(), soon()).await
}

/// The integer in the first cell of a query of a transaction.
async fn number_in(transaction: &Transaction, sql: &str) -> Result<i64, Error> {
    let packed = transaction.query(sql, &none(), Header::Types, ENOUGH, soon()).await?;
    Ok(Table::read(&packed).int(0, 0))
}

/// SQLSTATE of what must have failed at the database.
fn sqlstate<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    match result {
        Err(error) => {
            error.sqlstate().unwrap_or_else(|| panic!("no SQLSTATE: {error:?}")).to_owned()
        }
        Ok(value) => panic!("it worked: {value:?}"),
    }
}
