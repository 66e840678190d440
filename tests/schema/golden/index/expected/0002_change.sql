-- avenire: no-transaction

create index concurrently chat_owner_idx on chat (owner);

create index concurrently chat_title_idx on chat (lower(title)) where (title is not null);
