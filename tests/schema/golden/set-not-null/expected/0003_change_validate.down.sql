alter table chat
    drop constraint chat_title_is_set,
    add constraint chat_title_is_set check (title is not null) not valid;
