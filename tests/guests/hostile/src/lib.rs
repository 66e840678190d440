//! A component that misbehaves in every way the tests can think of, and that runs
//! statements as the tests ask. Written against the bindings themselves, so that
//! handles can be misused. Never part of what users get.

mod attacks;
mod echoes;
mod packed;
mod script;
mod statements;

#[expect(clippy::same_length_and_capacity, reason = "generated code takes lists from the host")]
mod bindings {
    //! The Rust side of `wit/hostile.wit`. Generated.

    wit_bindgen::generate!({
        path: ["../../../wit/database/v0.1", "../../../wit/types/v0.1", "wit"],
        world: "test:hostile/hostile",
        generate_all,
    });
}

#[cfg(target_family = "wasm")]
#[expect(unsafe_code, reason = "the generated entry points take raw pointers from the host")]
mod exports {
    //! The entry points. Generated.

    use crate::{Component, bindings};

    bindings::export!(Component with_types_in bindings);
}

/// The component. Each interface stands in the file of its name.
struct Component;
