//! What is asked, and what answers do.

use super::*;
use crate::catalog::{Column, Composite, Enum, QName, Sequence, SequenceOptions, Table, View};

fn table(columns: &[&str]) -> Table {
    let column = |name: &&str| Column {
        name: (*name).into(),
        data_type: if name.ends_with("_id") { "uuid" } else { "text" }.into(),
        ..Column::default()
    };
    Table { columns: columns.iter().map(column).collect(), ..Table::default() }
}

fn catalog(tables: &[(&str, &[&str])]) -> Catalog {
    let tables = tables.iter().map(|(name, columns)| (name.parse().unwrap(), table(columns)));
    Catalog { tables: tables.collect(), ..Catalog::default() }
}

fn with_values(values: &[&str]) -> Catalog {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    let mood = Enum { values, comment: None };
    Catalog { enums: [(QName::new("public", "mood"), mood)].into(), ..Catalog::default() }
}

fn answers(given: &[&str]) -> Answers {
    let mut answers = Answers::default();
    for text in given {
        let (flag, value) = text.split_once(' ').unwrap();
        answers.add(
            match flag {
                "--rename" => Answer::rename(value),
                "--drop" => Answer::drop(value),
                _ => Answer::create(value),
            }
            .unwrap(),
        );
    }
    answers
}

/// The SQL of the renames, or what is displayed instead.
fn ask(from: &Catalog, to: &Catalog, given: &[&str]) -> Result<Vec<String>, String> {
    let renames = questions(from, to, &answers(given)).map_err(|error| error.to_string())?;
    Ok(renames.iter().map(Rename::up).collect())
}

#[test]
fn nothing_is_asked_where_nothing_was_removed_or_nothing_was_created() {
    let (one, two) = (catalog(&[("chat", &["id"])]), catalog(&[("chat", &["id", "title"])]));
    assert_eq!(ask(&one, &two, &[]), Ok(vec![]));
    assert_eq!(ask(&two, &one, &[]), Ok(vec![]));
    assert_eq!(ask(&Catalog::default(), &one, &[]), Ok(vec![]));
    // Removed here and created there are not of one table.
    let from = catalog(&[("a", &["id", "x"]), ("b", &["id"])]);
    let to = catalog(&[("a", &["id"]), ("b", &["id", "x"])]);
    assert_eq!(ask(&from, &to, &[]), Ok(vec![]));
}

#[test]
fn a_question_lists_the_flags_that_answer_it_the_likeliest_first() {
    let from = catalog(&[("chat", &["id", "owner_id", "titel"])]);
    let to = catalog(&[("chat", &["id", "title"])]);
    let shown = "is the column chat.title new, or was it renamed?\n  \
                 --rename column:chat.titel=title     renamed from chat.titel\n  \
                 --rename column:chat.owner_id=title  renamed from chat.owner_id\n  \
                 --create column:chat.title           new";
    assert_eq!(ask(&from, &to, &[]), Err(shown.into()));
    let asked = questions(&from, &to, &Answers::default()).unwrap_err();
    let json = serde_json::to_value(&asked).unwrap();
    assert_eq!(json["questions"][0]["choices"][0]["answer"], "--rename column:chat.titel=title");
    assert_eq!(json["questions"][0]["created"], "chat.title");
}

#[test]
fn every_listed_flag_answers_its_question() {
    let from = catalog(&[("chat", &["id", "a", "b"]), ("old", &["id"])]);
    let to = catalog(&[("chat", &["id", "c"]), ("app.new", &["id"])]);
    let asked = questions(&from, &to, &Answers::default()).unwrap_err();
    assert_eq!(asked.questions.len(), 2);
    for question in &asked.questions {
        for choice in &question.choices {
            let flag = choice.answer.to_string();
            let left = questions(&from, &to, &answers(&[&flag])).unwrap_err();
            assert_eq!(left.questions.len(), 1, "{flag}");
            assert!(left.unmatched.is_empty(), "{flag}");
        }
    }
}

#[test]
fn answers_rename_drop_and_create() {
    let from = catalog(&[("chat", &["id", "title"])]);
    let to = catalog(&[("chat", &["id", "name"])]);
    let renamed = ask(&from, &to, &["--rename column:chat.title=name"]);
    assert_eq!(renamed, Ok(vec!["alter table chat rename column title to name;".into()]));
    assert_eq!(ask(&from, &to, &["--drop column:chat.title"]), Ok(vec![]));
    assert_eq!(ask(&from, &to, &["--create column:chat.name"]), Ok(vec![]));
}

