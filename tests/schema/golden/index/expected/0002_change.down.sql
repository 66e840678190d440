-- avenire: no-transaction

drop index concurrently if exists chat_title_idx;

drop index concurrently if exists chat_owner_idx;
