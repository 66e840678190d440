//! The settings component: implements `avenire:settings/queries`. Owns the statements on
//! the table `user_settings`. Never: touches another table, authenticates anybody.

mod settings;

mod bindings {
    #![expect(clippy::same_length_and_capacity, reason = "generated")]

    avenire_sdk::contract!("avenire:settings/settings@0.1.0" in [
        "../../wit/database/v0.1", "../../wit/types/v0.1", "../../wit/settings/v0.1",
    ]);
}

use avenire_sdk::Checks;
use avenire_sdk::wit::Failure;
use bindings::exports::avenire::settings::queries::{Changes, Guest, Settings};

/// The component.
struct Component;

impl Guest for Component {
    fn get_settings(user_id: String) -> Result<Settings, Failure> {
        settings::get_settings(user_id)
    }

    fn update_settings(user_id: String, changes: Changes) -> Result<Settings, Failure> {
        settings::update_settings(&user_id, changes)
    }
}

/// Settings can be read; those of nobody are none.
fn self_test(checks: &mut Checks) {
    checks.check("settings can be read", || settings::get_settings("self-test".to_owned()));
}

avenire_sdk::export!(Component in bindings);
avenire_sdk::self_test!(self_test);
avenire_sdk::describe!(avenire_sdk::schema::user_settings::DESCRIPTION);
