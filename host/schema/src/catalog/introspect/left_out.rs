//! Reads the names of what the model has no place for, so that nobody believes it was carried.

use super::IntrospectError;
use super::reader::{Reader, own};
use crate::catalog::LeftOut;
use crate::catalog::name::literal;

/// What has a name in a schema: what it is called here, its catalog, and what the names of the
/// catalog's columns begin with.
const NAMED: &[(&str, &str, &str)] = &[
    ("conversion", "pg_conversion", "con"),
    ("text search configuration", "pg_ts_config", "cfg"),
    ("text search dictionary", "pg_ts_dict", "dict"),
    ("text search parser", "pg_ts_parser", "prs"),
    ("text search template", "pg_ts_template", "tmpl"),
];

const ONE_NAMED: &str = concat!(
    "
select '{kind}' as kind, format('%I.%I', n.nspname, o.{prefix}name) as name
from {class} o join pg_namespace n on n.oid = o.{prefix}namespace
where n.oid = any ({schemas}) and ",
    own!("{class}", "o.oid")
);

/// The same for what belongs to an access method as well.
const OF_METHODS: &[(&str, &str, &str)] =
    &[("operator class", "pg_opclass", "opc"), ("operator family", "pg_opfamily", "opf")];

const ONE_OF_METHODS: &str = concat!(
    "
select '{kind}' as kind, format('%I.%I using %I', n.nspname, o.{prefix}name, m.amname) as name
from {class} o join pg_namespace n on n.oid = o.{prefix}namespace
join pg_am m on m.oid = o.{prefix}method
where n.oid = any ({schemas}) and ",
    own!("{class}", "o.oid")
);

/// The same for what belongs to the database, apart from what it came with.
const OF_DATABASES: &[(&str, &str, &str)] = &[
    ("access method", "pg_am", "am"),
    ("event trigger", "pg_event_trigger", "evt"),
    ("foreign server", "pg_foreign_server", "srv"),
    ("foreign-data wrapper", "pg_foreign_data_wrapper", "fdw"),
    ("language", "pg_language", "lan"),
    ("publication", "pg_publication", "pub"),
];

const ONE_OF_DATABASES: &str = concat!(
    "
select '{kind}' as kind, quote_ident(o.{prefix}name) as name from {class} o
where o.oid >= 16384 and ",
    own!("{class}", "o.oid")
);

/// What else is in a schema.
const IN_SCHEMAS: &str = concat!(
    "
select 'foreign table' as kind, format('%I.%I', n.nspname, c.relname) as name
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'f' and n.oid = any ({schemas}) and ",
    own!("pg_class", "c.oid"),
    "
union all
select case when t.typtype = 'p' then 'shell type' else 'base type' end,
    format('%I.%I', n.nspname, t.typname)
from pg_type t join pg_namespace n on n.oid = t.typnamespace
where (t.typtype = 'p' or (t.typtype = 'b' and t.typelem = 0)) and n.oid = any ({schemas}) and ",
    own!("pg_type", "t.oid"),
    "
union all
select 'range type with a canonical function', format('%I.%I', n.nspname, t.typname)
from pg_range r join pg_type t on t.oid = r.rngtypid join pg_namespace n on n.oid = t.typnamespace
where r.rngcanonical <> 0 and n.oid = any ({schemas}) and ",
    own!("pg_type", "t.oid"),
    "
union all
select 'operator', o.oid::regoperator::text from pg_operator o
where o.oprnamespace = any ({schemas}) and ",
    own!("pg_operator", "o.oid")
);

/// What a relation `c` may have: what it is called here, and when it has it.
const OF_RELATIONS: &[(&str, &str)] = &[
    (
        "grants on a table",
        "c.relacl is not null and exists (select from aclexplode(c.relacl) g \
         where g.grantee <> c.relowner)",
    ),
    (
        "grants on columns",
        "exists (select from pg_attribute a where a.attrelid = c.oid \
         and a.attacl is not null)",
    ),
    ("tablespace", "c.reltablespace <> 0"),
    (
        "table access method",
        "c.relkind = 'r' and exists (select from pg_am m where m.oid = c.relam \
         and m.amname <> 'heap')",
    ),
    ("type of a typed table", "c.reloftype <> 0"),
    ("replica identity", "c.relkind in ('r', 'p') and c.relreplident <> 'd'"),
    (
        "clustering",
        "c.relkind in ('r', 'm') and exists (select from pg_index i \
         where i.indrelid = c.oid and i.indisclustered)",
    ),
    (
        "column statistics, options or compression",
        "c.relkind in ('r', 'p', 'm') and exists (select from pg_attribute a \
         where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped \
         and (a.attoptions is not null or a.attstattarget >= 0 or {compressed}))",
    ),
    (
        "comments on columns of a view",
        "c.relkind in ('v', 'm') and exists (select from pg_description d \
         where d.classoid = 'pg_class'::regclass and d.objoid = c.oid and d.objsubid > 0)",
    ),
    (
        "defaults of a view's columns",
        "c.relkind = 'v' and exists (select from pg_attrdef d where d.adrelid = c.oid)",
    ),
    (
        "disabled rule",
        "exists (select from pg_rewrite r where r.ev_class = c.oid \
         and r.ev_enabled <> 'O')",
    ),
    (
        "storage parameters of a constraint's index",
        "c.relkind in ('i', 'I') and c.reloptions is not null \
         and exists (select from pg_constraint k where k.conindid = c.oid and k.contype in ('p', 'u', 'x'))",
    ),
];

