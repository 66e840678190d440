//! Gives back what it gets.

use crate::Component;
use crate::bindings::avenire::types::values::{Json, Timestamp};
use crate::bindings::exports::test::hostile::echoes::{Guest, Label, Parts, Scalars};

impl Guest for Component {
    fn echo_scalars(value: Scalars) -> Scalars {
        value
    }

    fn echo_parts(value: Parts) -> Parts {
        value
    }

    fn echo_two(first_value: String, second_value: Option<u32>) -> (String, Option<u32>) {
        (first_value, second_value)
    }

    fn echo_list(values: Vec<u64>) -> Vec<u64> {
        values
    }

    fn echo_outcome(outcome: Result<Parts, Label>) -> Result<Parts, Label> {
        outcome
    }

    fn echo_bare_outcome(outcome: Result<(), ()>) -> Result<(), ()> {
        outcome
    }

    fn nothing() {}

    fn timestamp_of(unix_micros: i64) -> Timestamp {
        Timestamp { unix_micros }
    }

    fn micros_of(at: Timestamp) -> i64 {
        at.unix_micros
    }

    fn json_of(text: String) -> Json {
        Json { json_text: text }
    }

    fn text_of(document: Json) -> String {
        document.json_text
    }
}
