//! Numbers, text, bytes and identifiers.

use avenire_sdk::prelude::*;
use avenire_sdk::schema::Network;
use bigdecimal::BigDecimal;
use diesel::data_types::{PgLsn, PgMoney, PgNumeric};
use diesel::sql_types::{
    BigInt, Binary, Bool, CChar, Cidr, Double, Float, Inet, Integer, Json as JsonType, Jsonb,
    MacAddr, MacAddr8, Money, Nullable, Numeric, Oid, PgLsn as PgLsnType, SmallInt, Text,
    Uuid as UuidType,
};
use uuid::Uuid;

use crate::bindings::exports::avenire::types_test::checks::RoundTrip;
use crate::round_trip::round_trip;

pub(crate) fn try_all(c: &mut HostConnection, t: &mut Vec<RoundTrip>) -> Result<(), Failure> {
    integers(c, t)?;
    floats(c, t)?;
    numerics(c, t)?;
    texts(c, t)?;
    documents(c, t)?;
    identifiers(c, t)
}

fn integers(c: &mut HostConnection, t: &mut Vec<RoundTrip>) -> Result<(), Failure> {
    round_trip!(c, t, "bool: true", Bool, bool, true => "true");
    round_trip!(c, t, "bool: false", Bool, bool, false => "false");
    round_trip!(c, t, "int2: least", SmallInt, i16, i16::MIN => "-32768");
    round_trip!(c, t, "int4: least", Integer, i32, i32::MIN => "-2147483648");
    round_trip!(c, t, "int8: least", BigInt, i64, i64::MIN => "-9223372036854775808");
    round_trip!(c, t, "int8: greatest", BigInt, i64, i64::MAX => "9223372036854775807");
    round_trip!(c, t, "oid: greatest", Oid, u32, u32::MAX => "4294967295");
    round_trip!(c, t, "int4: null", Nullable<Integer>, Option<i32>, None => "null",
        shown "coalesce(" "::text, 'null')");
    Ok(())
}

fn floats(c: &mut HostConnection, t: &mut Vec<RoundTrip>) -> Result<(), Failure> {
    round_trip!(c, t, "float4: NaN", Float, f32, f32::NAN => "NaN", key |f| f.to_bits());
    round_trip!(c, t, "float4: infinity", Float, f32, f32::INFINITY => "Infinity", key |f| f.to_bits());
    round_trip!(c, t, "float4: -infinity", Float, f32, f32::NEG_INFINITY => "-Infinity", key |f| f.to_bits());
    round_trip!(c, t, "float4: least step", Float, f32, f32::MIN_POSITIVE => "1.1754944e-38", key |f| f.to_bits());
    round_trip!(c, t, "float8: NaN", Double, f64, f64::NAN => "NaN", key |f| f.to_bits());
    round_trip!(c, t, "float8: infinity", Double, f64, f64::INFINITY => "Infinity", key |f| f.to_bits());
    round_trip!(c, t, "float8: -infinity", Double, f64, f64::NEG_INFINITY => "-Infinity", key |f| f.to_bits());
    round_trip!(c, t, "float8: -0", Double, f64, -0.0 => "-0", key |f| f.to_bits());
    round_trip!(c, t, "float8: greatest", Double, f64, f64::MAX => "1.7976931348623157e+308", key |f| f.to_bits());
    Ok(())
}

fn numerics(c: &mut HostConnection, t: &mut Vec<RoundTrip>) -> Result<(), Failure> {
    for (text, digits) in [
        ("12345678901234567890123456789012345678901234567890", "50 digits"),
        ("-0.00000000000000000000000000000000000012345", "far behind the point"),
        ("99999999999999999999999999999999.9999999999999999999999999999", "60 digits"),
        ("0", "zero"),
        ("10000", "a whole group"),
    ] {
        let value: BigDecimal = text.parse().map_err(|_| invalid("numeric", text))?;
        let before = t.len();
        round_trip!(c, t, "numeric: ", Numeric, BigDecimal, value => text);
        for trip in t.iter_mut().skip(before) {
            trip.name.push_str(digits);
        }
    }
    round_trip!(c, t, "numeric: NaN", Numeric, PgNumeric, PgNumeric::NaN => "NaN");
    Ok(())
}

