//! The schema toolkit as users run it: `generate`, `migrate`, `rollback`, `push`, `pull`, `check`,
//! `verify`, `baseline`, `mark`. What the library does underneath is tested in `tests/schema`.

mod complaints;
mod complaints_of_queries;
mod fit;
mod refusals;
mod tour;

/// Two tables that most tests begin with.
const CHAT: &str = "
    table users {
        id: text,
        name: text,
        primary key (id),
    }
    table chat {
        id: text,
        user_id: text,
        title: text,
        primary key (id),
        foreign key (user_id) references users (id) on delete cascade,
        index (user_id),
    }";
