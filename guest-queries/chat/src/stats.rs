//! Counting what a user has.

use avenire_sdk::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text, Timestamptz};

use crate::bindings::exports::avenire::chat::queries::UserStats;

/// A leap year of hours.
const MAX_HOURS: u32 = 366 * 24;

const MESSAGE_COUNT: &str = "\
select count(*) as messages
from message join chat on chat.id = message.chat_id
where chat.user_id = $1 and message.role = 'user'
    and message.created_at > now() - make_interval(hours => $2)";

const USER_STATS: &str = "\
with own as (
    select chat.id, chat.visibility from chat where chat.user_id = $1
), said as (
    select count(*) as messages,
           count(*) filter (where message.role = 'user') as user_messages,
           max(message.created_at) as last_message_at
    from own join message on message.chat_id = own.id
)
select (select count(*) from own) as chats,
       (select count(*) from own where visibility = 'public') as public_chats,
       said.messages, said.user_messages, said.last_message_at
from said";

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    messages: i64,
}

#[derive(QueryableByName)]
struct Stats {
    #[diesel(sql_type = BigInt)]
    chats: i64,
    #[diesel(sql_type = BigInt)]
    public_chats: i64,
    #[diesel(sql_type = BigInt)]
    messages: i64,
    #[diesel(sql_type = BigInt)]
    user_messages: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    last_message_at: Option<Timestamp>,
}

pub(crate) fn get_message_count_by_user_id(user_id: &str, hours: u32) -> Result<u64, Failure> {
    let count: Count = diesel::sql_query(MESSAGE_COUNT)
        .bind::<Text, _>(user_id)
        .bind::<Integer, _>(check_hours(hours)?)
        .get_result(&mut database())?;
    Ok(count.messages.unsigned_abs())
}

fn check_hours(hours: u32) -> Result<i32, Failure> {
    match i32::try_from(hours) {
        Ok(checked) if (1..=MAX_HOURS).contains(&hours) => Ok(checked),
        _ => Err(invalid("hours", format!("{hours} is not between 1 and {MAX_HOURS}"))),
    }
}

pub(crate) fn get_user_stats(user_id: &str) -> Result<UserStats, Failure> {
    let stats: Stats =
        diesel::sql_query(USER_STATS).bind::<Text, _>(user_id).get_result(&mut database())?;
    // Counts are never negative.
    Ok(UserStats {
        chats: stats.chats.unsigned_abs(),
        public_chats: stats.public_chats.unsigned_abs(),
        messages: stats.messages.unsigned_abs(),
        user_messages: stats.user_messages.unsigned_abs(),
        last_message_at: stats.last_message_at.map(Into::into),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_from_one_to_a_year() {
        assert!(check_hours(0).is_err());
        assert!(check_hours(MAX_HOURS + 1).is_err());
        assert_eq!(check_hours(24).unwrap(), 24);
    }
}
