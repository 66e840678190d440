alter table chat
    drop constraint chat_title_check,
    add constraint chat_title_check check ((length(title) >= 1) and (length(title) <= 200)) not valid;
