-- hazard: may-fail: rows that exist may refer to nothing
alter table chat validate constraint chat_owner_fkey;
