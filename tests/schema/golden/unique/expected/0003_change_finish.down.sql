-- hazard: blocks-writes: the constraint's index is built anew
alter table chat drop constraint chat_title_key;
create unique index chat_title_key on chat (owner, title);
