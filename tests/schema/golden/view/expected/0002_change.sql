-- hazard: breaks-callers: rights on it have to be granted anew
drop materialized view busiest;

-- hazard: breaks-callers: rights on it have to be granted anew
drop view owners;

create view owners as
 select chat.owner,
    count(*) as chats,
    count(chat.title) as titled
   from public.chat
  group by chat.owner;

-- hazard: blocks-reads-and-writes: its query is run, readers wait
create materialized view busiest as
 select owners.owner
   from public.owners
  order by owners.titled desc
 limit 10;
create index busiest_owner_idx on busiest (owner);
