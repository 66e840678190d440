//! Reads the names of what the model has no place for, so that nobody believes it was carried.

use super::IntrospectError;
use super::reader::{Reader, own};
use crate::catalog::LeftOut;

/// What is in a schema.
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
    own!("pg_operator", "o.oid"),
    "
union all
select 'operator class', format('%I.%I using %I', n.nspname, o.opcname, m.amname)
from pg_opclass o join pg_namespace n on n.oid = o.opcnamespace join pg_am m on m.oid = o.opcmethod
where n.oid = any ({schemas}) and ",
    own!("pg_opclass", "o.oid"),
    "
union all
select 'operator family', format('%I.%I using %I', n.nspname, o.opfname, m.amname)
from pg_opfamily o join pg_namespace n on n.oid = o.opfnamespace join pg_am m on m.oid = o.opfmethod
where n.oid = any ({schemas}) and ",
    own!("pg_opfamily", "o.oid"),
    "
union all
select 'text search configuration', format('%I.%I', n.nspname, o.cfgname)
from pg_ts_config o join pg_namespace n on n.oid = o.cfgnamespace
where n.oid = any ({schemas}) and ",
    own!("pg_ts_config", "o.oid"),
    "
union all
select 'text search dictionary', format('%I.%I', n.nspname, o.dictname)
from pg_ts_dict o join pg_namespace n on n.oid = o.dictnamespace
where n.oid = any ({schemas}) and ",
    own!("pg_ts_dict", "o.oid"),
    "
union all
select 'text search parser', format('%I.%I', n.nspname, o.prsname)
from pg_ts_parser o join pg_namespace n on n.oid = o.prsnamespace
where n.oid = any ({schemas}) and ",
    own!("pg_ts_parser", "o.oid"),
    "
union all
select 'text search template', format('%I.%I', n.nspname, o.tmplname)
from pg_ts_template o join pg_namespace n on n.oid = o.tmplnamespace
where n.oid = any ({schemas}) and ",
    own!("pg_ts_template", "o.oid"),
    "
union all
select 'conversion', format('%I.%I', n.nspname, o.conname)
from pg_conversion o join pg_namespace n on n.oid = o.connamespace
where n.oid = any ({schemas}) and ",
    own!("pg_conversion", "o.oid")
);

/// What belongs to a table or view, each with the words for it.
const OF_RELATIONS: &str = concat!(
    "
select kind, name from (
    select c.*, c.oid as relation, format('%I.%I', n.nspname, c.relname) as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.oid = any ({schemas}) and c.relkind in ('r', 'p', 'v', 'm', 'S', 'i', 'I') and ",
    own!("pg_class", "c.oid"),
    "
) c
cross join lateral (
    select 'grants on a table' as kind where c.relacl is not null and exists (
        select from aclexplode(c.relacl) g where g.grantee <> c.relowner
    )
    union all
    select 'grants on columns' where exists (
        select from pg_attribute a where a.attrelid = c.oid and a.attacl is not null
    )
    union all
    select 'tablespace' where c.reltablespace <> 0
    union all
    select 'table access method' where c.relkind = 'r' and exists (
        select from pg_am m where m.oid = c.relam and m.amname <> 'heap'
    )
    union all
    select 'type of a typed table' where c.reloftype <> 0
    union all
    select 'replica identity' where c.relkind in ('r', 'p') and c.relreplident <> 'd'
    union all
    select 'clustering' where c.relkind in ('r', 'm') and exists (
        select from pg_index i where i.indrelid = c.oid and i.indisclustered
    )
    union all
    select 'column statistics, options or compression' where c.relkind in ('r', 'p', 'm') and exists (
        select from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
            and (a.attoptions is not null or a.attstattarget >= 0 or {compressed})
    )
    union all
    select 'comments on columns of a view' where c.relkind in ('v', 'm') and exists (
        select from pg_description d
        where d.classoid = 'pg_class'::regclass and d.objoid = c.oid and d.objsubid > 0
    )
    union all
    select 'defaults of a view''s columns' where c.relkind = 'v' and exists (
        select from pg_attrdef d where d.adrelid = c.oid
    )
    union all
    select 'disabled rule' where exists (
        select from pg_rewrite r where r.ev_class = c.oid and r.ev_enabled <> 'O'
    )
    union all
    select 'storage parameters of a constraint''s index' where c.relkind in ('i', 'I')
        and c.reloptions is not null and exists (
            select from pg_constraint k where k.conindid = c.oid and k.contype in ('p', 'u', 'x')
        )
) found"
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

/// What belongs to the database.
const OF_DATABASE: &str = concat!(
    "
select 'event trigger' as kind, quote_ident(o.evtname) as name from pg_event_trigger o where ",
    own!("pg_event_trigger", "o.oid"),
    "
union all
select 'publication', quote_ident(o.pubname) from pg_publication o where ",
    own!("pg_publication", "o.oid"),
    "
union all
select 'subscription', quote_ident(o.subname) from pg_subscription o
where o.subdbid = (select d.oid from pg_database d where d.datname = current_database())
union all
select 'foreign-data wrapper', quote_ident(o.fdwname) from pg_foreign_data_wrapper o where ",
    own!("pg_foreign_data_wrapper", "o.oid"),
    "
union all
select 'foreign server', quote_ident(o.srvname) from pg_foreign_server o where ",
    own!("pg_foreign_server", "o.oid"),
    "
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
select 'language', quote_ident(o.lanname) from pg_language o where o.oid >= 16384 and ",
    own!("pg_language", "o.oid"),
    "
union all
select 'transform', format('for %s language %I', format_type(o.trftype, null), l.lanname)
from pg_transform o join pg_language l on l.oid = o.trflang where ",
    own!("pg_transform", "o.oid"),
    "
union all
select 'access method', quote_ident(o.amname) from pg_am o where o.oid >= 16384 and ",
    own!("pg_am", "o.oid")
);

/// A not-null constraint that was never checked, which is no constraint to the model.
const NOT_NULL: &str = "
select 'not-null constraint that is not valid', format('%I on %I.%I', c.conname, n.nspname, t.relname)
from pg_constraint c join pg_class t on t.oid = c.conrelid
join pg_namespace n on n.oid = t.relnamespace
where c.contype = 'n' and not c.convalidated and n.oid = any ({schemas})";

pub(super) async fn read(reader: &Reader<'_>) -> Result<Vec<LeftOut>, IntrospectError> {
    let compressed = reader.since(140_000, "a.attcompression <> ''", "false");
    let of_relations = OF_RELATIONS.replace("{compressed}", compressed);
    let mut parts = vec![IN_SCHEMAS, &of_relations, OF_OTHERS];
    if reader.all {
        parts.push(OF_DATABASE);
    }
    if reader.version() >= 180_000 {
        parts.push(NOT_NULL);
    }
    let mut found: Vec<LeftOut> =
        reader.rows("what is left out", &parts.join("\nunion all\n")).await?;
    found.sort();
    found.dedup();
    Ok(found)
}
