-- hazard: breaks-callers: the former name is gone
alter table chat rename to conversation;
-- hazard: breaks-callers: the former name is gone
alter table conversation rename column title to name;
alter table conversation rename constraint chat_title_check to conversation_name_check;
alter table conversation rename constraint chat_pkey to conversation_pkey;
alter index chat_owner_idx rename to conversation_owner_idx;
