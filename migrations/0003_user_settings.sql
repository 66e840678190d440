-- How a user wants to be taught; one row a user, made together with the user.

create table user_settings (
    user_id text not null,
    model text not null default 'gemini-2-flash-lite',
    learning_style text not null default 'interactive',
    difficulty integer not null default 5,
    pacing boolean not null default true,
    email_notification boolean not null default false,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint user_settings_pkey primary key (user_id),
    constraint user_settings_user_id_fkey foreign key (user_id) references users (id) on delete cascade,
    constraint user_settings_difficulty_check check (difficulty between 1 and 10)
);
