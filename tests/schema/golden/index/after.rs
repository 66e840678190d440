//! The schema after the change.

avenire_macros::schema! {
    table chat {
        id: bigint generated always as identity,
        title: text?,
        owner: text,

        primary key chat_pkey (id),
        index chat_owner_idx (owner),
        index chat_title_idx ("lower(title)") where "title is not null",
    }
}
