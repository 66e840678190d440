//! The benchmark's component: calls that isolate one cost each.

use avenire_sdk::packed::Rows;

#[expect(clippy::same_length_and_capacity, reason = "generated")]
mod bindings {
    avenire_sdk::contract!("test:bench/bench" in [
        "../../../wit/database/v0.1", "../../../wit/types/v0.1", "wit",
    ]);
}

use avenire_sdk::bindings::avenire::database::sql;
use bindings::exports::test::bench::costs::Guest;

struct Component;

impl Guest for Component {
    fn nothing() {}

    fn read_rows(rows: Vec<u8>) -> Result<u64, String> {
        sum(rows)
    }

    fn fetch_rows(count: u32) -> Result<u64, String> {
        let text = format!(
            "select n::int8, now(), n::float8, 'thirteen text', repeat('x', 46) \
             from generate_series(1, {count}) as n"
        );
        sum(sql::query(&text, &[], sql::RowHeader::Types).map_err(|error| format!("{error:?}"))?)
    }
}

/// Touches every cell as its type would be read: numbers by value, texts checked
/// to be UTF-8.
fn sum(rows: Vec<u8>) -> Result<u64, String> {
    let rows = Rows::read(rows).map_err(|error| error.to_string())?;
    let mut sum = 0_u64;
    for row in 0..rows.rows() {
        for column in 0..3 {
            let cell = rows.cell(row, column).and_then(|cell| <[u8; 8]>::try_from(cell).ok());
            let cell = cell.ok_or_else(|| format!("no number in row {row}, column {column}"))?;
            sum = sum.wrapping_add(u64::from_be_bytes(cell));
        }
        for column in 3..5 {
            let cell = rows.cell(row, column).unwrap_or_default();
            let text = std::str::from_utf8(cell).map_err(|error| error.to_string())?;
            sum = sum.wrapping_add(text.len() as u64);
        }
    }
    Ok(sum)
}

avenire_sdk::export!(Component in bindings);
