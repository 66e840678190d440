//! The schema after the change.

avenire_macros::schema! {
    table chat {
        id: bigint generated always as identity,
        title: text?,
        owner: text,

        primary key chat_pkey (id),
        check chat_title_check "length(title) between 1 and 200",
    }
}
