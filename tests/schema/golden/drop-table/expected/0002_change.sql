-- hazard: deletes-data: the table and what is in it are gone
-- hazard: breaks-callers: who reads or writes it fails
drop table chat;
