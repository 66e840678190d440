//! Packs bound values into the one buffer that travels to the host.

/// Bytes in front of each value: type OID, format, length.
const HEADER: usize = 4 + 1 + 4;

/// Format code of the binary format (PostgreSQL documentation, "Message Formats", Bind).
const BINARY: u8 = 1;

/// One bound value in Postgres' binary format.
#[derive(Clone, Copy)]
pub(crate) struct Parameter<'a> {
    /// 0 lets Postgres infer the type.
    pub(crate) type_oid: u32,
    /// None is NULL.
    pub(crate) value: Option<&'a [u8]>,
}

/// A statement has more parameters, or a larger one, than the protocol can carry.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooManyParameters;

/// Packs the parameters in the order of `$1`, `$2`, …; none make an empty buffer, which
/// allocates nothing.
pub(crate) fn pack<'a, I>(parameters: I) -> Result<Vec<u8>, TooManyParameters>
where
    I: ExactSizeIterator<Item = Parameter<'a>> + Clone,
{
    if parameters.len() == 0 {
        return Ok(Vec::new());
    }
    let count = u16::try_from(parameters.len()).map_err(|_| TooManyParameters)?;
    let values: usize = parameters.clone().map(|p| p.value.map_or(0, <[u8]>::len)).sum();
    let mut packed = Vec::with_capacity(2 + usize::from(count) * HEADER + values);
    packed.extend_from_slice(&count.to_le_bytes());
    for parameter in parameters {
        let length = match parameter.value {
            Some(value) => i32::try_from(value.len()).map_err(|_| TooManyParameters)?,
            None => -1,
        };
        packed.extend_from_slice(&parameter.type_oid.to_le_bytes());
        packed.push(BINARY);
        packed.extend_from_slice(&length.to_le_bytes());
        packed.extend_from_slice(parameter.value.unwrap_or_default());
    }
    Ok(packed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_the_one_the_interface_documents() {
        let parameters = [
            Parameter { type_oid: 23, value: Some(&[0, 0, 0, 7]) },
            Parameter { type_oid: 0x0102, value: None },
        ];
        let packed = pack(parameters.iter().copied()).unwrap();
        #[rustfmt::skip]
        let expected = [
            2, 0,
            23, 0, 0, 0, 1, 4, 0, 0, 0, 0, 0, 0, 7,
            2, 1, 0, 0, 1, 255, 255, 255, 255,
        ];
        assert_eq!(packed, expected);
    }

    #[test]
    fn no_parameters_are_no_bytes() {
        assert_eq!(pack(std::iter::empty::<Parameter<'_>>()), Ok(Vec::new()));
    }

    #[test]
    fn more_parameters_than_fit_are_refused() {
        let nulls =
            |count: u32| pack((0..count as usize).map(|_| Parameter { type_oid: 25, value: None }));
        assert!(nulls(65_535).is_ok());
        assert_eq!(nulls(65_536), Err(TooManyParameters));
    }
}
