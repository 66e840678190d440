-- hazard: rewrites-table: all rows are written anew, nobody reads or writes
-- hazard: may-fail: values that exist may not fit
-- hazard: breaks-callers: readers and writers see another type
alter table chat
    alter column code type character varying(40),
    alter column parts type integer,
    alter column size type integer;
