//! The schema after the change.

avenire_macros::schema! {
    table conversation {
        id: bigint generated always as identity,
        name: text?,
        owner: text,

        primary key conversation_pkey (id),
        check conversation_name_check "length(name) < 200",
        index conversation_owner_idx (owner),
    }

    view titles {
        id: bigint?,
        title: text?,
        query "select id, name as title from conversation",
    }
}
