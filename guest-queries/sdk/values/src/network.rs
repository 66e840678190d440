//! `inet` and `cidr`. Diesel's own support for them needs libc's `AF_INET`, which the
//! wasm target does not have.

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{Cidr, Inet};
use std::fmt;
use std::io::Write;
use std::net::IpAddr;

/// Address families as they stand in the binary format (PostgreSQL source,
/// `src/include/utils/inet.h`, `PGSQL_AF_INET` and `PGSQL_AF_INET6`).
const FAMILY_V4: u8 = 2;
const FAMILY_V6: u8 = 3;

/// An address and how many of its bits name the network: `inet` or `cidr`.
///
/// Postgres refuses a `cidr` that has bits set to the right of its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = Inet)]
#[diesel(sql_type = Cidr)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// A prefix that has more bits than the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrefixTooLong {
    prefix: u8,
    maximum: u8,
}

impl fmt::Display for PrefixTooLong {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "a network prefix of {} bits is longer than {}", self.prefix, self.maximum)
    }
}

impl std::error::Error for PrefixTooLong {}

impl Network {
    /// An address within a network of `prefix` bits: at most 32 for IPv4, 128 for IPv6.
    pub fn new(address: IpAddr, prefix: u8) -> Result<Self, PrefixTooLong> {
        let maximum = bits(address);
        if prefix > maximum {
            return Err(PrefixTooLong { prefix, maximum });
        }
        Ok(Self { address, prefix })
    }

    /// A single address.
    pub fn host(address: IpAddr) -> Self {
        Self { address, prefix: bits(address) }
    }

    /// The address.
    pub fn address(self) -> IpAddr {
        self.address
    }

    /// How many leading bits name the network.
    pub fn prefix(self) -> u8 {
        self.prefix
    }

    /// `inet_send` and `cidr_send`: family, bits, whether it is a cidr, length, address.
    fn write(self, is_cidr: u8, out: &mut Output<'_, '_, Pg>) -> serialize::Result {
        match self.address {
            IpAddr::V4(address) => {
                out.write_all(&[FAMILY_V4, self.prefix, is_cidr, 4])?;
                out.write_all(&address.octets())?;
            }
            IpAddr::V6(address) => {
                out.write_all(&[FAMILY_V6, self.prefix, is_cidr, 16])?;
                out.write_all(&address.octets())?;
            }
        }
        Ok(IsNull::No)
    }

    fn read(value: &[u8]) -> deserialize::Result<Self> {
        let (&[family, prefix, _is_cidr, length], address) =
            value.split_first_chunk().ok_or("a network address is shorter than its header")?;
        if address.len() != usize::from(length) {
            return Err("the length of a network address is wrong".into());
        }
        let address = match family {
            FAMILY_V4 => IpAddr::from(<[u8; 4]>::try_from(address)?),
            FAMILY_V6 => IpAddr::from(<[u8; 16]>::try_from(address)?),
            other => return Err(format!("address family {other} is not known").into()),
        };
        Ok(Self::new(address, prefix)?)
    }
}

fn bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

impl ToSql<Inet, Pg> for Network {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        self.write(0, out)
    }
}

impl FromSql<Inet, Pg> for Network {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Self::read(value.as_bytes())
    }
}

impl ToSql<Cidr, Pg> for Network {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        self.write(1, out)
    }
}

impl FromSql<Cidr, Pg> for Network {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Self::read(value.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_both_families_are_read() {
        let v4 = Network::read(&[FAMILY_V4, 24, 1, 4, 192, 168, 7, 0]).unwrap();
        assert_eq!(v4, Network::new("192.168.7.0".parse().unwrap(), 24).unwrap());
        let mut bytes = vec![FAMILY_V6, 128, 0, 16];
        bytes.extend([0; 15]);
        bytes.push(1);
        assert_eq!(Network::read(&bytes).unwrap(), Network::host("::1".parse().unwrap()));
    }

    #[test]
    fn malformed_addresses_are_refused() {
        for bytes in [
            &[][..],
            &[FAMILY_V4, 24, 0],
            &[FAMILY_V4, 24, 0, 4, 1, 2, 3],
            &[FAMILY_V4, 33, 0, 4, 1, 2, 3, 4],
            &[FAMILY_V6, 24, 0, 4, 1, 2, 3, 4],
            &[9, 24, 0, 4, 1, 2, 3, 4],
        ] {
            assert!(Network::read(bytes).is_err(), "{bytes:?}");
        }
    }
}
