//! The schema after the change.

avenire_macros::schema! {
    table users {
        id: text,
        email: text,

        primary key users_pkey (id),
    }

    table chat {
        id: bigint generated always as identity,
        title: text = "'New chat'",
        owner: text,
        created_at: timestamptz = "now()",

        primary key chat_pkey (id),
        foreign key chat_owner_fkey (owner) references users (id) on delete cascade,
        index chat_owner_idx (owner),
        comment "conversations",
    }
}
