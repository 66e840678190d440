drop materialized view busiest;

drop view owners;

create view owners as
 select chat.owner,
    count(*) as chats
   from public.chat
  group by chat.owner;

create materialized view busiest as
 select owners.owner
   from public.owners
  order by owners.chats desc
 limit 10;
create index busiest_owner_idx on busiest (owner);
