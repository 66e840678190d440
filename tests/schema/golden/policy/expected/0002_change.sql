-- hazard: breaks-callers: who is not the owner sees only what policies allow
alter table chat enable row level security;

create policy own on chat
    using (owner = current_setting('app.user'::text))
    with check (owner = current_setting('app.user'::text));
