//! Postgres as the host uses it: connection strings, TLS, pools, statements with
//! packed rows and parameters, cursors, transactions, classified errors, and a
//! private cluster for those who have none.
//!
//! The only crate that names the driver. It knows nothing of components and of the
//! interface they speak, except for the byte formats of rows and parameters, which
//! `wit/database/v0.1/types.wit` specifies.
//!
//! Every operation takes a deadline, every future may be dropped at any point, and no
//! error contains a password or the text of a statement.

mod classify;
mod connect;
mod connection;
mod cursor;
pub mod embedded;
mod endpoint;
mod error;
mod frames;
mod guard;
mod listen;
mod packed;
mod parameters;
mod pool;
mod run;
mod session;
mod statements;
mod tls;
mod transaction;
mod transport;

pub use cursor::Cursor;
pub use endpoint::{Endpoint, StatementMode, UrlError};
pub use error::{
    BatchError, DatabaseError, Error, Execution, Unavailable, UnavailableCause, WaitingFor,
};
pub use guard::only_reads;
pub use listen::Notifications;
pub use packed::{Caps, ColumnDescription, Header, Packed};
pub use parameters::{ParameterError, Parameters};
pub use pool::{Pool, PoolFigures, PoolOptions};
pub use session::{Session, scram_verifier};
pub use tokio_postgres::Row;
pub use tokio_postgres::types::{ToSql, Type};
pub use transaction::{
    AccessMode, IsolationLevel, Local, MAXIMUM_SAVEPOINTS, Transaction, TransactionOptions,
};
