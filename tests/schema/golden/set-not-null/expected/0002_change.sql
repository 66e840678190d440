-- hazard: breaks-callers: writers that leave it out fail
alter table chat add constraint chat_title_is_set check (title is not null) not valid;
