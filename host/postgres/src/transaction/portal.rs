//! Cursors inside a transaction: named portals of the server, read in pieces. Owns
//! how many rows a piece has and where rows wait while other statements run. Never
//! outlives its transaction.
//!
//! They are made with `DECLARE`, which reaches the same portals as a Bind with a
//! name: the driver binds names only inside its own transaction type, which could
//! not be begun together with the first statement.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::time::Instant;

use futures_util::TryStreamExt as _;
use futures_util::future::join;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Row, RowStream};

use super::operations::Core;
use super::options::prepare_once;
use super::state::State;
use crate::connection::Connection;
use crate::endpoint::StatementMode;
use crate::error::{Error, WaitingFor};
use crate::guard::{self, Kind, Place};
use crate::packed::{Budget, Caps, ColumnDescription, Header, Layout, Packed, Packer};
use crate::parameters::{Parameters, Value};
use crate::pool::{Inner, check_size, within};
use crate::run::{self, Failure};

/// Rows asked for before anything is known of their size.
const FIRST_PIECE: usize = 64;
/// Most rows asked for at once.
const LARGEST_PIECE: usize = 16_384;
/// Most bytes of one piece that wait in memory while another statement runs.
const MAXIMUM_PARKED: usize = 16 * 1024 * 1024;

const READS_ONLY: &str = "a cursor reads: use it with select, with, values or table";
const GONE: &str = "the cursor has failed, or ended with its transaction or savepoint";

/// The open cursors of a transaction.
#[derive(Default)]
pub(super) struct Portals {
    open: HashMap<u64, Portal>,
    /// The piece that is being read. Its rows come one by one as they are asked for.
    current: Option<Piece>,
    /// Dropped by the user and not yet closed at the server.
    unwanted: Vec<u64>,
    last: u64,
    /// The planner was told that cursors are read to their ends.
    is_planner_told: bool,
}

struct Portal {
    layout: Layout,
    /// Savepoints there were when it was opened.
    depth: usize,
    waiting: VecDeque<Row>,
    is_at_end: bool,
    rows_seen: usize,
    bytes_seen: usize,
}

struct Piece {
    id: u64,
    stream: Pin<Box<RowStream>>,
    asked: usize,
    received: usize,
}

impl Portals {
    pub(super) fn clear(&mut self) {
        *self = Portals { last: self.last, ..Portals::default() };
    }

    pub(super) fn close(&mut self, id: u64) {
        if self.open.remove(&id).is_some() {
            self.unwanted.push(id);
        }
        if self.current.as_ref().is_some_and(|piece| piece.id == id) {
            // The driver throws the rest of the piece away.
            self.current = None;
        }
    }

    /// A released savepoint's cursors belong to the one around it.
    pub(super) fn release(&mut self, depth: usize) {
        for portal in self.open.values_mut() {
            portal.depth = portal.depth.min(depth);
        }
    }

    pub(super) fn close_deeper_than(&mut self, depth: usize) {
        self.open.retain(|_, portal| portal.depth <= depth);
        self.unwanted.clear();
        // The planner's setting was undone if it was made since.
        self.is_planner_told = false;
    }

    fn get(&mut self, id: u64) -> Result<&mut Portal, Failure> {
        self.open.get_mut(&id).ok_or_else(|| Failure::Ours(Error::invalid(GONE)))
    }

    /// `close` statements for cursors the user has dropped.
    fn closing(&mut self) -> Option<String> {
        if self.unwanted.is_empty() {
            return None;
        }
        let statements: Vec<String> =
            self.unwanted.drain(..).map(|id| format!("close {}", name(id))).collect();
        Some(statements.join("; "))
    }
}

impl Portal {
    fn saw(&mut self, row: &Row) {
        self.rows_seen += 1;
        self.bytes_seen += row.raw_size_bytes();
    }

    /// Rows that fill `bytes`, going by those seen so far.
    fn piece_for(&self, bytes: usize) -> usize {
        if self.rows_seen == 0 {
            return FIRST_PIECE;
        }
        let average = (self.bytes_seen / self.rows_seen).max(1);
        (bytes / average).clamp(1, LARGEST_PIECE)
    }
}

