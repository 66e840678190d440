-- hazard: rewrites-table: all rows of the tables that use it are written anew
-- hazard: may-fail: values that exist may be none of the new type
-- hazard: breaks-callers: who uses what it no longer has fails
alter type mood rename to mood_old;
create type mood as enum ('sad', 'happy');
alter table chat
    alter column mood drop default,
    alter column mood type public.mood using mood::text::public.mood,
    alter column mood set default 'happy'::public.mood;
drop type mood_old;
