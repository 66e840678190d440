alter table chat drop constraint chat_title_is_set;
