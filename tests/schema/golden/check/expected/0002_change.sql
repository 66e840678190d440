alter table chat add constraint chat_title_check check ((length(title) >= 1) and (length(title) <= 200)) not valid;
