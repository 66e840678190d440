//! Reading and changing a user's settings.

use avenire_sdk::prelude::*;
use avenire_sdk::schema::user_settings::{UserSettings, defaults, user_settings};
use diesel::result::{DatabaseErrorKind, Error};
use diesel::sql_types::{Bool, Integer, Nullable, Text};
use std::ops::RangeInclusive;

use crate::bindings::exports::avenire::settings::queries::{Changes, Settings};

/// What the column's check constraint accepts.
const DIFFICULTIES: RangeInclusive<u8> = 1..=10;

/// `$2` to `$6` are the changes, NULL for what stays; `$7` to `$11` the defaults, which a
/// new row gets where nothing is changed.
const UPDATE_SETTINGS: &str = "\
insert into user_settings as old
    (user_id, model, learning_style, difficulty, pacing, email_notification)
values
    ($1, coalesce($2, $7), coalesce($3, $8), coalesce($4, $9), coalesce($5, $10),
     coalesce($6, $11))
on conflict (user_id) do update set
    model = coalesce($2, old.model),
    learning_style = coalesce($3, old.learning_style),
    difficulty = coalesce($4, old.difficulty),
    pacing = coalesce($5, old.pacing),
    email_notification = coalesce($6, old.email_notification),
    updated_at = now()
returning *";

pub(crate) fn get_settings(user_id: String) -> Result<Settings, Failure> {
    let row: Option<UserSettings> = user_settings::table
        .find(&user_id)
        .select(UserSettings::as_select())
        .first(&mut database())
        .optional()?;
    match row {
        Some(row) => from_row(row),
        None => Ok(Settings {
            user_id,
            model: defaults::MODEL.to_owned(),
            learning_style: defaults::LEARNING_STYLE.to_owned(),
            difficulty: difficulty(defaults::DIFFICULTY)?,
            pacing: defaults::PACING,
            email_notification: defaults::EMAIL_NOTIFICATION,
            updated_at: None,
        }),
    }
}

pub(crate) fn update_settings(user_id: &str, changes: Changes) -> Result<Settings, Failure> {
    check_difficulty(changes.difficulty)?;
    let row: UserSettings = diesel::sql_query(UPDATE_SETTINGS)
        .bind::<Text, _>(user_id)
        .bind::<Nullable<Text>, _>(changes.model)
        .bind::<Nullable<Text>, _>(changes.learning_style)
        .bind::<Nullable<Integer>, _>(changes.difficulty.map(i32::from))
        .bind::<Nullable<Bool>, _>(changes.pacing)
        .bind::<Nullable<Bool>, _>(changes.email_notification)
        .bind::<Text, _>(defaults::MODEL)
        .bind::<Text, _>(defaults::LEARNING_STYLE)
        .bind::<Integer, _>(defaults::DIFFICULTY)
        .bind::<Bool, _>(defaults::PACING)
        .bind::<Bool, _>(defaults::EMAIL_NOTIFICATION)
        .get_result(&mut database())
        .map_err(|error| match error {
            Error::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _) => not_found("user"),
            other => other.into(),
        })?;
    from_row(row)
}

fn check_difficulty(difficulty: Option<u8>) -> Result<(), Failure> {
    match difficulty {
        Some(refused) if !DIFFICULTIES.contains(&refused) => {
            Err(invalid("difficulty", format!("{refused} is not between 1 and 10")))
        }
        _ => Ok(()),
    }
}

fn from_row(row: UserSettings) -> Result<Settings, Failure> {
    Ok(Settings {
        user_id: row.user_id,
        model: row.model,
        learning_style: row.learning_style,
        difficulty: difficulty(row.difficulty)?,
        pacing: row.pacing,
        email_notification: row.email_notification,
        updated_at: Some(row.updated_at.into()),
    })
}

/// A difficulty as the contract has it. The check constraint makes all of them fit.
fn difficulty(stored: i32) -> Result<u8, Failure> {
    u8::try_from(stored)
        .map_err(|_| Failure::from(Error::DeserializationError("a difficulty does not fit".into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn difficulties_are_from_one_to_ten() {
        assert!(check_difficulty(None).is_ok());
        assert!(check_difficulty(Some(1)).is_ok());
        assert!(check_difficulty(Some(10)).is_ok());
        assert!(check_difficulty(Some(0)).is_err());
        assert!(check_difficulty(Some(11)).is_err());
    }

    #[test]
    fn the_default_difficulty_is_acceptable() {
        assert!(check_difficulty(Some(difficulty(defaults::DIFFICULTY).unwrap())).is_ok());
    }
}
