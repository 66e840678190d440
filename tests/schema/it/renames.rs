//! Renames as Postgres carries them out, there and back.

use avenire_postgres::Session;
use avenire_schema::catalog::{Catalog, QName, Scope, introspect};
use avenire_schema::check;
use avenire_schema::renames::{Answer, Answers, Part, Relation, Rename, implied, questions};

use crate::{with, with_both};

/// One of everything that can be renamed, in a schema that has to be quoted.
const BEFORE: &str = r#"
    create schema "Old";
    create type "Old".mood as enum ('ok', 'sad');
    create type "Old".pair as (a integer, b text);
    create domain "Old".short as text constraint short_check check (length(value) < 9);
    create sequence "Old".counter;
    create table "Old".chat (
        id bigint constraint chat_pkey primary key,
        title "Old".short,
        mood "Old".mood default 'sad',
        "order" integer constraint chat_order_check check ("order" > 0)
    );
    create index chat_title_idx on "Old".chat (title);
    create view "Old".titles as select title from "Old".chat;
    create materialized view "Old".moods as select mood from "Old".chat;
    create function "Old".nothing() returns trigger language plpgsql as 'begin return new; end';
    create trigger touch before insert on "Old".chat for each row execute function "Old".nothing();
    create policy own on "Old".chat using (id = 1);
"#;

/// All names, so that a rename that missed shows.
const NAMES: &str = "
    select string_agg(name, ' ' order by name) from (
        select c.oid::regclass::text as name from pg_class c
            where relnamespace::regnamespace::text ~* 'old|new|public' and relkind <> 'c'
        union all select attrelid::regclass || '.' || attname from pg_attribute
            where attrelid::regclass::text ~* 'chat|talk' and attnum > 0
        union all select t.oid::regtype::text from pg_type t where typtype in ('d', 'e')
            and typnamespace::regnamespace::text ~* 'old|new|public'
        union all select t.oid::regtype::text from pg_type t join pg_class c on c.oid = typrelid
            where relkind = 'c' and typnamespace::regnamespace::text ~* 'old|new|public'
        union all select enumlabel from pg_enum
        union all select conname from pg_constraint
            where connamespace::regnamespace::text ~* 'old|new|public'
        union all select tgname from pg_trigger
        union all select polname from pg_policy
    ) as names";

fn new(name: &str) -> QName {
    QName::new("New", name)
}

fn relation(kind: Relation, from: &str, to: QName) -> Rename {
    Rename::Relation { kind, from: new(from), to }
}

fn part(kind: Part, of: QName, from: &str, to: &str) -> Rename {
    Rename::Part { kind, of, from: from.into(), to: to.into() }
}

fn everything() -> Vec<Rename> {
    let talk = || QName::new("public", "Talk");
    vec![
        Rename::Schema { from: "Old".into(), to: "New".into() },
        relation(Relation::Type, "mood", new("feeling")),
        relation(Relation::Type, "pair", new("couple")),
        relation(Relation::Domain, "short", QName::new("public", "brief")),
        relation(Relation::Sequence, "counter", new("Counter")),
        relation(Relation::Table, "chat", talk()),
        relation(Relation::View, "titles", new("names")),
        relation(Relation::MaterializedView, "moods", QName::new("public", "feelings")),
        part(Part::Column, talk(), "order", "from"),
        part(Part::Value, new("feeling"), "sad", "it's \\ bad"),
        part(Part::Constraint, talk(), "chat_order_check", "Talk_check"),
        part(Part::DomainConstraint, QName::new("public", "brief"), "short_check", "brief_check"),
        part(Part::Index, talk(), "chat_title_idx", "Talk_title"),
        part(Part::Trigger, talk(), "touch", "Touch"),
        part(Part::Policy, talk(), "own", "select"),
    ]
}

#[test]
fn every_kind_of_thing_is_renamed_and_gets_its_name_back() {
    with(async |server| {
        let database = server.database().await.unwrap();
        let session = database.session().await.unwrap();
        session.batch(BEFORE).await.unwrap();
        let names = async || -> Vec<String> {
            let rows = session.rows(NAMES, &[]).await.unwrap();
            rows[0].get::<_, String>(0).split(' ').map(str::to_owned).collect()
        };
        let before = names().await;
        let renames = everything();
        for (done, rename) in renames.iter().enumerate() {
            let was = names().await;
            session
                .batch(&rename.up())
                .await
                .unwrap_or_else(|error| panic!("{rename:?} {error:?}"));
            assert_ne!(names().await, was, "{done}: {rename:?}");
        }
        for rename in renames.iter().rev() {
            let down = rename.down();
            session.batch(&down).await.unwrap_or_else(|error| panic!("{rename:?} {error:?}"));
        }
        assert_eq!(names().await, before);
    });
}

