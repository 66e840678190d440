//! What nearly every component needs: `use avenire_sdk::prelude::*;`.

pub use crate::Checks;
pub use crate::connection::{HostConnection, Streamed};
pub use crate::database;
pub use crate::error::{Failure, conflict, forbidden, invalid, not_found};
pub use crate::schema::{Json, Timestamp};
pub use diesel::prelude::*;
