alter table chat alter column title set not null;
alter table chat drop constraint chat_title_is_set;
