//! The schema before the change.

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
        query "select owner, count(*) as chats from chat group by owner",
    }
    materialized view busiest {
        owner: text?,
        query "select owner from owners order by chats desc limit 10",
        index busiest_owner_idx (owner),
    }
}
