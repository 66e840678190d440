//! Messages: reading, listing and deleting them. Saving them is a file of its own.

use avenire_sdk::prelude::*;
use avenire_sdk::schema::chat::{Message as MessageRow, Visibility, chat, message};
use diesel::dsl::{exists, sql};
use diesel::pg::Pg;
use diesel::sql_types::{Bool, Text, Timestamptz};

use crate::access::{check_owned, check_readable, may_read};
use crate::bindings::exports::avenire::chat::queries::{Message, MessagePage, PageStart};
use crate::paging::{Cut, check_limit, page};

/// Whether the chat can be read. It names no column of `message`, so that Postgres
/// answers it once for a statement, not once for each message.
#[diesel::dsl::auto_type]
fn readable<'a>(chat_id: &'a str, reader: Option<&'a str>) -> _ {
    let public: Visibility = Visibility::Public;
    exists(chat::table.filter(chat::id.eq(chat_id)).filter(
        // A reader that is none compares as NULL, which is not true.
        chat::visibility.eq(public).or(chat::user_id.nullable().eq(reader)),
    ))
}

pub(crate) fn get_messages_by_chat_id(
    chat_id: &str,
    reader: Option<&str>,
) -> Result<Vec<Message>, Failure> {
    let mut connection = database();
    let rows: Vec<MessageRow> = message::table
        .filter(message::chat_id.eq(chat_id))
        .filter(readable(chat_id, reader))
        .order((message::created_at, message::id))
        .select(MessageRow::as_select())
        .load(&mut connection)?;
    if rows.is_empty() {
        check_readable(&mut connection, chat_id, reader)?;
    }
    Ok(rows.into_iter().map(Into::into).collect())
}

pub(crate) fn list_messages(
    chat_id: &str,
    reader: Option<&str>,
    limit: u32,
    start: PageStart,
) -> Result<MessagePage, Failure> {
    let limit = check_limit(limit)?;
    let cut = Cut::from(start);
    let mut query = message::table
        .filter(message::chat_id.eq(chat_id))
        .filter(readable(chat_id, reader))
        .limit(limit + 1)
        .select(MessageRow::as_select())
        .into_boxed::<Pg>();
    // Rows are compared whole, which the index answers from any place.
    query = match &cut {
        Cut::First => query,
        Cut::After(created_at, id) => query.filter(
            sql::<Bool>("(message.created_at, message.id) > (")
                .bind::<Timestamptz, _>(*created_at)
                .sql(", ")
                .bind::<Text, _>(id.as_str())
                .sql(")"),
        ),
        Cut::Before(created_at, id) => query.filter(
            sql::<Bool>("(message.created_at, message.id) < (")
                .bind::<Timestamptz, _>(*created_at)
                .sql(", ")
                .bind::<Text, _>(id.as_str())
                .sql(")"),
        ),
    };
    query = match &cut {
        Cut::First | Cut::After(..) => query.order((message::created_at, message::id)),
        Cut::Before(..) => query.order((message::created_at.desc(), message::id.desc())),
    };
    let mut connection = database();
    let rows: Vec<MessageRow> = query.load(&mut connection)?;
    if rows.is_empty() {
        check_readable(&mut connection, chat_id, reader)?;
    }
    let (messages, next) = page(rows.into_iter().map(Message::from).collect(), limit, &cut);
    Ok(MessagePage { messages, next })
}

pub(crate) fn get_message_by_id(
    message_id: &str,
    reader: Option<&str>,
) -> Result<Message, Failure> {
    let row: Option<(MessageRow, String, Visibility)> = message::table
        .find(message_id)
        .inner_join(chat::table)
        .select((MessageRow::as_select(), chat::user_id, chat::visibility))
        .first(&mut database())
        .optional()?;
    let (row, owner, visibility) = row.ok_or_else(|| not_found("message"))?;
    if may_read(&owner, visibility, reader) { Ok(row.into()) } else { Err(forbidden("chat")) }
}

pub(crate) fn delete_messages_from(
    chat_id: &str,
    user_id: &str,
    timestamp: Timestamp,
) -> Result<u64, Failure> {
    let mut connection = database();
    let owned = chat::table.filter(chat::id.eq(chat_id)).filter(chat::user_id.eq(user_id));
    let deleted = diesel::delete(
        message::table
            .filter(message::chat_id.eq(chat_id))
            .filter(message::created_at.ge(timestamp))
            .filter(exists(owned)),
    )
    .execute(&mut connection)?;
    if deleted == 0 {
        check_owned(&mut connection, chat_id, user_id)?;
    }
    Ok(deleted as u64)
}
