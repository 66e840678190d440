//! The schema before the change.

avenire_macros::schema! {
    table chat {
        id: bigint generated always as identity,
        title: text?,
        owner: text,

        primary key chat_pkey (id),
        check chat_title_check "length(title) < 200",
        index chat_owner_idx (owner),
    }

    view titles {
        id: bigint?,
        title: text?,
        query "select id, title from chat",
    }
}
