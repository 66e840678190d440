//! The schema before the change.

avenire_macros::schema! {
    enum mood { sad, ok }
    table chat {
        id: bigint generated always as identity,
        mood: mood,

        primary key chat_pkey (id),
    }
}
