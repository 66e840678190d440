//! The schema after the change.

avenire_macros::schema! {
    table chat {
        id: bigint generated always as identity,
        code: varchar(80),
        price: numeric(12, 2),

        primary key chat_pkey (id),
    }
}
