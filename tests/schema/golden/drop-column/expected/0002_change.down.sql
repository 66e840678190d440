-- hazard: irreversible: what was in the column does not come back
alter table chat add column title text;
