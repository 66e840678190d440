//! The schema before the change.

avenire_macros::schema! {
    table chat {
        id: bigint generated always as identity,
        owner: text,
        size: integer,
        parts: integer = 0,
        code: varchar(40),

        primary key chat_pkey (id),
    }
}
