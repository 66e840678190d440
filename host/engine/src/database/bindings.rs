//! What `wit/database` looks like in Rust. Generated; nothing else lives here.

wasmtime::component::bindgen!({
    path: ["../../wit/database/v0.1"],
    world: "avenire:database/imports",
    imports: {
        "avenire:database/diagnostics": trappable,
        "avenire:database/sql.[method]cursor.columns": trappable,
        default: async | trappable,
    },
    with: {
        "avenire:database/sql.cursor": super::cursor::CursorHandle,
        "avenire:database/sql.transaction": super::scope::TransactionHandle,
    },
    trappable_error_type: {
        "avenire:database/types.error" => super::Failure,
    },
    additional_derives: [PartialEq],
});

pub(super) use avenire::database::{diagnostics, sql, types};
