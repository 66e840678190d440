//! Reading a catalog.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use avenire_postgres::Session;
use avenire_schema::catalog::{
    Catalog, ConstraintKind, Id, Introspected, ObjectKind, QName, Scope, introspect,
};
use avenire_schema_tests::{Counted, Server, golden};

use crate::{with, with_18, with_both};

/// A bit of everything.
const RICH: &str = include_str!("../fixtures/rich.sql");

async fn read(server: &Server, sql: &str) -> Introspected {
    let database = server.database().await.unwrap();
    database.run(sql).await.unwrap();
    introspect(&database.session().await.unwrap(), &Scope::All).await.unwrap()
}

fn name(text: &str) -> QName {
    text.parse().unwrap()
}

/// What depends on the server's version, and not on the schema.
fn leave_out_versions(catalog: &mut Catalog) {
    for extension in catalog.extensions.values_mut() {
        assert!(extension.version.starts_with("1."), "{extension:?}");
        extension.version = "1".into();
    }
    // From Postgres 16 on, columns of a single table are printed without its name.
    for view in ["public.easy", "public.totals"] {
        let definition = &mut catalog.views.get_mut(&name(view)).unwrap().definition;
        *definition = definition.replace("users.id", "id").replace("users.notes", "notes");
        *definition = definition.replace("posts.user_id", "user_id");
    }
}

#[test]
fn everything_the_model_knows_is_read_alike_on_both_versions() {
    with_both(async |server| {
        let mut catalog = read(server, RICH).await.catalog;
        leave_out_versions(&mut catalog);
        let text = serde_json::to_string_pretty(&catalog).unwrap() + "\n";
        golden("rich.json", &text);
    });
}

#[test]
fn a_snapshot_reads_back_as_what_it_was_written_from() {
    with_both(async |server| {
        let catalog = read(server, RICH).await.catalog;
        let text = serde_json::to_string(&catalog).unwrap();
        let back: Catalog = serde_json::from_str(&text).unwrap();
        assert_eq!(back, catalog);
        assert_eq!(serde_json::to_string(&back).unwrap(), text);
    });
}

#[test]
fn the_same_schema_reads_the_same_wherever_and_whenever_it_was_made() {
    with(async |server| {
        let first = read(server, RICH).await;
        let database = server.database().await.unwrap();
        let session = database.session().await.unwrap();
        // Neither other oids nor the session's settings show.
        session.batch("create table gone (a integer); drop table gone").await.unwrap();
        session.batch(RICH).await.unwrap();
        let settings = "set timezone = 'Asia/Tokyo'; set datestyle = 'German'; \
                        set intervalstyle = 'iso_8601'; set search_path = app, public; \
                        set quote_all_identifiers = on";
        session.batch(settings).await.unwrap();
        let second = introspect(&session, &Scope::All).await.unwrap();
        assert_eq!(first.catalog, second.catalog);
        assert_eq!(first.needs, second.needs);
        assert_eq!(first.left_out, second.left_out);
    });
}

#[test]
fn what_has_no_place_is_named() {
    with_both(async |server| {
        let sql = format!(
            "{RICH}
            create foreign data wrapper far;
            create server away foreign data wrapper far;
            create foreign table app.distant (a integer) server away;
            create publication news for table parents;
            create cast (app.point3 as text) with inout;
            alter default privileges in schema app grant select on tables to public;
            alter table only parents alter column a set statistics 7;
            comment on column app.authors.id is 'of the user';
            cluster events_2024 using events_2024_pkey;
            create domain small as integer constraint small_check check (value < 10);
            comment on constraint small_check on domain small is 'small';
            create function watch() returns event_trigger language plpgsql as 'begin end';
            create event trigger watch on ddl_command_end execute function watch();
            grant usage on schema app to pg_monitor;
            revoke execute on function app.touch() from public"
        );
        let found: Vec<String> = read(server, &sql)
            .await
            .left_out
            .iter()
            .map(|one| format!("{}: {}", one.kind, one.name))
            .collect();
        let expected = [
            "cast: app.point3 as text",
            "clustering: public.events_2024",
            "column statistics, options or compression: public.parents",
            "comment on a domain's constraint: small_check of public.small",
            "comments on columns of a view: app.authors",
            "default privileges: of postgres in app",
            "event trigger: watch",
            "foreign server: away",
            "foreign table: app.distant",
            "foreign-data wrapper: far",
            "grants on a function: app.touch()",
            "grants on a schema: app",
            "grants on a table: public.users",
            "operator: public.===(integer,integer)",
            "publication: news",
            "replica identity: public.users",
            "text search configuration: app.plain",
        ];
        assert_eq!(found, expected);
    });
}

