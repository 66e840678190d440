alter table chat drop constraint chat_owner_fkey;
