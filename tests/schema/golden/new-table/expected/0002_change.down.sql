-- hazard: deletes-data: the table and what is in it are gone
drop table chat;