#[test]
fn an_empty_database_has_the_schema_public_and_nothing_else() {
    with_both(async |server| {
        let found = read(server, "select 1").await;
        assert_eq!(found.catalog.schemas.keys().collect::<Vec<_>>(), ["public"]);
        let rest = Catalog { schemas: found.catalog.schemas.clone(), ..Catalog::default() };
        assert_eq!(found.catalog, rest);
        assert_eq!(found.catalog.schemas["public"].comment, None);
        assert_eq!(found.left_out, []);
        assert!(found.needs.is_empty(), "{:?}", found.needs);
    });
}

#[test]
fn only_the_schemas_asked_for_are_read() {
    with(async |server| {
        let database = server.database().await.unwrap();
        database.run(RICH).await.unwrap();
        database.run("create schema _avenire; create schema drizzle").await.unwrap();
        let session = database.session().await.unwrap();
        let all = introspect(&session, &Scope::All).await.unwrap().catalog;
        assert_eq!(all.schemas.keys().collect::<Vec<_>>(), ["Odd Schema", "app", "public"]);
        let scope = Scope::Schemas(vec!["app".into(), "nowhere".into()]);
        let found = introspect(&session, &scope).await.unwrap();
        assert_eq!(found.catalog.schemas.keys().collect::<Vec<_>>(), ["app"]);
        assert_eq!(found.catalog.tables.keys().collect::<Vec<_>>(), [&name("app.posts")]);
        assert!(found.catalog.extensions.is_empty());
        assert!(found.left_out.iter().all(|one| one.name.contains("app")), "{:?}", found.left_out);
    });
}

#[test]
fn what_an_object_needs_is_known() {
    with_both(async |server| {
        let needs = read(server, RICH).await.needs;
        let of = |id: &Id| needs.get(id).cloned().unwrap_or_default();
        let column = |table: &str, column: &str| Id::Column(name(table), column.into());
        let touch = Id::Object(ObjectKind::Function, "app.touch()".into());
        let trigger = of(&Id::Trigger(name("users"), "touch".into()));
        assert!(trigger.contains(&touch) && trigger.contains(&column("users", "notes")));
        assert_eq!(
            of(&column("app.posts", "id")),
            BTreeSet::from([Id::Sequence(name("app.posts_id_seq"))])
        );
        // Not the column that owns it: that would be a circle.
        assert_eq!(
            of(&Id::Sequence(name("app.posts_id_seq"))),
            BTreeSet::from([Id::Schema("app".into())])
        );
        assert_eq!(of(&column("users", "moods")), BTreeSet::from([Id::Type(name("mood"))]));
        let exclusion = of(&Id::Constraint(name("app.posts"), "posts_during_excl".into()));
        assert!(exclusion.contains(&Id::Extension("btree_gist".into())));
        let foreign = of(&Id::Constraint(name("app.posts"), "posts_user_id_fkey".into()));
        assert!(foreign.contains(&Id::Constraint(name("users"), "users_pkey".into())));
        let partitioned =
            Id::Constraint(name("event_notes"), "event_notes_event_id_event_at_fkey".into());
        assert!(!of(&partitioned).contains(&column("events_2024", "id")));
        let view = of(&Id::View(name("app.authors")));
        assert!(view.contains(&column("users", "Name")));
        assert!(of(&Id::Index(name("totals_idx"))).contains(&Id::View(name("totals"))));
        assert!(needs.iter().all(|(id, needed)| !needed.contains(id)));
    });
}

/// Each with a column of another table's row type, so that dependencies go across.
fn tables(count: usize) -> String {
    let table = |n: usize| {
        format!(
            "create table t{n} (id serial primary key, a text not null default 'x', b integer
                 check (b > 0), c integer references t{n}, d integer[], e text, f text, g text,
                 h timestamptz default now(), i numeric(5, 2), unique (a, b));
             create index on t{n} (e);
             create view v{n} as select id, a from t{n};"
        )
    };
    (0..count).map(table).collect()
}

async fn statements(server: &Server, sql: &str) -> usize {
    let database = server.database().await.unwrap();
    database.run(sql).await.unwrap();
    let counted = Counted::new(server, &database).unwrap();
    let deadline = Instant::now() + Duration::from_mins(1);
    let session = Session::connect(counted.endpoint(), deadline).await.unwrap();
    let before = counted.statements();
    introspect(&session, &Scope::All).await.unwrap();
    counted.statements() - before
}

