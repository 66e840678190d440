//! What the readers share: the connection, which schemas are read, and which object is whose.
//! Never: knows what a query is about.

use std::collections::{BTreeMap, HashMap};

use avenire_postgres::Session;
use serde::de::DeserializeOwned;

use super::{IntrospectError, Scope};
use crate::catalog::{Catalog, Id};

/// A condition: the object is not an extension's.
macro_rules! own {
    ($class:literal, $oid:literal) => {
        concat!(
            "not exists (select from pg_depend extension where extension.classid = '",
            $class,
            "'::regclass and extension.objid = ",
            $oid,
            " and extension.deptype = 'e')"
        )
    };
}

/// A join: the comment on an object, as `comment.description`.
macro_rules! comment {
    ($class:literal, $oid:literal, $part:literal) => {
        concat!(
            "left join pg_description comment on comment.classoid = '",
            $class,
            "'::regclass and comment.objoid = ",
            $oid,
            " and comment.objsubid = ",
            $part
        )
    };
    ($class:literal, $oid:literal) => {
        comment!($class, $oid, "0")
    };
}

pub(super) use {comment, own};

/// The oids of catalogs, which are the same in every version (`src/include/catalog`).
pub(super) mod class {
    pub(in super::super) const TYPE: i64 = 1247;
    pub(in super::super) const FUNCTION: i64 = 1255;
    pub(in super::super) const RELATION: i64 = 1259;
    pub(in super::super) const DEFAULT: i64 = 2604;
    pub(in super::super) const CONSTRAINT: i64 = 2606;
    pub(in super::super) const SCHEMA: i64 = 2615;
    pub(in super::super) const REWRITE: i64 = 2618;
    pub(in super::super) const TRIGGER: i64 = 2620;
    pub(in super::super) const EXTENSION: i64 = 3079;
    pub(in super::super) const POLICY: i64 = 3256;
    pub(in super::super) const STATISTICS: i64 = 3381;
    pub(in super::super) const COLLATION: i64 = 3456;
}

/// What Postgres calls an object in `pg_depend`: catalog, oid, and column or 0.
pub(super) type Address = (i64, i64, i32);

/// Reads one catalog.
pub(super) struct Reader<'a> {
    session: &'a Session,
    version: i32,
    /// The oids of the schemas in scope, as an array literal.
    schemas: String,
    /// Whether all schemas are.
    pub(super) all: bool,
    /// What was read so far.
    pub(super) catalog: Catalog,
    /// Which of the model's objects an address means.
    pub(super) ids: HashMap<Address, Id>,
}

impl<'a> Reader<'a> {
    pub(super) async fn new(session: &'a Session, scope: &Scope) -> Result<Self, IntrospectError> {
        let unreadable = unreadable("the version");
        let rows = session.rows("select current_setting('server_version_num')::int4", &[]).await?;
        let version = match rows.first() {
            Some(row) => row.try_get(0).map_err(|error| unreadable(error.into()))?,
            None => return Err(unreadable("no answer".into())),
        };
        Ok(Self {
            session,
            version,
            schemas: "'{}'::oid[]".into(),
            all: *scope == Scope::All,
            catalog: Catalog::default(),
            ids: HashMap::new(),
        })
    }

    pub(super) fn version(&self) -> i32 {
        self.version
    }

    /// Narrows what `{schemas}` in a query stands for.
    pub(super) fn set_schemas(&mut self, oids: &[i64]) {
        let oids: Vec<String> = oids.iter().map(ToString::to_string).collect();
        self.schemas = format!("'{{{}}}'::oid[]", oids.join(","));
    }

    /// The rows of a query. The names of its columns are those of `T`'s fields; it says
    /// `{schemas}` for an array of the oids of the schemas in scope. Rows travel as JSON, so that
    /// fields are found by name and a null where none belongs is an error.
    pub(super) async fn rows<T: DeserializeOwned>(
        &self,
        about: &'static str,
        sql: &str,
    ) -> Result<Vec<T>, IntrospectError> {
        let sql = sql.replace("{schemas}", &self.schemas);
        let sql = format!("select row_to_json(found)::text from ({sql}) found");
        let failed = unreadable(about);
        let rows = self.session.rows(&sql, &[]).await?;
        let parse = |row: &avenire_postgres::Row| {
            let text: &str = row.try_get(0).map_err(|error| failed(error.into()))?;
            serde_json::from_str(text).map_err(|error| failed(error.into()))
        };
        rows.iter().map(parse).collect()
    }

    /// `sql` when the server has at least this version, `otherwise` if not.
    pub(super) fn since(
        &self,
        version: i32,
        sql: &'static str,
        otherwise: &'static str,
    ) -> &'static str {
        if self.version >= version { sql } else { otherwise }
    }

    /// Notes which object an address means.
    pub(super) fn know(&mut self, class: i64, oid: i64, id: Id) {
        self.ids.insert((class, oid, 0), id);
    }
}

fn unreadable(
    about: &'static str,
) -> impl Fn(Box<dyn std::error::Error + Send + Sync>) -> IntrospectError {
    move |source| IntrospectError::Unreadable { about, source }
}

/// `{name=value,…}` as `pg_class.reloptions` has it.
pub(super) fn options(list: &[String]) -> BTreeMap<String, String> {
    let split = |option: &String| match option.split_once('=') {
        Some((name, value)) => (name.to_owned(), value.to_owned()),
        None => (option.clone(), String::new()),
    };
    list.iter().map(split).collect()
}