#[test]
fn a_renamed_table_has_its_columns_asked_and_either_name_of_it_is_understood() {
    let from = catalog(&[("chat", &["id", "title"])]);
    let to = catalog(&[("app.talk", &["id", "name"])]);
    let table = "--rename table:chat=app.talk";
    let asked = ask(&from, &to, &[table]).unwrap_err();
    assert!(asked.starts_with("is the column app.talk.name new"), "{asked}");
    for column in ["--rename column:app.talk.title=name", "--rename column:chat.title=name"] {
        let sql = ask(&from, &to, &[column, table]).unwrap();
        assert_eq!(
            sql,
            [
                "alter table chat set schema app;\nalter table app.chat rename to talk;",
                "alter table app.talk rename column title to name;",
            ]
        );
    }
}

#[test]
fn a_renamed_schema_takes_its_tables_along() {
    let mut from = catalog(&[("a.chat", &["id"])]);
    let mut to = catalog(&[("b.talk", &["id"])]);
    from.schemas.insert("a".into(), crate::catalog::Schema::default());
    to.schemas.insert("b".into(), crate::catalog::Schema::default());
    let sql = ask(&from, &to, &["--rename schema:a=b", "--rename table:a.chat=talk"]).unwrap();
    assert_eq!(sql, ["alter schema a rename to b;", "alter table b.chat rename to talk;"]);
}

#[test]
fn values_of_an_enum_are_asked() {
    let (from, to) = (with_values(&["ok", "sad"]), with_values(&["ok", "un happy"]));
    let asked = ask(&from, &to, &[]).unwrap_err();
    assert!(asked.contains("--rename 'value:mood.sad=\"un happy\"'"), "{asked}");
    let sql = ask(&from, &to, &["--rename value:mood.sad=\"un happy\""]).unwrap();
    assert_eq!(sql, ["alter type mood rename value 'sad' to 'un happy';"]);
    assert_eq!(ask(&from, &with_values(&["ok", "sad", "x"]), &[]), Ok(vec![]));
}

#[test]
fn a_view_does_not_become_a_materialized_one() {
    let view = |name, materialized| {
        let view = View { materialized, ..View::default() };
        Catalog { views: [(QName::new("public", name), view)].into(), ..Catalog::default() }
    };
    assert_eq!(ask(&view("a", false), &view("b", true), &[]), Ok(vec![]));
    let sql = ask(&view("a", true), &view("b", true), &["--rename materialized-view:a=b"]);
    assert_eq!(sql, Ok(vec!["alter materialized view a rename to b;".into()]));
}

#[test]
fn sequences_of_columns_are_not_asked_about() {
    let sequence = |name: &str, owned_by| {
        let options = SequenceOptions {
            data_type: "bigint".into(),
            start: 1,
            increment: 1,
            minimum: 1,
            maximum: i64::MAX,
            cache: 1,
            cycle: false,
        };
        let one = Sequence { options, owned_by, unlogged: false, comment: None };
        Catalog { sequences: [(QName::new("public", name), one)].into(), ..Catalog::default() }
    };
    let owner = Some((QName::new("public", "chat"), "id".to_owned()));
    assert_eq!(ask(&sequence("a", owner.clone()), &sequence("b", owner), &[]), Ok(vec![]));
    assert!(ask(&sequence("a", None), &sequence("b", None), &[]).is_err());
}

#[test]
fn an_answer_that_fits_nothing_is_refused_with_the_nearest() {
    let from = catalog(&[("chat", &["id", "title"])]);
    let to = catalog(&[("chat", &["id", "name"])]);
    let typo = ask(&from, &to, &["--rename column:chat.titel=name"]).unwrap_err();
    let refused = "`--rename column:chat.titel=name` fits nothing that is gone or new; did you mean \
                   `--rename column:chat.title=name`?";
    assert!(typo.ends_with(refused), "{typo}");
    assert!(typo.starts_with("is the column chat.name new"), "{typo}");
    let both = ["--rename column:chat.title=name", "--drop table:gone"];
    let useless = ask(&from, &to, &both).unwrap_err();
    assert_eq!(useless, "`--drop table:gone` fits nothing that is gone or new");
}

#[test]
fn two_things_do_not_become_one() {
    let from = catalog(&[("chat", &["id", "a", "b"])]);
    let to = catalog(&[("chat", &["id", "c"])]);
    let both = ["--rename column:chat.a=c", "--rename column:chat.b=c"];
    let refused = ask(&from, &to, &both).unwrap_err();
    assert!(refused.starts_with("`--rename column:chat.b=c` fits nothing"), "{refused}");
}

