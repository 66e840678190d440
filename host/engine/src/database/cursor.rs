//! The `cursor` resource: rows of one statement as the guest asks for them.

use avenire_postgres::Cursor;
use wasmtime::component::Resource;

use super::Failure;
use super::bindings::sql::HostCursor;
use super::bindings::types::Column;
use crate::state::CallState;

/// What `max-bytes` of a read is clamped to.
const BATCH_BYTES: std::ops::RangeInclusive<u32> = 1 << 10..=1 << 20;

/// A guest's open cursor.
#[expect(unreachable_pub, reason = "generated bindings name it")]
pub struct CursorHandle {
    cursor: Cursor,
    finished: bool,
}

impl CursorHandle {
    pub(crate) fn new(cursor: Cursor) -> Self {
        Self { cursor, finished: false }
    }

    /// Whether there may be rows left.
    pub(crate) fn is_open(&self) -> bool {
        !self.finished
    }
}

impl HostCursor for CallState {
    fn columns(&mut self, handle: Resource<CursorHandle>) -> wasmtime::Result<Vec<Column>> {
        let columns = self.handles.get(&handle)?.cursor.columns().iter();
        Ok(columns
            .map(|column| Column {
                name: column.name.clone(),
                type_oid: column.type_oid,
                type_modifier: column.type_modifier,
            })
            .collect())
    }

    async fn next(
        &mut self,
        handle: Resource<CursorHandle>,
        max_bytes: u32,
    ) -> Result<Vec<u8>, Failure> {
        self.budget.check()?;
        let max_bytes = max_bytes.clamp(*BATCH_BYTES.start(), *BATCH_BYTES.end());
        let (caps, deadline) = (self.caps(), self.deadline);
        let entry = self.handles.get_mut(&handle)?;
        let began = self.turn.waits();
        let answer = entry.cursor.next(max_bytes, caps, deadline).await;
        entry.finished |= answer.as_ref().map_or(true, |packed| packed.rows == 0);
        self.budget.waited(self.turn.resumes(began).await);
        let packed = answer.map_err(|error| self.failure(error))?;
        self.budget.received(&packed);
        Ok(packed.bytes.into())
    }

    async fn drop(&mut self, handle: Resource<CursorHandle>) -> wasmtime::Result<()> {
        self.handles.delete(handle)?;
        self.budget.return_handle();
        Ok(())
    }
}
