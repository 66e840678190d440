-- hazard: may-fail: rows that exist may violate it
alter table chat validate constraint chat_title_check;
