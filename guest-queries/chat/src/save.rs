//! Saving messages: many at once, all or none, in one statement.

use avenire_sdk::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};
use diesel::sql_types::{Array, Jsonb, Nullable, Text, Timestamptz};
use std::collections::BTreeSet;

use crate::access::check_owned;
use crate::bindings::exports::avenire::chat::queries::{NewMessage, Position, SavedMessage};

/// The most messages one call saves.
const MAX_MESSAGES: usize = 1000;

/// The columns travel as arrays, so that the text is the same for any number of messages.
///
/// * Nothing is inserted unless the chat is the user's; then no row comes back.
/// * A message that the chat has keeps its creation time unless one is given.
/// * A message whose id is another chat's would get no chat at all, which the column
///   refuses: the whole statement fails, also when that message was made this very moment.
///   A `where` on the update would skip it and save the others.
/// * Rows are written in the order of their ids, so that two calls that save the same
///   messages wait for each other one way and never in a circle.
/// * Rows come back in the order given.
const SAVE_MESSAGES: &str = "\
with given as (
    select coalesce(given.id, gen_random_uuid()::text) as id,
           role, parts, coalesce(attachments, '[]') as attachments, created_at, place
    from unnest($3::text[], $4::text[], $5::jsonb[], $6::jsonb[], $7::timestamptz[])
        with ordinality as given (id, role, parts, attachments, created_at, place)
), saved as (
    insert into message as old (id, chat_id, role, parts, attachments, created_at)
    select given.id, $1, given.role, given.parts, given.attachments,
           coalesce(given.created_at, present.created_at,
                    now() + (given.place - 1) * interval '1 microsecond')
    from given left join message as present on present.id = given.id
    where exists (select from chat where chat.id = $1 and chat.user_id = $2)
    order by given.id
    on conflict (id) do update set
        chat_id = case when old.chat_id = excluded.chat_id then old.chat_id end,
        role = excluded.role,
        parts = excluded.parts,
        attachments = excluded.attachments,
        created_at = excluded.created_at
    returning id, created_at
)
select saved.id, saved.created_at from saved join given using (id) order by given.place";

#[derive(QueryableByName)]
struct SavedRow {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Timestamptz)]
    created_at: Timestamp,
}

/// The messages, column by column.
#[derive(Default)]
struct Columns {
    ids: Vec<Option<String>>,
    roles: Vec<&'static str>,
    parts: Vec<Json>,
    attachments: Vec<Option<Json>>,
    created_at: Vec<Option<Timestamp>>,
}

impl From<Vec<NewMessage>> for Columns {
    fn from(messages: Vec<NewMessage>) -> Self {
        let mut columns = Self::default();
        for message in messages {
            columns.ids.push(message.id);
            columns.roles.push(avenire_sdk::schema::chat::Role::from(message.role).as_str());
            columns.parts.push(message.parts.into());
            columns.attachments.push(message.attachments.map(Into::into));
            columns.created_at.push(message.created_at.map(Into::into));
        }
        columns
    }
}

pub(crate) fn save_messages(
    chat_id: &str,
    user_id: &str,
    messages: Vec<NewMessage>,
) -> Result<Vec<SavedMessage>, Failure> {
    if messages.is_empty() {
        return Ok(Vec::new());
    }
    check_messages(&messages)?;
    let mut connection = database();
    let saved = save(&mut connection, chat_id, user_id, messages).map_err(explain)?;
    if saved.is_empty() {
        check_owned(&mut connection, chat_id, user_id)?;
        // It is the user's by now: it came into being between the two statements.
        return Err(not_found("chat"));
    }
    Ok(saved)
}

fn check_messages(messages: &[NewMessage]) -> Result<(), Failure> {
    if messages.len() > MAX_MESSAGES {
        let message = format!("{} messages are more than {MAX_MESSAGES}", messages.len());
        return Err(invalid("messages", message));
    }
    let mut ids = BTreeSet::new();
    match messages.iter().filter_map(|message| message.id.as_deref()).find(|id| !ids.insert(*id)) {
        Some(id) => Err(invalid("messages", format!("the id {id:?} is given twice"))),
        None => Ok(()),
    }
}

fn save(
    connection: &mut HostConnection,
    chat_id: &str,
    user_id: &str,
    messages: Vec<NewMessage>,
) -> QueryResult<Vec<SavedMessage>> {
    let columns = Columns::from(messages);
    let rows: Vec<SavedRow> = diesel::sql_query(SAVE_MESSAGES)
        .bind::<Text, _>(chat_id)
        .bind::<Text, _>(user_id)
        .bind::<Array<Nullable<Text>>, _>(columns.ids)
        .bind::<Array<Text>, _>(columns.roles)
        .bind::<Array<Jsonb>, _>(columns.parts)
        .bind::<Array<Nullable<Jsonb>>, _>(columns.attachments)
        .bind::<Array<Nullable<Timestamptz>>, _>(columns.created_at)
        .load(connection)?;
    let positions =
        rows.into_iter().map(|row| Position { created_at: row.created_at.into(), id: row.id });
    Ok(positions.map(Into::into).collect())
}

/// What the database's refusals mean here.
fn explain(error: Error) -> Failure {
    match &error {
        Error::DatabaseError(DatabaseErrorKind::NotNullViolation, information)
            if information.column_name() == Some("chat_id") =>
        {
            conflict("message_pkey", "a message of that id belongs to another chat")
        }
        // The chat was there when the statement began and is gone.
        Error::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _) => not_found("chat"),
        _ => match Failure::from(error) {
            Failure::Invalid(refused) => invalid("messages", refused.message),
            other => other,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::exports::avenire::chat::queries::Role;
    use avenire_sdk::wit::Json as WitJson;

    fn message(id: Option<&str>) -> NewMessage {
        NewMessage {
            id: id.map(Into::into),
            role: Role::User,
            parts: WitJson { json_text: "[]".into() },
            attachments: None,
            created_at: None,
        }
    }

    #[test]
    fn an_id_given_twice_is_refused_and_missing_ids_are_no_duplicates() {
        assert!(check_messages(&[message(None), message(None), message(Some("a"))]).is_ok());
        let twice = [message(Some("a")), message(None), message(Some("a"))];
        assert!(matches!(check_messages(&twice), Err(Failure::Invalid(_))));
    }

    #[test]
    fn more_messages_than_documented_are_refused() {
        let many: Vec<_> = (0..=MAX_MESSAGES).map(|_| message(None)).collect();
        assert!(check_messages(&many).is_err());
        assert!(check_messages(many.get(1..).unwrap()).is_ok());
    }
}
