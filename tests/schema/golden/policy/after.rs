//! The schema after the change.

avenire_macros::schema! {
    table chat {
        id: bigint generated always as identity,
        title: text?,
        owner: text,

        primary key chat_pkey (id),
        policy own for all to public using "owner = current_setting('app.user')" with check "owner = current_setting('app.user')",
        enable row level security,
    }
}