fn name(id: u64) -> String {
    format!("avenire_cursor_{id}")
}

impl Core {
    pub(super) async fn open_portal(
        &self,
        sql: &str,
        parameters: &Parameters,
        deadline: Instant,
    ) -> Result<(u64, Vec<ColumnDescription>), Error> {
        check_cursor(sql, parameters, self.place())?;
        let mut state = self.enter(deadline).await?;
        state.prepare_for(Kind::Read);
        let work = state.open_portal(self.inner(), sql, parameters);
        let result = within(deadline, WaitingFor::Answer, work).await;
        state.leave(result)
    }

    /// The next rows of a cursor, in at most `max_bytes` of cells unless the first
    /// one alone is larger.
    pub(crate) async fn next(
        &self,
        id: u64,
        max_bytes: usize,
        caps: Caps,
        deadline: Instant,
    ) -> Result<Packed, Error> {
        let mut state = self.enter(deadline).await?;
        state.prepare_for(Kind::Read);
        let work = state.read_portal(id, max_bytes, caps);
        let result = within(deadline, WaitingFor::Answer, work).await;
        let left = state.leave(result);
        if left.is_err() {
            // Rows that were read for this piece are lost: none may come after them.
            state.portals.close(id);
        }
        left
    }
}

/// A cursor is over a statement that reads.
pub(crate) fn check_cursor(sql: &str, parameters: &Parameters, place: Place) -> Result<(), Error> {
    check_size(sql, parameters)?;
    match guard::check(sql, place)? {
        Kind::Read => Ok(()),
        Kind::Write | Kind::Utility | Kind::Tainting => {
            Err(Error::Denied { statement: "OPEN CURSOR".to_owned(), instead: READS_ONLY })
        }
    }
}

impl State {
    async fn open_portal(
        &mut self,
        inner: &Inner,
        sql: &str,
        parameters: &Parameters,
    ) -> Result<(u64, Vec<ColumnDescription>), Failure> {
        self.park().await?;
        let begin = self.begin.take();
        let id = self.portals.last + 1;
        let is_planner_told = self.portals.is_planner_told;
        let connection = self.connection()?;
        let work = async {
            let (layout, types, looked_up) = describe(inner, connection, sql, parameters).await?;
            declare(connection, id, sql, parameters, types, is_planner_told).await?;
            Ok((layout, looked_up))
        };
        let (layout, looked_up) = Self::after_begin(begin, connection, work).await?;
        self.has_leftovers |= looked_up;
        self.portals.last = id;
        self.portals.is_planner_told = true;
        let columns = layout.columns.clone();
        let portal = Portal {
            layout,
            depth: self.savepoints,
            waiting: VecDeque::new(),
            is_at_end: false,
            rows_seen: 0,
            bytes_seen: 0,
        };
        self.portals.open.insert(id, portal);
        Ok((id, columns))
    }

    async fn read_portal(
        &mut self,
        id: u64,
        max_bytes: usize,
        caps: Caps,
    ) -> Result<Packed, Failure> {
        let budget = Budget::new(caps);
        let mut packer = Packer::new(&self.portals.get(id)?.layout, Header::Types);
        while let Some(row) = self.next_row(id, max_bytes).await? {
            let size = row.raw_size_bytes();
            if packer.rows() > 0 && packer.cell_bytes() + size > max_bytes {
                self.portals.get(id)?.waiting.push_front(row);
                break;
            }
            budget.spend(size).map_err(Failure::Ours)?;
            packer.push(&row).map_err(Failure::executing)?;
        }
        let rows = u64::from(packer.rows());
        Ok(packer.finish(rows))
    }

