//! The ground of the delivery tests: signatures as users make them, and databases of their own.

mod signer;

pub use avenire_schema_tests::{Database, Server};
pub use signer::Pair;
