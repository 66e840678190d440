alter table chat drop constraint chat_title_check;
