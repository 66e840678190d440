-- avenire: no-transaction

-- hazard: may-fail: rows that exist may be twins
create unique index concurrently chat_title_key on chat (owner, title);
