create table chat (
    id bigint generated always as identity,
    title text not null default 'New chat'::text,
    owner text not null,
    created_at timestamp with time zone not null default now(),
    constraint chat_pkey primary key (id)
);
create index chat_owner_idx on chat (owner);
comment on table chat is 'conversations';

alter table chat add constraint chat_owner_fkey foreign key (owner) references public.users(id) on delete cascade;
