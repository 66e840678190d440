//! The schema before the change.

avenire_macros::schema! {
    table chat {
        id: bigint generated always as identity,
        title: text?,
        owner: text,

        primary key chat_pkey (id),
    }
}
