//! The schema before the change.

avenire_macros::schema! {
    table users {
        id: text,
        email: text,

        primary key users_pkey (id),
    }

    table chat {
        id: bigint generated always as identity,
        title: text?,
        owner: text,

        primary key chat_pkey (id),
    }
}
