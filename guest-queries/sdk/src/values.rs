//! Column values and the contracts' values are the same things in two type systems. Owns
//! their conversion.

use avenire_tables::{Json, Timestamp};

use crate::bindings::avenire::types::values;

impl From<Timestamp> for values::Timestamp {
    fn from(timestamp: Timestamp) -> Self {
        Self { unix_micros: timestamp.unix_micros() }
    }
}

impl From<values::Timestamp> for Timestamp {
    fn from(timestamp: values::Timestamp) -> Self {
        Self::from_unix_micros(timestamp.unix_micros)
    }
}

impl From<Json> for values::Json {
    fn from(json: Json) -> Self {
        Self { json_text: json.0 }
    }
}

impl From<values::Json> for Json {
    fn from(json: values::Json) -> Self {
        Self(json.json_text)
    }
}
