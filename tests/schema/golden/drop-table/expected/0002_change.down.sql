-- hazard: irreversible: what was in the table does not come back
create table chat (
    id bigint generated always as identity,
    title text,
    owner text not null,
    constraint chat_pkey primary key (id)
);
create index chat_owner_idx on chat (owner);
