//! The schema after the change.

avenire_macros::schema! {
    enum mood { sad, happy }
    table chat {
        id: bigint generated always as identity,
        mood: mood = "'happy'",

        primary key chat_pkey (id),
    }
}
