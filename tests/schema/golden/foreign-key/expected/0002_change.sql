alter table chat add constraint chat_owner_fkey foreign key (owner) references public.users(id) on delete cascade not valid;
