//! What is read and what is refused.

use super::*;

/// Two columns (25 and 23), two rows: ("ab", 7), (NULL, empty).
fn sample(described: bool) -> Vec<u8> {
    let mut bytes = vec![2, 0, u8::from(described)];
    for (oid, name) in [(25_u8, "title"), (23, "é")] {
        bytes.extend([oid, 0, 0, 0]);
        if described {
            bytes.extend((-1_i32).to_le_bytes());
            bytes.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
            bytes.extend(name.as_bytes());
        }
    }
    bytes.extend(2_u32.to_le_bytes());
    for cell in [Some(&b"ab"[..]), Some(&[0, 0, 0, 7]), None, Some(&[])] {
        let length = cell.map_or(-1, |cell| i32::try_from(cell.len()).unwrap());
        bytes.extend(length.to_le_bytes());
        bytes.extend(cell.unwrap_or_default());
    }
    bytes
}

#[test]
fn cells_names_and_types_are_read_back() {
    for described in [false, true] {
        let batch = Batch::parse(sample(described)).unwrap();
        assert_eq!((batch.rows(), batch.columns()), (2, 2));
        assert_eq!(batch.type_oid(1).copied(), NonZeroU32::new(23));
        assert_eq!(batch.cell(0, 0), Some(&b"ab"[..]));
        assert_eq!(batch.cell(0, 1), Some(&[0, 0, 0, 7][..]));
        assert_eq!(batch.cell(1, 0), None);
        assert_eq!(batch.cell(1, 1), Some(&[][..]));
        assert_eq!(batch.cell(2, 0), None);
        assert_eq!(batch.column_named("é"), described.then_some(1));
    }
}

#[test]
fn a_cursor_s_batch_can_be_named_afterwards() {
    let mut batch = Batch::parse(sample(false)).unwrap();
    let name = |name: &str| WitColumn { name: name.into(), type_oid: 25, type_modifier: -1 };
    batch.name_columns(&[name("a"), name("b")]);
    assert_eq!(batch.column_named("b"), Some(1));
}

#[test]
fn no_prefix_of_a_batch_is_a_batch() {
    for described in [false, true] {
        let whole = sample(described);
        for length in 0..whole.len() {
            assert!(Batch::parse(whole.get(..length).unwrap().to_vec()).is_err(), "{length}");
        }
        let mut longer = whole;
        longer.push(0);
        assert_eq!(Batch::parse(longer).unwrap_err(), Malformed("bytes after the last row"));
    }
}

#[test]
fn no_single_changed_byte_makes_reading_panic() {
    for described in [false, true] {
        let whole = sample(described);
        for at in 0..whole.len() {
            for value in [0, 1, 2, 127, 128, 254, 255] {
                let mut bytes = whole.clone();
                bytes[at] = value;
                if let Ok(batch) = Batch::parse(bytes) {
                    for cell in 0..batch.rows().min(9) * batch.columns() {
                        let _ = batch.cell(cell / batch.columns(), cell % batch.columns());
                        let _ = batch.name(cell);
                    }
                }
            }
        }
    }
}

#[test]
fn a_huge_number_of_rows_is_refused_before_anything_is_allocated() {
    let mut bytes = vec![1, 0, 0, 25, 0, 0, 0];
    bytes.extend(u32::MAX.to_le_bytes());
    assert!(Batch::parse(bytes).is_err());
}

#[test]
fn rows_without_columns_are_counted() {
    let batch = Batch::parse(vec![0, 0, 0, 3, 0, 0, 0]).unwrap();
    assert_eq!((batch.rows(), batch.columns()), (3, 0));
}
