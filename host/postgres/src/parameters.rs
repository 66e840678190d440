//! Packed parameters: checks what a guest sent and hands the cells to the driver
//! as they are. Never decodes a value. The format is specified in
//! `wit/database/v0.1/types.wit`, "Packed parameters".

use std::ops::Range;

use bytes::{BufMut, Bytes, BytesMut};
use tokio_postgres::types::{Format, IsNull, Kind, ToSql, Type, to_sql_checked};

use crate::error::Error;

/// Checked parameters of one statement. Cloning shares the bytes.
#[derive(Debug, Clone, Default)]
pub struct Parameters {
    bytes: Bytes,
    cells: Vec<Cell>,
}

#[derive(Debug, Clone)]
struct Cell {
    type_oid: u32,
    format: Format,
    /// None is NULL.
    value: Option<Range<usize>>,
}

/// What is wrong with packed parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// The bytes end inside a parameter or before it.
    #[error("the parameters end within parameter ${number}")]
    Truncated {
        /// Number of the parameter, from 1; 0 for the count in front of them.
        number: usize,
    },
    /// The format code is neither 0 (text) nor 1 (binary).
    #[error("parameter ${number} has format code {code}, which is neither 0 (text) nor 1 (binary)")]
    Format {
        /// Number of the parameter, from 1.
        number: usize,
        /// What was sent.
        code: u8,
    },
    /// The length is negative and not -1.
    #[error("parameter ${number} has length {length}")]
    Length {
        /// Number of the parameter, from 1.
        number: usize,
        /// What was sent.
        length: i32,
    },
    /// Bytes follow the last parameter.
    #[error("{count} bytes follow the last parameter")]
    Trailing {
        /// How many.
        count: usize,
    },
}

impl From<ParameterError> for Error {
    fn from(error: ParameterError) -> Error {
        Error::invalid(error.to_string())
    }
}

impl Parameters {
    /// Checks every count, format code and length. An empty list means no
    /// parameters. The values stay where they are.
    ///
    /// # Errors
    /// Says which parameter is malformed, and how.
    pub fn parse(bytes: impl Into<Bytes>) -> Result<Parameters, ParameterError> {
        let bytes = bytes.into();
        if bytes.is_empty() {
            return Ok(Parameters::default());
        }
        let mut reader = Reader { bytes: &bytes, at: 0 };
        let count = reader.take().ok_or(ParameterError::Truncated { number: 0 })?;
        let count = usize::from(u16::from_le_bytes(count));
        // Each parameter takes nine bytes at least, so a lying count can not make
        // the host reserve more than the guest sent.
        let mut cells = Vec::with_capacity(count.min(bytes.len() / 9));
        for number in 1..=count {
            cells.push(reader.cell(number)?);
        }
        let left = bytes.len() - reader.at;
        if left > 0 {
            return Err(ParameterError::Trailing { count: left });
        }
        Ok(Parameters { bytes, cells })
    }

    /// No parameters.
    pub fn none() -> Parameters {
        Parameters::default()
    }

    /// Texts whose types Postgres infers, for the host's own statements.
    pub fn texts(values: &[&str]) -> Parameters {
        let mut bytes = BytesMut::new();
        let mut cells = Vec::with_capacity(values.len());
        for value in values {
            let start = bytes.len();
            bytes.extend_from_slice(value.as_bytes());
            cells.push(Cell { type_oid: 0, format: Format::Text, value: Some(start..bytes.len()) });
        }
        Parameters { bytes: bytes.freeze(), cells }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Bytes they take, packed.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn type_oids(&self) -> impl ExactSizeIterator<Item = u32> {
        self.cells.iter().map(|cell| cell.type_oid)
    }

    pub(crate) fn types(&self) -> Vec<Type> {
        self.type_oids().map(type_of).collect()
    }

    pub(crate) fn values(&self) -> impl ExactSizeIterator<Item = Value<'_>> {
        self.cells.iter().map(|cell| Value {
            format: cell.format,
            bytes: cell.value.clone().and_then(|range| self.bytes.get(range)),
        })
    }
}