fn texts(c: &mut HostConnection, t: &mut Vec<RoundTrip>) -> Result<(), Failure> {
    round_trip!(c, t, "text: empty", Text, String, String::new() => "");
    round_trip!(c, t, "text: beyond ASCII", Text, String, "größe 漢字 🎓".to_owned() => "größe 漢字 🎓");
    round_trip!(c, t, "varchar", Text, String, "abc".to_owned() => "abc", cast "::varchar(5)");
    round_trip!(c, t, "bpchar: padded", Text, String, "ab   ".to_owned() => "ab",
        cast "::character(5)");
    round_trip!(c, t, "\"char\"", CChar, u8, b'x' => "x");
    round_trip!(c, t, "bytea: all bytes", Binary, Vec<u8>, (0..=255).collect() => hex_of_all());
    round_trip!(c, t, "bytea: empty", Binary, Vec<u8>, Vec::new() => "\\x");
    Ok(())
}

fn hex_of_all() -> String {
    (0..=255_u8).fold("\\x".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

fn documents(c: &mut HostConnection, t: &mut Vec<RoundTrip>) -> Result<(), Failure> {
    let value = serde_json::json!({"b": [1, null, "x"], "a": 1.5});
    round_trip!(c, t, "json", JsonType, serde_json::Value, value.clone()
        => r#"{"b":[1,null,"x"],"a":1.5}"#);
    round_trip!(c, t, "jsonb", Jsonb, serde_json::Value, value => r#"{"a": 1.5, "b": [1, null, "x"]}"#,
        key |json| json.get("b").map(ToString::to_string));
    // Numbers that no float holds stay exact.
    let exact = r#"{"n": 12345678901234567890123456789.000000000000000001}"#;
    round_trip!(c, t, "jsonb: text", Jsonb, Json, Json(exact.to_owned()) => exact);
    let spaced = r#"{ "n" :  1e2 }"#;
    round_trip!(c, t, "json: text", JsonType, Json, Json(spaced.to_owned()) => spaced);
    Ok(())
}

fn identifiers(c: &mut HostConnection, t: &mut Vec<RoundTrip>) -> Result<(), Failure> {
    let uuid = Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
    round_trip!(c, t, "uuid", UuidType, Uuid, uuid => "01234567-89ab-cdef-0123-456789abcdef");
    round_trip!(c, t, "inet: v4", Inet, Network, network("192.168.7.9", 24)? => "192.168.7.9/24");
    round_trip!(c, t, "inet: v6", Inet, Network, network("2001:db8::1", 128)?
        => "2001:db8::1/128");
    round_trip!(c, t, "cidr: v4", Cidr, Network, network("10.0.0.0", 8)? => "10.0.0.0/8");
    round_trip!(c, t, "cidr: v6", Cidr, Network, network("2001:db8::", 32)? => "2001:db8::/32");
    round_trip!(c, t, "macaddr", MacAddr, [u8; 6], [8, 0, 43, 1, 2, 255] => "08:00:2b:01:02:ff");
    round_trip!(c, t, "macaddr8", MacAddr8, [u8; 8], [8, 0, 43, 1, 2, 3, 4, 255]
        => "08:00:2b:01:02:03:04:ff");
    round_trip!(c, t, "money", Money, PgMoney, PgMoney(-123) => "-1.23",
        shown "" "::numeric::text");
    round_trip!(c, t, "pg_lsn", PgLsnType, PgLsn, PgLsn(0x16_B374_D848) => "16/B374D848");
    Ok(())
}

fn network(address: &str, prefix: u8) -> Result<Network, Failure> {
    let parsed = address.parse().map_err(|_| invalid("network", address))?;
    Network::new(parsed, prefix).map_err(|error| invalid("network", error.to_string()))
}
