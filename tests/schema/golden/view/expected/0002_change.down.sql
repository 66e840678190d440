-- hazard: breaks-callers: rights on it have to be granted anew
drop materialized view busiest;

-- hazard: breaks-callers: rights on it have to be granted anew, and who reads titled finds it gone or of another type
drop view owners;

create view owners as
 select chat.owner,
    count(*) as chats
   from public.chat
  group by chat.owner;

-- hazard: blocks-reads-and-writes: its query is run, readers wait
create materialized view busiest as
 select owners.owner
   from public.owners
  order by owners.chats desc
 limit 10;
create index busiest_owner_idx on busiest (owner);
