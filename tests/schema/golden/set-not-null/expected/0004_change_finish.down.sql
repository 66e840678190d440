alter table chat add constraint chat_title_is_set check (title is not null) not valid;
alter table chat alter column title drop not null;