    async fn next_row(&mut self, id: u64, max_bytes: usize) -> Result<Option<Row>, Failure> {
        loop {
            let portal = self.portals.get(id)?;
            if let Some(row) = portal.waiting.pop_front() {
                return Ok(Some(row));
            }
            if let Some(row) = self.portals.read_current(id).await? {
                return Ok(Some(row));
            }
            let portal = self.portals.get(id)?;
            if portal.is_at_end {
                return Ok(None);
            }
            let asked = portal.piece_for(max_bytes);
            // Another cursor's piece makes way.
            self.park().await?;
            let sql = format!("fetch forward {asked} from {}", name(id));
            let client = self.connection()?.client();
            let stream = client.query_typed_raw::<Value<'_>, _>(&sql, []).await;
            let stream = Box::pin(stream.map_err(Failure::executing)?);
            self.portals.current = Some(Piece { id, stream, asked, received: 0 });
        }
    }

    /// Makes the connection free for another statement: the rest of the piece that is
    /// being read waits in memory, and dropped cursors are closed.
    pub(super) async fn park(&mut self) -> Result<(), Failure> {
        if let Some(id) = self.portals.current.as_ref().map(|piece| piece.id) {
            let mut parked = VecDeque::new();
            let mut bytes = 0;
            while let Some(row) = self.portals.read_current(id).await? {
                bytes += row.raw_size_bytes();
                parked.push_back(row);
                if bytes > MAXIMUM_PARKED {
                    let maximum = u64::try_from(MAXIMUM_PARKED).unwrap_or(u64::MAX);
                    return Err(Failure::Unsettled(Error::ByteLimit { maximum }));
                }
            }
            self.portals.get(id)?.waiting.append(&mut parked);
        }
        if let Some(sql) = self.portals.closing() {
            let closing = self.connection()?.client().batch_execute(&sql).await;
            // In a failed transaction nothing can be closed, and nothing needs to be.
            if let Err(error) = closing
                && error.as_db_error().is_none()
            {
                return Err(Failure::executing(error));
            }
        }
        Ok(())
    }
}

impl Portals {
    /// The next row of the piece that is being read, if it is this cursor's.
    async fn read_current(&mut self, id: u64) -> Result<Option<Row>, Failure> {
        let Some(piece) = self.current.as_mut().filter(|piece| piece.id == id) else {
            return Ok(None);
        };
        let row = piece.stream.try_next().await.map_err(Failure::executing)?;
        let portal = self.open.get_mut(&id).ok_or_else(|| Failure::Ours(Error::invalid(GONE)))?;
        if let Some(row) = &row {
            piece.received += 1;
            portal.saw(row);
        } else {
            portal.is_at_end = piece.received < piece.asked;
            self.current = None;
        }
        Ok(row)
    }
}

/// Prepares the statement itself first: that gives the columns, errors with the
/// right position, and the driver the types of the rows.
async fn describe(
    inner: &Inner,
    connection: &Connection,
    sql: &str,
    parameters: &Parameters,
) -> Result<(Layout, Vec<Type>, bool), Failure> {
    if inner.mode() == StatementMode::Named {
        let prepared = run::prepare(connection, sql, parameters, inner.epoch()).await?;
        return Ok((prepared.layout.clone(), prepared.statement.params().to_vec(), false));
    }
    let (prepared, looked_up) = prepare_once(inner, connection, sql, parameters).await?;
    Ok((prepared.layout, prepared.statement.params().to_vec(), looked_up))
}

async fn declare(
    connection: &Connection,
    id: u64,
    sql: &str,
    parameters: &Parameters,
    types: Vec<Type>,
    is_planner_told: bool,
) -> Result<(), Failure> {
    let declaration = format!("declare {} no scroll cursor for {sql}", name(id));
    let values: Vec<Value<'_>> = parameters.values().collect();
    let arguments: Vec<(&(dyn ToSql + Sync), Type)> =
        values.iter().map(|value| value as &(dyn ToSql + Sync)).zip(types).collect();
    let client = connection.client();
    let telling = async {
        if is_planner_told {
            return Ok(());
        }
        // By default the planner assumes that only a tenth of a cursor is read.
        client.batch_execute("set local cursor_tuple_fraction = 1").await
    };
    let declaring = client.execute_typed(&declaration, &arguments);
    let (told, declared) = join(telling, declaring).await;
    told.map_err(Failure::executing)?;
    declared.map_err(Failure::executing)?;
    Ok(())
}
