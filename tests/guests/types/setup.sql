-- What the component of this folder needs, beside `all` on the table.
create type mood as enum ('sad', 'ok', 'happy');
create type place as (floor integer, label text);
create domain positive as integer check (value > 0);
create table scratch (
    id integer not null constraint scratch_pkey primary key,
    note text not null constraint scratch_note_check check (note <> ''),
    parent integer constraint scratch_parent_fkey references scratch (id)
);
