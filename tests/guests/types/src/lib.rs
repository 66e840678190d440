//! The component behind the tests of types and of the SDK: it binds, shows and loads
//! values of every type, and tries what the SDK claims. Never: used outside of tests.

mod claims;
mod containers;
mod custom;
mod dates;
mod round_trip;
mod scalars;

mod bindings {
    #![expect(clippy::same_length_and_capacity, reason = "generated")]

    avenire_sdk::contract!("avenire:types-test/types-test@0.1.0" in [
        "../../../wit/database/v0.1", "../../../wit/types/v0.1", "wit",
    ]);
}

use avenire_sdk::{database, wit::Failure};
use bindings::exports::avenire::types_test::checks::{Claim, Guest, RoundTrip};

struct Component;

impl Guest for Component {
    fn round_trips() -> Result<Vec<RoundTrip>, Failure> {
        let mut connection = database();
        let mut trips = Vec::new();
        scalars::try_all(&mut connection, &mut trips)?;
        dates::try_all(&mut connection, &mut trips)?;
        containers::try_all(&mut connection, &mut trips)?;
        custom::try_all(&mut connection, &mut trips)?;
        Ok(trips)
    }

    fn claims() -> Result<Vec<Claim>, Failure> {
        claims::try_all(&mut database())
    }

    fn panic(message: String) {
        panic!("{message}");
    }
}

avenire_sdk::export!(Component in bindings);