#[test]
fn an_answer_about_what_is_not_settled_yet_is_no_mistake() {
    let from = catalog(&[("chat", &["id", "title"])]);
    let to = catalog(&[("talk", &["id", "name"])]);
    let early = questions(&from, &to, &answers(&["--rename column:talk.title=name"])).unwrap_err();
    assert!(early.unmatched.is_empty());
    assert_eq!(early.questions.len(), 1);
}

#[test]
fn attributes_of_a_composite_type_are_asked() {
    let with = |names: &[&str]| {
        let attributes = names.iter().map(|name| ((*name).into(), "text".into(), None)).collect();
        let point = Composite { attributes, comment: None };
        Catalog { composites: [(QName::new("app", "point"), point)].into(), ..Catalog::default() }
    };
    let asked = ask(&with(&["x", "y"]), &with(&["x", "z"]), &[]).unwrap_err();
    assert!(asked.contains("--rename attribute:app.point.y=z"), "{asked}");
    let sql = ask(&with(&["x", "y"]), &with(&["x", "z"]), &["--rename attribute:app.point.y=z"]);
    assert_eq!(sql, Ok(vec!["alter type app.point rename attribute y to z;".into()]));
}

#[test]
fn two_that_change_their_names_get_them_by_way_of_a_third() {
    let both = catalog(&[("chat", &["a", "b"])]);
    let swap = ["--rename column:chat.a=b", "--rename column:chat.b=a"];
    assert_eq!(
        ask(&both, &both, &swap).unwrap(),
        [
            "alter table chat rename column a to a_aside;",
            "alter table chat rename column b to a;",
            "alter table chat rename column a_aside to b;",
        ]
    );
    let renames = questions(&both, &both, &answers(&swap)).unwrap();
    let back: Vec<String> = renames.iter().rev().map(Rename::down).collect();
    assert_eq!(back[0], "alter table chat rename column b to a_aside;");
    let tables = catalog(&[("a", &["id"]), ("b", &["id"]), ("a_aside", &[])]);
    let sql = ask(&tables, &tables, &["--rename table:a=b", "--rename table:b=a"]).unwrap();
    assert_eq!(sql[0], "alter table a rename to a_aside_;");
}

#[test]
fn a_name_that_one_gives_away_can_be_anothers() {
    let from = catalog(&[("chat", &["a", "b"])]);
    let to = catalog(&[("chat", &["b", "c"])]);
    let chain = ["--rename column:chat.a=b", "--rename column:chat.b=c"];
    assert_eq!(
        ask(&from, &to, &chain).unwrap(),
        ["alter table chat rename column b to c;", "alter table chat rename column a to b;"]
    );
    // What is new under the old name is asked about.
    let asked = ask(&from, &to, &["--rename column:chat.b=c"]).unwrap_err();
    assert!(asked.starts_with("is the column chat.b new, or was it renamed?"), "{asked}");
    let sql = ask(&from, &to, &["--rename column:chat.b=c", "--create column:chat.b"]).unwrap();
    assert_eq!(sql, ["alter table chat rename column b to c;"]);
}

#[test]
fn a_name_that_stays_is_not_taken() {
    let from = catalog(&[("chat", &["a", "b"])]);
    let to = catalog(&[("chat", &["b"])]);
    let refused = ask(&from, &to, &["--rename column:chat.a=b"]).unwrap_err();
    assert_eq!(
        refused,
        "`--rename column:chat.a=b` is not possible: there is a column chat.b before and after; \
         say what that one has become, or drop it in a migration of its own first"
    );
}

#[test]
fn what_is_in_a_schema_that_may_be_renamed_is_asked_about_afterwards() {
    let mut from = catalog(&[("a.chat", &["id"])]);
    let mut to = catalog(&[("b.chat", &["id"])]);
    from.schemas.insert("a".into(), crate::catalog::Schema::default());
    to.schemas.insert("b".into(), crate::catalog::Schema::default());
    let first = questions(&from, &to, &Answers::default()).unwrap_err();
    assert_eq!(first.questions.iter().map(|one| one.kind).collect::<Vec<_>>(), [Kind::Schema]);
    let new = questions(&from, &to, &answers(&["--create schema:b"])).unwrap_err();
    assert_eq!(new.questions.iter().map(|one| one.kind).collect::<Vec<_>>(), [Kind::Table]);
}
