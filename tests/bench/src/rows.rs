//! What a row of five columns costs from the host into a component, every cell read.

use anyhow::Result;
use avenire_app::engine::Slot;
use avenire_tests::Harness;
use cpu_time::ProcessTime;

use crate::calls::MANIFEST;

use crate::table::Table;

/// Rows of one call, and calls of one round.
const ROWS: u32 = 1000;
const CALLS: u32 = 1000;

/// OIDs of int8, timestamptz, float8, text, text (PostgreSQL, `pg_type.dat`).
const TYPES: [u32; 5] = [20, 1184, 701, 25, 25];

pub(crate) async fn measure(harness: &Harness, rounds: usize, table: &mut Table) -> Result<()> {
    let project = harness.project_with(MANIFEST, harness.empty_database().await?)?;
    let host = project.host().await?;
    let slot = host.slot("bench")?;
    let (none, all) = (packed(0), packed(ROWS));
    let mut values = Vec::new();
    for round in 0..=rounds {
        // The difference leaves out what a call costs anyway.
        let without = round_of(slot, &none).await?;
        let with = round_of(slot, &all).await?;
        if round > 0 {
            values.push((with - without) * 1e9 / f64::from(CALLS) / f64::from(ROWS));
        }
    }
    table.add("ns-per-row", "ns", "CPU time, five columns, host to guest, every cell read", values);
    Ok(())
}

/// CPU seconds for a round of calls with those rows.
async fn round_of(slot: &Slot, rows: &[u8]) -> Result<f64> {
    let began = ProcessTime::now();
    for _ in 0..CALLS {
        let (sum,) =
            slot.call_typed::<(&[u8],), (Result<u64, String>,)>("read-rows", (rows,)).await?;
        sum.map_err(anyhow::Error::msg)?;
    }
    Ok(began.elapsed().as_secs_f64())
}

/// Rows in the packed format of `wit/database/v0.1/types.wit`: 13 and 46 bytes of
/// text in each.
fn packed(rows: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(5_u16.to_le_bytes());
    bytes.push(0);
    bytes.extend(TYPES.iter().flat_map(|oid| oid.to_le_bytes()));
    bytes.extend(rows.to_le_bytes());
    for row in 0..rows {
        let number = u64::from(row).to_be_bytes();
        for cell in [&number[..], &number, &number, b"thirteen text", &[b'x'; 46]] {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_possible_wrap,
                reason = "at most 46"
            )]
            bytes.extend((cell.len() as i32).to_le_bytes());
            bytes.extend(cell);
        }
    }
    bytes
}
