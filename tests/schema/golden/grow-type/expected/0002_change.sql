alter table chat
    alter column code type character varying(80),
    alter column price type numeric(12,2);