/// The driver's type for an OID. Only its OID reaches Postgres, so that types the
/// driver does not know need no look-up.
pub(crate) fn type_of(oid: u32) -> Type {
    Type::from_oid(oid)
        .unwrap_or_else(|| Type::new(String::new(), oid, Kind::Simple, String::new()))
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let taken = self.bytes.get(self.at..)?.first_chunk::<N>()?;
        self.at += N;
        Some(*taken)
    }

    fn cell(&mut self, number: usize) -> Result<Cell, ParameterError> {
        let truncated = ParameterError::Truncated { number };
        let type_oid = u32::from_le_bytes(self.take().ok_or(truncated)?);
        let format = match self.take::<1>().ok_or(truncated)? {
            [0] => Format::Text,
            [1] => Format::Binary,
            [code] => return Err(ParameterError::Format { number, code }),
        };
        let length = i32::from_le_bytes(self.take().ok_or(truncated)?);
        if length == -1 {
            return Ok(Cell { type_oid, format, value: None });
        }
        let size =
            usize::try_from(length).map_err(|_| ParameterError::Length { number, length })?;
        let end = self.at.checked_add(size).filter(|end| *end <= self.bytes.len());
        let value = self.at..end.ok_or(truncated)?;
        self.at = value.end;
        Ok(Cell { type_oid, format, value: Some(value) })
    }
}

/// One parameter on its way to the driver, whatever its type.
#[derive(Debug)]
pub(crate) struct Value<'a> {
    format: Format,
    bytes: Option<&'a [u8]>,
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self.bytes {
            None => Ok(IsNull::Yes),
            Some(bytes) => {
                out.put_slice(bytes);
                Ok(IsNull::No)
            }
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        self.format
    }

    to_sql_checked!();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(cells: &[(u32, u8, Option<&[u8]>)]) -> Vec<u8> {
        let mut bytes = u16::try_from(cells.len()).unwrap().to_le_bytes().to_vec();
        for (oid, format, value) in cells {
            bytes.extend_from_slice(&oid.to_le_bytes());
            bytes.push(*format);
            let length = value.map_or(-1, |value| i32::try_from(value.len()).unwrap());
            bytes.extend_from_slice(&length.to_le_bytes());
            bytes.extend_from_slice(value.unwrap_or_default());
        }
        bytes
    }

    #[test]
    fn parameters_keep_their_types_formats_and_nulls() {
        let bytes = packed(&[(23, 1, Some(&[0, 0, 0, 7])), (0, 0, Some(b"text")), (2950, 1, None)]);
        let parameters = Parameters::parse(bytes).unwrap();
        assert_eq!(parameters.type_oids().collect::<Vec<_>>(), [23, 0, 2950]);
        let values: Vec<_> =
            parameters.values().map(|value| value.bytes.map(<[u8]>::to_vec)).collect();
        assert_eq!(values, [Some(vec![0, 0, 0, 7]), Some(b"text".to_vec()), None]);
        assert_eq!(type_of(0).oid(), 0);
        assert_eq!(type_of(99_999).oid(), 99_999);
    }

    #[test]
    fn no_bytes_and_a_count_of_zero_both_mean_no_parameters() {
        assert!(Parameters::parse(Vec::new()).unwrap().is_empty());
        assert!(Parameters::parse(vec![0, 0]).unwrap().is_empty());
    }

    #[test]
    fn every_truncation_is_refused() {
        let bytes = packed(&[(25, 0, Some(b"hello")), (25, 1, None)]);
        for end in 1..bytes.len() {
            let error = Parameters::parse(bytes[..end].to_vec()).unwrap_err();
            assert!(matches!(error, ParameterError::Truncated { .. }), "{end}: {error}");
        }
    }

    #[test]
    fn lying_lengths_counts_and_formats_are_refused_without_allocating() {
        let mut bytes = packed(&[(25, 0, Some(b"x"))]);
        bytes[7..11].copy_from_slice(&i32::MAX.to_le_bytes());
        assert_eq!(
            Parameters::parse(bytes.clone()).unwrap_err(),
            ParameterError::Truncated { number: 1 }
        );
        bytes[7..11].copy_from_slice(&(-2_i32).to_le_bytes());
        assert_eq!(
            Parameters::parse(bytes).unwrap_err(),
            ParameterError::Length { number: 1, length: -2 }
        );
        assert_eq!(
            Parameters::parse(vec![0xff, 0xff, 1]).unwrap_err(),
            ParameterError::Truncated { number: 1 }
        );
        assert_eq!(
            Parameters::parse(packed(&[(25, 2, None)])).unwrap_err(),
            ParameterError::Format { number: 1, code: 2 }
        );
        let mut bytes = packed(&[(25, 1, None)]);
        bytes.extend_from_slice(&[1, 2, 3]);
        assert_eq!(Parameters::parse(bytes).unwrap_err(), ParameterError::Trailing { count: 3 });
    }

    #[test]
    fn arbitrary_bytes_never_panic() {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        for round in 0..20_000_usize {
            let mut bytes = Vec::new();
            for _ in 0..round % 40 {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                bytes.push(
                    u8::try_from(state & 0xff).unwrap() & if state & 256 == 0 { 3 } else { 0xff },
                );
            }
            if let Ok(parameters) = Parameters::parse(bytes) {
                assert_eq!(parameters.values().len(), parameters.len());
            }
        }
    }
}
