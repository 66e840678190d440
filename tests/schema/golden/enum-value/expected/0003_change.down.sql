alter table chat alter column mood drop default;