#[test]
fn the_number_of_queries_does_not_depend_on_how_much_there_is() {
    with(async |server| {
        let few = statements(server, "select 1").await;
        let many = statements(server, &format!("{RICH}{}", tables(30))).await;
        assert_eq!(few, many);
        assert!((10..=20).contains(&few), "{few}");
    });
}

#[test]
fn the_session_is_left_as_it_was() {
    with(async |server| {
        let database = server.database().await.unwrap();
        let session = database.session().await.unwrap();
        session.batch("set timezone = 'Asia/Tokyo'").await.unwrap();
        introspect(&session, &Scope::All).await.unwrap();
        let settings = "select current_setting('timezone'), current_setting('search_path'),
            current_setting('transaction_read_only')";
        let row = session.rows(settings, &[]).await.unwrap().remove(0);
        assert_eq!(row.get::<_, &str>(0), "Asia/Tokyo");
        assert_eq!(row.get::<_, &str>(1), "\"$user\", public");
        assert_eq!(row.get::<_, &str>(2), "off");
    });
}

#[test]
fn a_role_that_may_read_nothing_reads_the_catalog() {
    with_both(async |server| {
        let database = server.database().await.unwrap();
        database.run(RICH).await.unwrap();
        let session = database.session().await.unwrap();
        let owner = introspect(&session, &Scope::All).await.unwrap();
        session.batch("set role pg_monitor").await.unwrap();
        let other = introspect(&session, &Scope::All).await.unwrap();
        assert_eq!(owner.catalog, other.catalog);
    });
}

#[test]
fn what_is_new_in_postgres_18_is_read() {
    with_18(async |server| {
        let found = read(
            server,
            "create extension btree_gist;
             create table t (
                 id integer, during daterange, a integer constraint a_given not null,
                 twice integer generated always as (a * 2) virtual,
                 primary key (id, during without overlaps),
                 constraint hope check (a > 0) not enforced,
                 constraint one unique nulls not distinct (a)
             );
             alter table t add constraint soon not null twice not valid;
             create table p (id bigint generated by default as identity, at date)
                 partition by range (at);
             create table p1 partition of p default",
        )
        .await;
        let table = &found.catalog.tables[&name("t")];
        assert_eq!(table.constraints.len(), 3, "{:?}", table.constraints.keys());
        let key = &table.constraints["t_pkey"];
        assert_eq!(key.definition, "PRIMARY KEY (id, during WITHOUT OVERLAPS)");
        let hope = &table.constraints["hope"];
        assert_eq!(hope.definition, "CHECK ((a > 0)) NOT ENFORCED");
        assert!(hope.validated, "there is nothing to validate");
        let one = &table.constraints["one"].kind;
        assert!(matches!(one, ConstraintKind::Unique { nulls_not_distinct: true, .. }));
        let twice = table.columns[3].generated.as_ref().unwrap();
        assert!(!twice.stored);
        assert_eq!(twice.expression, "a * 2");
        assert!(table.columns[2].not_null);
        let left_out: Vec<_> = found.left_out.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(left_out, ["soon on public.t"]);
        let parent = &found.catalog.tables[&name("p")].columns[0];
        assert!(parent.identity.as_ref().is_some_and(|identity| !identity.always));
        let partition = &found.catalog.tables[&name("p1")].columns[0];
        assert!(partition.identity.is_none() && partition.inherited);
    });
}

#[test]
fn an_invalid_index_and_nulls_that_are_the_same_are_told() {
    with(async |server| {
        let database = server.database().await.unwrap();
        database
            .run("create table t (a integer, b text); insert into t values (1, 'x'), (1, 'y')")
            .await
            .unwrap();
        let failed = database.run("create unique index concurrently broken on t (a)").await;
        assert!(failed.is_err());
        database.run("create unique index odd on t (b desc) nulls not distinct").await.unwrap();
        let session = database.session().await.unwrap();
        let found = introspect(&session, &Scope::All).await.unwrap().catalog;
        let indexes = &found.tables[&name("t")].indexes;
        assert!(!indexes["broken"].valid);
        assert!(indexes["odd"].valid && indexes["odd"].nulls_not_distinct);
        assert_eq!(indexes["odd"].keys, ["b DESC"]);
    });
}
