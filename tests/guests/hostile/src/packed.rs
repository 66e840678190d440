//! Packed rows and parameters (`wit/database/v0.1/types.wit`) as text. Panics on
//! rows that are not what that format says: then the host is at fault, and the test
//! shows it.

use crate::bindings::avenire::database::types::Column;

/// Rows of cells as text.
pub(crate) type Rows = Vec<Vec<Option<String>>>;

/// One text parameter of an unstated type.
pub(crate) fn text_parameter(value: Option<&str>) -> Vec<u8> {
    let mut bytes = vec![1, 0, 0, 0, 0, 0, 0];
    match value {
        None => bytes.extend((-1_i32).to_le_bytes()),
        Some(text) => {
            bytes.extend(i32::try_from(text.len()).expect("a short text").to_le_bytes());
            bytes.extend(text.as_bytes());
        }
    }
    bytes
}

/// How many rows of one `bigint` there are, and their sum, without keeping any.
pub(crate) fn sum_of_bigints(bytes: &[u8]) -> (u32, u64) {
    let mut reader = Reader(bytes);
    assert_eq!((u16::from_le_bytes(reader.take()), reader.take()), (1, [0]));
    assert_eq!(u32::from_le_bytes(reader.take()), 20, "the OID of bigint");
    let rows = u32::from_le_bytes(reader.take());
    let mut sum = 0;
    for _ in 0..rows {
        assert_eq!(i32::from_le_bytes(reader.take()), 8);
        sum += u64::from_be_bytes(reader.take());
    }
    (rows, sum)
}

/// The columns and the rows. Without a described header, names are empty.
pub(crate) fn decode(bytes: &[u8]) -> (Vec<Column>, Rows) {
    let mut reader = Reader(bytes);
    let count = u16::from_le_bytes(reader.take());
    let [described] = reader.take();
    assert!(described <= 1, "an unknown kind of header: {described}");
    let columns: Vec<Column> = (0..count).map(|_| reader.column(described == 1)).collect();
    let rows = u32::from_le_bytes(reader.take());
    let rows = (0..rows)
        .map(|_| columns.iter().map(|column| reader.cell(column.type_oid)).collect())
        .collect();
    assert!(reader.0.is_empty(), "{} bytes follow the last row", reader.0.len());
    (columns, rows)
}

/// `a,b;c,d`, with `null` for NULL.
pub(crate) fn text(rows: &Rows) -> String {
    let row = |cells: &Vec<Option<String>>| {
        let cells: Vec<&str> = cells.iter().map(|cell| cell.as_deref().unwrap_or("null")).collect();
        cells.join(",")
    };
    rows.iter().map(row).collect::<Vec<_>>().join(";")
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at_checked(count).expect("the rows are cut off");
        self.0 = rest;
        taken
    }

    fn take<const N: usize>(&mut self) -> [u8; N] {
        self.bytes(N).try_into().expect("as many bytes as asked for")
    }

    fn column(&mut self, described: bool) -> Column {
        let type_oid = u32::from_le_bytes(self.take());
        if !described {
            return Column { name: String::new(), type_oid, type_modifier: -1 };
        }
        let type_modifier = i32::from_le_bytes(self.take());
        let length = u16::from_le_bytes(self.take());
        let name = String::from_utf8(self.bytes(usize::from(length)).to_vec());
        Column { name: name.expect("a name in UTF-8"), type_oid, type_modifier }
    }

    fn cell(&mut self, type_oid: u32) -> Option<String> {
        let length = i32::from_le_bytes(self.take());
        if length == -1 {
            return None;
        }
        let length = usize::try_from(length).expect("a length that is not negative");
        Some(cell_text(type_oid, self.bytes(length)))
    }
}

/// The text of a cell in Postgres' binary format; hexadecimal digits for types that
/// the tests do not read.
fn cell_text(type_oid: u32, bytes: &[u8]) -> String {
    match type_oid {
        16 => (bytes != [0]).to_string(),
        20 => i64::from_be_bytes(exactly(bytes)).to_string(),
        21 => i16::from_be_bytes(exactly(bytes)).to_string(),
        23 => i32::from_be_bytes(exactly(bytes)).to_string(),
        26 => u32::from_be_bytes(exactly(bytes)).to_string(),
        18 | 19 | 25 | 1042 | 1043 => String::from_utf8(bytes.to_vec()).expect("text in UTF-8"),
        _ => bytes.iter().fold(String::new(), |digits, byte| format!("{digits}{byte:02x}")),
    }
}

fn exactly<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().expect("a cell as long as its type is")
}
