alter table chat add column archived boolean not null default false;

alter table chat add column note text;

alter table chat add column tags text[] not null default '{}'::text[];
