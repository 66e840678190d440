-- hazard: rewrites-table: all rows are written anew, nobody reads or writes
-- hazard: breaks-callers: readers and writers see another type
alter table chat
    alter column code type character varying(80),
    alter column parts type bigint,
    alter column size type bigint;
