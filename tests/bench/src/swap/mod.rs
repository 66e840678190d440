//! What it costs to replace components: swaps under load, deployments to a fleet, many components
//! in one host.

mod fleet;
mod load;
mod many;

use anyhow::Result;
use avenire_tests::Harness;

use crate::table::Table;

pub(crate) async fn measure(harness: &Harness, rounds: usize, table: &mut Table) -> Result<()> {
    load::measure(harness, table).await?;
    fleet::measure(harness, rounds, table).await?;
    many::measure(harness, table).await
}

/// The same component with something more in it: another one by its digest.
fn variant(component: &[u8], number: u32) -> Vec<u8> {
    let mut bytes = component.to_vec();
    // A custom section (WebAssembly core specification, 5.5.3): its length, its name's length.
    bytes.extend([0, 6, 1, b'v']);
    bytes.extend(number.to_le_bytes());
    bytes
}
