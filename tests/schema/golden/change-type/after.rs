//! The schema after the change.

avenire_macros::schema! {
    table chat {
        id: bigint generated always as identity,
        owner: text,
        size: bigint,
        parts: bigint = 0,
        code: varchar(80),

        primary key chat_pkey (id),
    }
}
