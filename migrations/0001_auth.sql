-- Who the users are and how they prove it.

create table users (
    id text not null default gen_random_uuid()::text,
    name text not null,
    email text not null,
    email_verified boolean not null default false,
    image text,
    username text,
    display_username text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint users_pkey primary key (id),
    constraint users_id_check check (length(id) between 1 and 255),
    constraint users_email_check check (length(email) between 3 and 320 and position('@' in email) > 1),
    constraint users_username_check check (length(username) between 1 and 255)
);

-- An e-mail address or a username is one, however it is capitalised.
create unique index users_email_key on users (lower(email));
create unique index users_username_key on users (lower(username));

create table accounts (
    id text not null default gen_random_uuid()::text,
    user_id text not null,
    provider_id text not null,
    account_id text not null,
    access_token text,
    refresh_token text,
    id_token text,
    access_token_expires_at timestamptz,
    refresh_token_expires_at timestamptz,
    scope text,
    password_hash text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint accounts_pkey primary key (id),
    constraint accounts_id_check check (length(id) between 1 and 255),
    constraint accounts_provider_key unique (provider_id, account_id),
    constraint accounts_user_id_fkey foreign key (user_id) references users (id) on delete cascade,
    constraint accounts_password_check check (password_hash is null or provider_id = 'credential')
);

create index accounts_user_id_idx on accounts (user_id);
create unique index accounts_credential_key on accounts (user_id) where provider_id = 'credential';

create table email_verifications (
    id text not null default gen_random_uuid()::text,
    identifier text not null,
    value text not null,
    expires_at timestamptz not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint email_verifications_pkey primary key (id),
    constraint email_verifications_id_check check (length(id) between 1 and 255)
);

create index email_verifications_identifier_idx on email_verifications (identifier, created_at desc);
create index email_verifications_expires_at_idx on email_verifications (expires_at);

create table passkeys (
    id text not null default gen_random_uuid()::text,
    user_id text not null,
    name text,
    public_key text not null,
    credential_id text not null,
    counter bigint not null default 0,
    device_type text not null,
    backed_up boolean not null,
    transports text[] not null default '{}',
    aaguid uuid,
    created_at timestamptz not null default now(),
    constraint passkeys_pkey primary key (id),
    constraint passkeys_id_check check (length(id) between 1 and 255),
    constraint passkeys_credential_id_key unique (credential_id),
    constraint passkeys_user_id_fkey foreign key (user_id) references users (id) on delete cascade,
    -- WebAuthn's signature counter is a 32-bit unsigned integer.
    constraint passkeys_counter_check check (counter between 0 and 4294967295),
    constraint passkeys_device_type_check check (device_type in ('single-device', 'multi-device'))
);

create index passkeys_user_id_idx on passkeys (user_id);
