-- avenire: no-transaction

drop index concurrently if exists chat_title_key;
