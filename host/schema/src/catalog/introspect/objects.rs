//! Reads what is carried as it is: functions, aggregates, range types, collations, statistics, rules.

use serde::Deserialize;

use super::IntrospectError;
use super::reader::{Reader, class, own};
use crate::catalog::{Id, Object, ObjectKind};

/// All kinds in one query. `what` is how `drop` and `comment on` name the object. Postgres prints
/// functions, statistics and rules itself; the rest is put together from its parts.
const OBJECTS: &str = concat!(
    "
select o.*, comment.description as comment from (
    ",
    // Functions and procedures, without the constructors of range types.
    "
    select 'pg_proc'::regclass::oid::int8 as class, p.oid::int8, 'function' as kind,
        format('%I.%I(%s)', n.nspname, p.proname, array_to_string(array(
            select format_type(t, null) from unnest(p.proargtypes) with ordinality a (t, position)
            order by position
        ), ', ')) as name,
        pg_get_functiondef(p.oid) as \"create\",
        format(
            '%s %I.%I(%s)', case p.prokind when 'p' then 'procedure' else 'function' end,
            n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)
        ) as what
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where p.prokind in ('f', 'p', 'w') and p.pronamespace = any ({schemas})
        and not exists (
            select from pg_depend i
            where i.classid = 'pg_proc'::regclass and i.objid = p.oid and i.deptype = 'i'
        ) and ",
    own!("pg_proc", "p.oid"),
    "
    union all
    select 'pg_proc'::regclass::oid::int8, p.oid::int8, 'aggregate',
        format('%I.%I(%s)', n.nspname, p.proname, array_to_string(array(
            select format_type(t, null) from unnest(p.proargtypes) with ordinality a (t, position)
            order by position
        ), ', ')),
        format(
            E'create aggregate %I.%I(%s) (\\n    %s\\n)', n.nspname, p.proname,
            coalesce(nullif(pg_get_function_arguments(p.oid), ''), '*'),
            concat_ws(
                E',\\n    ', 'sfunc = ' || a.aggtransfn,
                'stype = ' || format_type(a.aggtranstype, null),
                'sspace = ' || nullif(a.aggtransspace, 0),
                case when a.aggfinalfn <> 0 then 'finalfunc = ' || a.aggfinalfn end,
                case when a.aggfinalextra then 'finalfunc_extra' end,
                case when a.aggfinalfn <> 0 then 'finalfunc_modify = ' || case a.aggfinalmodify
                    when 'r' then 'read_only' when 's' then 'shareable' else 'read_write' end end,
                case when a.aggcombinefn <> 0 then 'combinefunc = ' || a.aggcombinefn end,
                case when a.aggserialfn <> 0 then 'serialfunc = ' || a.aggserialfn end,
                case when a.aggdeserialfn <> 0 then 'deserialfunc = ' || a.aggdeserialfn end,
                'initcond = ' || quote_literal(a.agginitval),
                case when a.aggmtransfn <> 0 then 'msfunc = ' || a.aggmtransfn end,
                case when a.aggminvtransfn <> 0 then 'minvfunc = ' || a.aggminvtransfn end,
                case when a.aggmtranstype <> 0
                    then 'mstype = ' || format_type(a.aggmtranstype, null) end,
                'msspace = ' || nullif(a.aggmtransspace, 0),
                case when a.aggmfinalfn <> 0 then 'mfinalfunc = ' || a.aggmfinalfn end,
                case when a.aggmfinalextra then 'mfinalfunc_extra' end,
                case when a.aggmfinalfn <> 0 then 'mfinalfunc_modify = ' || case a.aggmfinalmodify
                    when 'r' then 'read_only' when 's' then 'shareable' else 'read_write' end end,
                'minitcond = ' || quote_literal(a.aggminitval),
                (
                    select format('sortop = operator(%I.%s)', sn.nspname, s.oprname)
                    from pg_operator s join pg_namespace sn on sn.oid = s.oprnamespace
                    where s.oid = a.aggsortop
                ),
                case p.proparallel when 's' then 'parallel = safe'
                    when 'r' then 'parallel = restricted' end,
                case when a.aggkind = 'h' then 'hypothetical' end
            )
        ),
        format(
            'aggregate %I.%I(%s)', n.nspname, p.proname,
            coalesce(nullif(pg_get_function_identity_arguments(p.oid), ''), '*')
        )
    from pg_aggregate a
    join pg_proc p on p.oid = a.aggfnoid
    join pg_namespace n on n.oid = p.pronamespace
    where p.pronamespace = any ({schemas}) and ",
    own!("pg_proc", "p.oid"),
    "
    union all
    select 'pg_type'::regclass::oid::int8, t.oid::int8, 'range',
        format('%I.%I', n.nspname, t.typname),
        format(
            E'create type %I.%I as range (\\n    %s\\n)', n.nspname, t.typname,
            concat_ws(
                E',\\n    ', 'subtype = ' || format_type(r.rngsubtype, null),
                (
                    select format('subtype_opclass = %I.%I', cn.nspname, c.opcname)
                    from pg_opclass c join pg_namespace cn on cn.oid = c.opcnamespace
                    where c.oid = r.rngsubopc and not c.opcdefault
                ),
                (
                    select format('collation = %I.%I', cn.nspname, c.collname)
                    from pg_collation c join pg_namespace cn on cn.oid = c.collnamespace
                    where c.oid = r.rngcollation and c.oid <> s.typcollation
                ),
                case when r.rngsubdiff <> 0 then 'subtype_diff = ' || r.rngsubdiff end,
                (
                    select format('multirange_type_name = %I.%I', mn.nspname, m.typname)
                    from pg_type m join pg_namespace mn on mn.oid = m.typnamespace
                    where m.oid = (to_jsonb(r) ->> 'rngmultitypid')::oid
                )
            )
        ),
        format('type %I.%I', n.nspname, t.typname)
    from pg_range r
    join pg_type t on t.oid = r.rngtypid
    join pg_type s on s.oid = r.rngsubtype
    join pg_namespace n on n.oid = t.typnamespace
    where r.rngcanonical = 0 and t.typnamespace = any ({schemas}) and ",
    own!("pg_type", "t.oid"),
    // The names of a collation's columns have changed twice; those that are not there are null.
    "
    union all
    select 'pg_collation'::regclass::oid::int8, c.oid::int8, 'collation',
        format('%I.%I', n.nspname, c.collname),
        format(
            'create collation %I.%I (%s)', n.nspname, c.collname,
            concat_ws(
                ', ',
                case c.collprovider when 'i' then 'provider = icu' when 'c' then 'provider = libc'
                    when 'b' then 'provider = builtin' end,
                case when c.collprovider = 'c'
                    then format('lc_collate = %L, lc_ctype = %L', c.collcollate, c.collctype)
                    else format('locale = %L', coalesce(
                        j.fields ->> 'colllocale', j.fields ->> 'colliculocale', c.collcollate
                    ))
                end,
                case when not c.collisdeterministic then 'deterministic = false' end,
                'rules = ' || quote_literal(j.fields ->> 'collicurules')
            )
        ),
        format('collation %I.%I', n.nspname, c.collname)
    from pg_collation c
    join pg_namespace n on n.oid = c.collnamespace
    cross join lateral (select to_jsonb(c) as fields) j
    where c.collnamespace = any ({schemas}) and ",
    own!("pg_collation", "c.oid"),
    "
    union all
    select 'pg_statistic_ext'::regclass::oid::int8, s.oid::int8, 'statistics',
        format('%I.%I', n.nspname, s.stxname), pg_get_statisticsobjdef(s.oid),
        format('statistics %I.%I', n.nspname, s.stxname)
    from pg_statistic_ext s join pg_namespace n on n.oid = s.stxnamespace
    where s.stxnamespace = any ({schemas}) and ",
    own!("pg_statistic_ext", "s.oid"),
    "
    union all
    select 'pg_rewrite'::regclass::oid::int8, r.oid::int8, 'rule',
        format('%I.%I.%I', n.nspname, t.relname, r.rulename), pg_get_ruledef(r.oid),
        format('rule %I on %I.%I', r.rulename, n.nspname, t.relname)
    from pg_rewrite r
    join pg_class t on t.oid = r.ev_class
    join pg_namespace n on n.oid = t.relnamespace
    where r.rulename <> '_RETURN' and t.relnamespace = any ({schemas}) and ",
    own!("pg_class", "t.oid"),
    "
) o
left join pg_description comment
    on comment.classoid = o.class and comment.objoid = o.oid and comment.objsubid = 0"
);

#[derive(Deserialize)]
struct Row {
    class: i64,
    oid: i64,
    kind: ObjectKind,
    name: String,
    create: String,
    what: String,
    comment: Option<String>,
}

pub(super) async fn read(reader: &mut Reader<'_>) -> Result<(), IntrospectError> {
    for row in reader.rows::<Row>("functions and the like", OBJECTS).await? {
        let Row { class, oid, kind, name, create, what, comment } = row;
        debug_assert!(
            [class::FUNCTION, class::TYPE, class::COLLATION, class::STATISTICS, class::REWRITE]
                .contains(&class)
        );
        reader.know(class, oid, Id::Object(kind, name.clone()));
        let object = Object {
            create: create.trim().trim_end_matches(';').trim_end().to_owned(),
            drop: format!("drop {what}"),
            comment: comment.map(|comment| (comment, what)),
        };
        reader.catalog.objects.entry(kind).or_default().insert(name, object);
    }
    Ok(())
}
