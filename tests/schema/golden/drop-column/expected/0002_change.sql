-- hazard: deletes-data: the column and what is in it are gone
alter table chat drop column title;
