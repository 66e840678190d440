//! What turns a library into a component: the macros for bindings and exports, and what
//! happens before the first call. Never: does anything on other targets than wasm, so
//! that a component's own tests run natively.

use crate::bindings::avenire::database::diagnostics;

/// Generates the Rust side of a contract in the module it stands in, with the types of
/// `avenire:database` and `avenire:types` taken from the SDK.
///
/// ```text
/// mod bindings {
///     avenire_sdk::contract!("avenire:chat/chat@0.1.0" in ["../../wit/database/v0.1", …]);
/// }
/// ```
///
/// The folders are relative to the crate's and must hold the contract's package and both
/// of the SDK's. The world is named with its version; it must include
/// `avenire:database/imports` and `avenire:types/shared`, so that everything that is taken
/// from the SDK is in it.
#[macro_export]
macro_rules! contract {
    ($world:literal in [$($folder:literal),+ $(,)?]) => {
        ::avenire_sdk::wit_bindgen::generate!({
            path: [$($folder),+],
            world: $world,
            generate_all,
            with: {
                "avenire:database/types@0.1.0": ::avenire_sdk::bindings::avenire::database::types,
                "avenire:database/sql@0.1.0": ::avenire_sdk::bindings::avenire::database::sql,
                "avenire:database/diagnostics@0.1.0":
                    ::avenire_sdk::bindings::avenire::database::diagnostics,
                "avenire:types/values@0.1.0": ::avenire_sdk::bindings::avenire::types::values,
                "avenire:types/failures@0.1.0": ::avenire_sdk::bindings::avenire::types::failures,
            },
            runtime_path: "::avenire_sdk::wit_bindgen::rt",
            pub_export_macro: false,
        });
    };
}

/// Exports a type that implements the contract's `Guest` traits as the component.
///
/// ```text
/// avenire_sdk::export!(Component in bindings);
/// ```
#[macro_export]
macro_rules! export {
    ($component:ident in $bindings:ident) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
    $bindings::export!($component with_types_in $bindings);

            #[used]
            #[unsafe(link_section = ".init_array")]
            static BEFORE_THE_FIRST_CALL: extern "C" fn() = $crate::component::start;
        };
    };
}

/// Runs once in each instance, before its first call: makes a panic tell the host why.
#[doc(hidden)]
pub extern "C" fn start() {
    std::panic::set_hook(Box::new(|panic| diagnostics::panicked(&panic.to_string())));
}
