-- Conversations and what was said in them.

create table chat (
    id text not null default gen_random_uuid()::text,
    user_id text not null,
    title text not null,
    visibility text not null default 'private',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint chat_pkey primary key (id),
    constraint chat_id_check check (length(id) between 1 and 255),
    constraint chat_user_id_fkey foreign key (user_id) references users (id) on delete cascade,
    constraint chat_visibility_check check (visibility in ('private', 'public'))
);

-- Serves the list of a user's chats, newest first, from any position.
create index chat_user_id_created_at_idx on chat (user_id, created_at desc, id desc);

create table message (
    id text not null default gen_random_uuid()::text,
    chat_id text not null,
    role text not null,
    parts jsonb not null,
    attachments jsonb not null default '[]',
    created_at timestamptz not null default now(),
    constraint message_pkey primary key (id),
    constraint message_id_check check (length(id) between 1 and 255),
    constraint message_chat_id_fkey foreign key (chat_id) references chat (id) on delete cascade,
    constraint message_role_check check (role in ('user', 'assistant', 'system', 'tool', 'data'))
);

-- Serves the messages of a chat, oldest first, from any position.
create index message_chat_id_created_at_idx on message (chat_id, created_at, id);
