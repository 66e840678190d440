//! The schema after the change.

avenire_macros::schema! {
    table chat {
        id: bigint generated always as identity,
        title: text?,
        owner: text,

        primary key chat_pkey (id),
        unique chat_title_key (owner, title),
    }
}
