alter index conversation_owner_idx rename to chat_owner_idx;
alter table conversation rename constraint conversation_pkey to chat_pkey;
alter table conversation rename constraint conversation_name_check to chat_title_check;
-- hazard: breaks-callers: the former name is gone
alter table conversation rename column name to title;
-- hazard: breaks-callers: the former name is gone
alter table conversation rename to chat;
