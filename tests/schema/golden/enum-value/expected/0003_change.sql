alter table chat alter column mood set default 'happy'::public.mood;
