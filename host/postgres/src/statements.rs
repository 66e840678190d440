//! The statements prepared on one connection: bounded, least recently used first
//! out, each prepared once however many callers ask for it at the same time. Never
//! executes.

use std::hash::{BuildHasher, Hash, Hasher};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lru::{DefaultHasher, LruCache};
use tokio::sync::OnceCell;
use tokio_postgres::{Client, Statement};

use crate::packed::Layout;
use crate::parameters::Parameters;

/// A longer text is prepared for one use, in bytes: the server keeps many times as much
/// for a prepared statement, and nobody sends a long one often.
const LONGEST: usize = 64 * 1024;
/// Most bytes of text of all statements prepared on one connection.
const MOST: usize = 512 * 1024;

/// A statement that Postgres has parsed.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) statement: Statement,
    pub(crate) layout: Layout,
}

type Cell = Arc<OnceCell<Arc<Prepared>>>;

pub(crate) struct Statements {
    hasher: DefaultHasher,
    // A std mutex: the guard is never held across an await.
    cache: Mutex<Cache>,
}

struct Cache {
    /// Raised by the pool when the schema changed under the statements.
    epoch: u64,
    /// Keyed by the hash of text and parameter types; the entry holds both, so that
    /// two statements with one hash replace each other and are never mixed up.
    entries: LruCache<u64, Entry>,
    /// Bytes of text of all entries.
    bytes: usize,
}

impl Cache {
    fn new(capacity: NonZeroUsize, epoch: u64) -> Cache {
        Cache { epoch, entries: LruCache::new(capacity), bytes: 0 }
    }

    /// Adds an entry. What had to make room for it.
    fn push(&mut self, key: u64, entry: Entry) -> Vec<Entry> {
        self.bytes += entry.sql.len();
        let mut evicted: Vec<Entry> =
            self.entries.push(key, entry).into_iter().map(|(_, entry)| entry).collect();
        let mut freed = evicted.iter().map(|entry| entry.sql.len()).sum::<usize>();
        while self.bytes.saturating_sub(freed) > MOST
            && let Some((_, entry)) = self.entries.pop_lru()
        {
            freed += entry.sql.len();
            evicted.push(entry);
        }
        self.bytes = self.bytes.saturating_sub(freed);
        evicted
    }
}

struct Entry {
    sql: Box<str>,
    types: Box<[u32]>,
    cell: Cell,
}

impl Statements {
    pub(crate) fn new(capacity: usize) -> Statements {
        let capacity = NonZeroUsize::new(capacity).unwrap_or(NonZeroUsize::MIN);
        Statements { hasher: DefaultHasher::default(), cache: Mutex::new(Cache::new(capacity, 0)) }
    }

    /// The prepared statement, prepared now if need be.
    ///
    /// Cancel safe: when the caller that prepares goes away, the next one does.
    pub(crate) async fn get(
        &self,
        client: &Client,
        sql: &str,
        parameters: &Parameters,
        epoch: u64,
    ) -> Result<Arc<Prepared>, tokio_postgres::Error> {
        let cell = self.cell(sql, parameters, epoch);
        if let Some(prepared) = cell.get() {
            return Ok(Arc::clone(prepared));
        }
        let prepared = cell
            .get_or_try_init(|| async {
                let statement = client.prepare_typed(sql, &parameters.types()).await?;
                let layout = Layout::of(statement.columns());
                Ok::<_, tokio_postgres::Error>(Arc::new(Prepared { statement, layout }))
            })
            .await?;
        Ok(Arc::clone(prepared))
    }

    fn cell(&self, sql: &str, parameters: &Parameters, epoch: u64) -> Cell {
        if sql.len() > LONGEST {
            return Cell::default();
        }
        let key = self.key(sql, parameters);
        // What leaves the cache is dropped after the lock: dropping a statement
        // talks to the connection.
        let _outdated;
        let mut cache = self.lock();
        if cache.epoch != epoch {
            let capacity = cache.entries.cap();
            _outdated = std::mem::replace(&mut *cache, Cache::new(capacity, epoch));
        }
        if let Some(entry) = cache.entries.get(&key)
            && *entry.sql == *sql
            && entry.types.iter().copied().eq(parameters.type_oids())
        {
            return Arc::clone(&entry.cell);
        }
        let cell = Cell::default();
        let entry = Entry {
            sql: sql.into(),
            types: parameters.type_oids().collect(),
            cell: Arc::clone(&cell),
        };
        let evicted = cache.push(key, entry);
        drop(cache);
        drop(evicted);
        cell
    }

    fn key(&self, sql: &str, parameters: &Parameters) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        sql.hash(&mut hasher);
        for oid in parameters.type_oids() {
            hasher.write_u32(oid);
        }
        hasher.finish()
    }

    fn lock(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_type(oid: u32) -> Parameters {
        let mut bytes = vec![1, 0];
        bytes.extend_from_slice(&oid.to_le_bytes());
        bytes.push(1);
        bytes.extend_from_slice(&(-1_i32).to_le_bytes());
        Parameters::parse(bytes).unwrap()
    }

    #[test]
    fn a_statement_is_known_by_its_text_and_its_parameter_types() {
        let statements = Statements::new(8);
        let first = statements.cell("select $1", &with_type(23), 0);
        assert!(Arc::ptr_eq(&first, &statements.cell("select $1", &with_type(23), 0)));
        assert!(!Arc::ptr_eq(&first, &statements.cell("select $1", &with_type(25), 0)));
        assert!(!Arc::ptr_eq(&first, &statements.cell("select $1 ", &with_type(23), 0)));
    }

    #[test]
    fn long_texts_are_not_kept_and_all_together_are_bounded() {
        let statements = Statements::new(128);
        let none = Parameters::none();
        let text = |length: usize, number: usize| {
            let number = number.to_string();
            "x".repeat(length - number.len()) + &number
        };
        let is_kept = |sql: &str| {
            let first = statements.cell(sql, &none, 0);
            Arc::ptr_eq(&first, &statements.cell(sql, &none, 0))
        };
        assert!(is_kept(&text(LONGEST, 0)));
        assert!(!is_kept(&text(LONGEST + 1, 0)));
        let first = statements.cell("first", &none, 0);
        for number in 0..MOST / LONGEST {
            statements.cell(&text(LONGEST, number), &none, 0);
        }
        assert!(!Arc::ptr_eq(&first, &statements.cell("first", &none, 0)));
        let cache = statements.lock();
        let sum: usize = cache.entries.iter().map(|(_, entry)| entry.sql.len()).sum();
        assert!(sum == cache.bytes && sum <= MOST, "{sum} {}", cache.bytes);
    }

    #[test]
    fn a_new_epoch_and_a_full_cache_forget_statements() {
        let statements = Statements::new(2);
        let none = Parameters::none();
        let first = statements.cell("a", &none, 0);
        assert!(!Arc::ptr_eq(&first, &statements.cell("a", &none, 1)));
        let first = statements.cell("a", &none, 1);
        statements.cell("b", &none, 1);
        statements.cell("c", &none, 1);
        assert!(!Arc::ptr_eq(&first, &statements.cell("a", &none, 1)));
    }
}