/// The same schema under other names.
const FORMER: &str = "
    create type mood as enum ('ok', 'sad');
    create table users (id bigint generated always as identity primary key);
    create table chat (
        id serial,
        user_id bigint not null,
        \"Title\" text,
        mood mood default 'sad',
        constraint chat_pkey primary key (id),
        constraint chat_user_id_fkey foreign key (user_id) references users (id),
        constraint chat_title_check check (length(\"Title\") < 9)
    );
    create index chat_title_idx on chat (\"Title\", lower(\"Title\") desc) where mood = 'sad';
    create view titles as select \"Title\" as title from chat where mood <> 'sad';
    create function touched() returns trigger language plpgsql as 'begin return new; end';
    create trigger chat_touch before update on chat for each row execute function touched();
    create policy chat_own on chat using (user_id = 1);";

/// `FORMER` as its author would write it now.
fn now() -> String {
    let renamed = [
        ("create table chat (", "create table talk ("),
        (" on chat ", " on talk "),
        ("from chat ", "from talk "),
        ("chat_", "talk_"),
        ("talk_title_", "talk_name_"),
        ("\"Title\"", "name"),
        ("name as title", "name as title"),
        ("'sad'", "'unhappy'"),
        ("mood mood", "mood feeling"),
        ("create type mood", "create type feeling"),
    ];
    renamed.iter().fold(FORMER.to_owned(), |sql, (old, new)| sql.replace(old, new))
}

async fn read(session: &Session) -> Catalog {
    introspect(session, &Scope::All).await.unwrap().catalog
}

async fn carry_out(session: &Session, renames: &[Rename]) {
    for rename in renames {
        session.batch(&rename.up()).await.unwrap_or_else(|error| panic!("{rename:?} {error:?}"));
    }
}

#[test]
fn two_rounds_of_renames_lead_to_the_catalog_that_was_asked_for() {
    with_both(async |server| {
        let (here, there) = (server.database().await.unwrap(), server.database().await.unwrap());
        there.run(&now()).await.unwrap();
        let wanted = read(&there.session().await.unwrap()).await;
        let session = here.session().await.unwrap();
        session.batch(FORMER).await.unwrap();
        let former = read(&session).await;
        // The likeliest answer to each question, until there is none.
        let mut answers = Answers::default();
        let renames = loop {
            match questions(&former, &wanted, &answers) {
                Ok(renames) => break renames,
                Err(asked) => {
                    assert!(asked.unmatched.is_empty(), "{asked}");
                    asked
                        .questions
                        .iter()
                        .for_each(|one| answers.add(one.choices[0].answer.clone()));
                }
            }
        };
        assert_eq!(renames.len(), 4, "{renames:?}");
        carry_out(&session, &renames).await;
        let followers = implied(&read(&session).await, &wanted);
        assert!(
            !followers.is_empty()
                && followers
                    .iter()
                    .all(|one| !one.breaks_callers() || matches!(one, Rename::Relation { .. }))
        );
        carry_out(&session, &followers).await;
        assert_eq!(read(&session).await, wanted);
        assert!(implied(&read(&session).await, &wanted).is_empty());
        let useless = Answer::drop("table:chat").unwrap();
        let mut answers = Answers::default();
        answers.add(useless);
        assert!(questions(&wanted, &wanted, &answers).is_err());
    });
}

#[test]
fn a_catalog_as_postgres_describes_it_is_checked() {
    with_both(async |server| {
        let database = server.database().await.unwrap();
        let session = database.session().await.unwrap();
        session
            .batch(
                "create table a (\"user\" text, b integer, primary key (\"user\", b));
                 create table c (\"user\" text, b integer, d integer, e integer primary key,
                     constraint one foreign key (b, \"user\") references a (b, \"user\"),
                     constraint two foreign key (d, \"user\") references a (b, \"user\"));
                 create index good on c (b desc nulls last, \"user\" collate \"C\" text_pattern_ops);
                 create index twin on c (e);
                 create index part on c (d, \"user\") where e > 1;
                 create table f (g integer);
                 alter table f add constraint h check (g > 0) not valid;",
            )
            .await
            .unwrap_or_else(|error| panic!("{error:?}"));
        let found = check::catalog(&read(&session).await);
        let found: Vec<String> = found.iter().map(|one| format!("{one}; {:?}", one.help)).collect();
        assert_eq!(found.len(), 4, "{found:#?}");
        for (line, words) in found.iter().zip([
            ["public.c", "`twin`", "duplicate-index", "drop"],
            ["public.c", "`two`", "foreign-key-without-index", "(d, \\\"user\\\")"],
            ["public.f", "primary key", "missing-primary-key", ""],
            ["public.f", "`h`", "constraint-not-validated", "validate constraint h"],
        ]) {
            let other = words.iter().find(|word| !line.contains(**word));
            assert_eq!(other, None, "{found:#?}");
        }
    });
}
