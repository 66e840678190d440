//! The schema after the change.

avenire_macros::schema! {
    table chat {
        id: bigint generated always as identity,
        title: text?,
        owner: text,

        primary key chat_pkey (id),
    }

    view owners {
        owner: text?,
        chats: bigint?,
        titled: bigint?,
        query "select owner, count(*) as chats, count(title) as titled from chat group by owner",
    }
    materialized view busiest {
        owner: text?,
        query "select owner from owners order by titled desc limit 10",
        index busiest_owner_idx (owner),
    }
}
