//! The Rust side of `avenire:database` and `avenire:types`, generated once, here, so that
//! all contracts share these types. Never: anything written by hand.
#![expect(clippy::same_length_and_capacity, reason = "generated")]

wit_bindgen::generate!({
    path: ["../../wit/database/v0.1", "../../wit/types/v0.1"],
    inline: "
        package avenire:sdk@0.1.0;

        world sdk {
            include avenire:database/imports@0.1.0;
            import avenire:types/values@0.1.0;
            import avenire:types/failures@0.1.0;
        }
    ",
    world: "avenire:sdk/sdk",
    generate_all,
    generate_unused_types: true,
});
