-- hazard: rewrites-table: all rows are written anew, nobody reads or writes
-- hazard: may-fail: values that exist may not fit
alter table chat
    alter column code type character varying(40),
    alter column price type numeric(10,2);
