drop policy own on chat;

alter table chat disable row level security;
