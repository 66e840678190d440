//! One connection to the direct target for all checks of a validation, opened by the first that
//! needs one. Never: used by a call.

use std::time::{Duration, Instant};

use avenire_postgres::{Endpoint, Session};
use tokio::sync::OnceCell;

use crate::error::AppError;

/// How long connecting may take.
const TIME: Duration = Duration::from_secs(30);

/// The direct target, with a connection once one was needed.
pub(crate) struct Direct<'a> {
    endpoint: &'a Endpoint,
    session: OnceCell<Session>,
}

impl<'a> Direct<'a> {
    /// Connects to nothing yet.
    pub(crate) fn new(endpoint: &'a Endpoint) -> Self {
        Self { endpoint, session: OnceCell::new() }
    }

    /// The endpoint.
    pub(crate) fn endpoint(&self) -> &'a Endpoint {
        self.endpoint
    }

    /// The connection. Names in its statements must be qualified: it searches no schema.
    pub(crate) async fn session(&self) -> Result<&Session, AppError> {
        let connect = || async {
            let session = Session::connect(self.endpoint, Instant::now() + TIME).await?;
            session.batch("set search_path = ''").await?;
            Ok(session)
        };
        self.session.get_or_try_init(connect).await.map_err(|source| {
            let doing = "could not connect to look at roles and tables".to_owned();
            AppError::Database { doing, source }
        })
    }
}
