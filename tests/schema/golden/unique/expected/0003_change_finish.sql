alter table chat add constraint chat_title_key unique using index chat_title_key;
