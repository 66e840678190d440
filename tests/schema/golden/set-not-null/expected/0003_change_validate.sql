-- hazard: may-fail: rows that exist may have nulls
alter table chat validate constraint chat_title_is_set;
