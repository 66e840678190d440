//! The schema before the change.

avenire_macros::schema! {
    enum mood { sad, ok, happy }
    table chat {
        id: bigint generated always as identity,
        mood: mood = "'ok'",

        primary key chat_pkey (id),
    }
}
