//! What is known of the results of statements behind a pooler: their columns, and
//! the user-defined types among them. Owns finding it out, inside a transaction of
//! its own on a connection of its own. Never executes the statement.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hash, Hasher};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use futures_util::future::join;
use lru::{DefaultHasher, LruCache};
use tokio_postgres::types::Type;

use super::exclusive::{Lease, Which};
use super::inner::{Inner, lock};
use super::single::within;
use crate::classify::Stage;
use crate::error::{Error, WaitingFor};
use crate::packed::Layout;
use crate::parameters::Parameters;

/// Most statements whose columns are kept, per pool.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(2048).unwrap();
/// Columns of a longer text are not kept, in bytes.
const LONGEST: usize = 16 * 1024;
/// Most user-defined types that each new connection learns.
const MAXIMUM_USER_TYPES: usize = 256;

/// The columns of one statement.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) layout: Arc<Layout>,
    /// Types that are not built in; the driver must know them before it meets them.
    pub(crate) user_types: Vec<u32>,
    pub(crate) learned: Instant,
}

impl Shape {
    pub(crate) fn new(layout: Layout) -> Shape {
        let user_types: BTreeSet<u32> = layout
            .columns
            .iter()
            .map(|column| column.type_oid)
            .filter(|oid| Type::from_oid(*oid).is_none())
            .collect();
        Shape {
            layout: Arc::new(layout),
            user_types: user_types.into_iter().collect(),
            learned: Instant::now(),
        }
    }
}

pub(crate) struct Shapes {
    hasher: DefaultHasher,
    known: Mutex<Known>,
}

struct Known {
    statements: LruCache<u64, Entry>,
    user_types: BTreeSet<u32>,
}

struct Entry {
    sql: Box<str>,
    types: Box<[u32]>,
    shape: Arc<Shape>,
}

impl Shapes {
    pub(super) fn new() -> Shapes {
        let known = Known { statements: LruCache::new(CAPACITY), user_types: BTreeSet::new() };
        Shapes { hasher: DefaultHasher::default(), known: Mutex::new(known) }
    }

    pub(crate) fn get(&self, sql: &str, parameters: &Parameters) -> Option<Arc<Shape>> {
        let key = self.key(sql, parameters);
        let mut known = lock(&self.known);
        let entry = known.statements.get(&key)?;
        let is_same = *entry.sql == *sql && entry.types.iter().copied().eq(parameters.type_oids());
        is_same.then(|| Arc::clone(&entry.shape))
    }

    pub(crate) fn learn(&self, sql: &str, parameters: &Parameters, shape: &Arc<Shape>) {
        let mut known = lock(&self.known);
        if sql.len() <= LONGEST {
            let entry = Entry {
                sql: sql.into(),
                types: parameters.type_oids().collect(),
                shape: Arc::clone(shape),
            };
            known.statements.put(self.key(sql, parameters), entry);
        }
        if known.user_types.len() + shape.user_types.len() > MAXIMUM_USER_TYPES {
            known.user_types.clear();
        }
        known.user_types.extend(&shape.user_types);
    }

    pub(super) fn forget(&self, sql: &str, parameters: &Parameters) {
        let key = self.key(sql, parameters);
        lock(&self.known).statements.pop(&key);
    }

    pub(super) fn clear(&self) {
        let mut known = lock(&self.known);
        known.statements.clear();
        known.user_types.clear();
    }

    /// The types that a new connection is to learn.
    pub(super) fn user_types(&self) -> Vec<u32> {
        lock(&self.known).user_types.iter().copied().collect()
    }

    fn key(&self, sql: &str, parameters: &Parameters) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        sql.hash(&mut hasher);
        for oid in parameters.type_oids() {
            hasher.write_u32(oid);
        }
        hasher.finish()
    }
}

impl Inner {
    /// The columns of a statement, found out now if need be.
    pub(super) async fn shape(
        self: &Arc<Self>,
        sql: &str,
        parameters: &Parameters,
        deadline: Instant,
    ) -> Result<Arc<Shape>, Error> {
        if let Some(shape) = self.shapes.get(sql, parameters) {
            return Ok(shape);
        }
        let mut lease = self.lease(Which::Scout, deadline).await?;
        // Another caller may have found it out while this one waited.
        if let Some(shape) = self.shapes.get(sql, parameters) {
            return Ok(shape);
        }
        lease.begin_use();
        let shape = within(deadline, WaitingFor::Answer, describe(&lease, sql, parameters)).await?;
        let shape = Arc::new(match shape {
            Ok(shape) => shape,
            Err((error, is_clean)) => {
                if is_clean {
                    lease.end_use();
                }
                return Err(error);
            }
        });
        if !lease.connection()?.knows_types(&shape.user_types) {
            // The driver keeps the names of its look-ups; they are gone by now.
            lease.taint();
        }
        lease.end_use();
        self.shapes.learn(sql, parameters, &shape);
        Ok(shape)
    }
}

/// Prepares the statement inside a transaction that is rolled back. Behind a pooler
/// that is the only way to reach the same server with several messages.
async fn describe(
    lease: &Lease,
    sql: &str,
    parameters: &Parameters,
) -> Result<Shape, (Error, bool)> {
    let connection = lease.connection().map_err(|error| (error, false))?;
    let client = connection.client();
    let failed = |error: &tokio_postgres::Error| connection.error(error, Stage::Preparing);
    let types = parameters.types();
    let (begun, prepared) =
        join(client.batch_execute("begin"), client.prepare_typed(sql, &types)).await;
    begun.map_err(|error| (failed(&error), false))?;
    // The statement is dropped here, and closed before the transaction ends.
    let shape = prepared.map(|statement| Shape::new(Layout::of(statement.columns())));
    let end = match &shape {
        Ok(shape) if !connection.knows_types(&shape.user_types) => "deallocate all; rollback",
        _ => "rollback",
    };
    let ended = client.batch_execute(end).await;
    let is_clean = ended.is_ok();
    let shape = shape.map_err(|error| (failed(&error), is_clean))?;
    ended.map_err(|error| (failed(&error), false))?;
    Ok(shape)
}
