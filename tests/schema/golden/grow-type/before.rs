//! The schema before the change.

avenire_macros::schema! {
    table chat {
        id: bigint generated always as identity,
        code: varchar(40),
        price: numeric(10, 2),

        primary key chat_pkey (id),
    }
}
