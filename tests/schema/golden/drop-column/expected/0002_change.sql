-- hazard: deletes-data: the column and what is in it are gone
-- hazard: breaks-callers: who reads or writes it fails
alter table chat drop column title;