/// All relations once, and beside each what it has.
const RELATIONS: &str = concat!(
    "
select kind, name from (
    select c.*, c.oid as relation, format('%I.%I', n.nspname, c.relname) as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.oid = any ({schemas}) and c.relkind in ('r', 'p', 'v', 'm', 'S', 'i', 'I') and ",
    own!("pg_class", "c.oid"),
    "
) c
cross join lateral ({has}) found"
);

/// Grants on what is no table, and comments that have no place.
const OF_OTHERS: &str = concat!(
    "
select 'grants on a schema' as kind, quote_ident(n.nspname) as name from pg_namespace n
where n.oid = any ({schemas}) and n.nspacl is not null
    and exists (select from aclexplode(n.nspacl) g where g.grantee <> n.nspowner)
    and not exists (
        select from pg_init_privs i where i.classoid = 'pg_namespace'::regclass
            and i.objoid = n.oid and i.initprivs = n.nspacl
    )
union all
select 'grants on a function', p.oid::regprocedure::text from pg_proc p
where p.pronamespace = any ({schemas}) and p.proacl is not null and ",
    own!("pg_proc", "p.oid"),
    "
union all
select 'grants on a type', format('%I.%I', n.nspname, t.typname)
from pg_type t join pg_namespace n on n.oid = t.typnamespace
where n.oid = any ({schemas}) and t.typacl is not null and ",
    own!("pg_type", "t.oid"),
    "
union all
select 'comment on a domain''s constraint', format('%I of %s', c.conname, format_type(t.oid, null))
from pg_constraint c join pg_type t on t.oid = c.contypid
where t.typnamespace = any ({schemas}) and exists (
    select from pg_description d
    where d.classoid = 'pg_constraint'::regclass and d.objoid = c.oid
)
union all
select 'security label', l.provider || ': ' || l.objtype || ' ' || l.objname from pg_seclabels l
where l.objnamespace = any ({schemas}) or l.objnamespace is null
union all
select 'default privileges', format('of %I%s', pg_get_userbyid(d.defaclrole),
    coalesce(' in ' || quote_ident(n.nspname), ''))
from pg_default_acl d left join pg_namespace n on n.oid = d.defaclnamespace
where n.oid = any ({schemas}) or d.defaclnamespace = 0"
);

/// What else belongs to the database.
const OF_DATABASE: &str = concat!(
    "
select 'subscription' as kind, quote_ident(o.subname) as name from pg_subscription o
where o.subdbid = (select d.oid from pg_database d where d.datname = current_database())
union all
select 'user mapping', format('%I on %I', o.usename, o.srvname) from pg_user_mappings o
union all
select 'cast', format('%s as %s', format_type(o.castsource, null), format_type(o.casttarget, null))
from pg_cast o
where o.oid >= 16384 and not exists (
    select from pg_depend i
    where i.classid = 'pg_cast'::regclass and i.objid = o.oid and i.deptype = 'i'
) and ",
    own!("pg_cast", "o.oid"),
    "
union all
select 'transform', format('for %s language %I', format_type(o.trftype, null), l.lanname)
from pg_transform o join pg_language l on l.oid = o.trflang where ",
    own!("pg_transform", "o.oid")
);

/// A not-null constraint that was never checked, which is no constraint to the model.
const NOT_NULL: &str = "
select 'not-null constraint that is not valid', format('%I on %I.%I', c.conname, n.nspname, t.relname)
from pg_constraint c join pg_class t on t.oid = c.conrelid
join pg_namespace n on n.oid = t.relnamespace
where c.contype = 'n' and not c.convalidated and n.oid = any ({schemas})";

pub(super) async fn read(reader: &Reader<'_>) -> Result<Vec<LeftOut>, IntrospectError> {
    let mut parts = vec![IN_SCHEMAS.to_owned(), OF_OTHERS.to_owned()];
    parts.extend(named(NAMED, ONE_NAMED));
    parts.extend(named(OF_METHODS, ONE_OF_METHODS));
    parts.push(of_relations(reader));
    if reader.all {
        parts.push(OF_DATABASE.to_owned());
        parts.extend(named(OF_DATABASES, ONE_OF_DATABASES));
    }
    if reader.version() >= 180_000 {
        parts.push(NOT_NULL.to_owned());
    }
    let mut found: Vec<LeftOut> =
        reader.rows("what is left out", &parts.join("\nunion all\n")).await?;
    found.sort();
    found.dedup();
    Ok(found)
}

fn named(all: &[(&str, &str, &str)], query: &str) -> impl Iterator<Item = String> {
    all.iter().map(|(kind, class, prefix)| {
        query.replace("{kind}", kind).replace("{class}", class).replace("{prefix}", prefix)
    })
}

fn of_relations(reader: &Reader<'_>) -> String {
    let compressed = reader.since(140_000, "a.attcompression <> ''", "false");
    let has = OF_RELATIONS.iter().map(|(kind, condition)| {
        let condition = condition.replace("{compressed}", compressed);
        format!("select {} as kind where {condition}", literal(kind))
    });
    RELATIONS.replace("{has}", &has.collect::<Vec<_>>().join(" union all "))
}
