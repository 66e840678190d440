//! The schema before the change.

avenire_macros::schema! {
    table users {
        id: text,
        email: text,

        primary key users_pkey (id),
    }
}
