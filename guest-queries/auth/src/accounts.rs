//! Accounts: linking them to users, finding and unlinking them, keeping their tokens.

use avenire_sdk::prelude::*;
use avenire_sdk::schema::auth::{Account as AccountRow, accounts};
use diesel::sql_types::{Bool, Nullable, Text, Timestamptz};

use crate::bindings::exports::avenire::auth::queries::{Account, TokenChanges, Tokens};
use crate::convert::{Change, no_such_user, optional_timestamp};

const UPDATE_ACCOUNT_TOKENS: &str = "\
update accounts set
    access_token = case when $4 then access_token else $5 end,
    refresh_token = case when $6 then refresh_token else $7 end,
    id_token = case when $8 then id_token else $9 end,
    access_token_expires_at = case when $10 then access_token_expires_at else $11 end,
    refresh_token_expires_at = case when $12 then refresh_token_expires_at else $13 end,
    scope = case when $14 then scope else $15 end,
    updated_at = now()
where user_id = $1 and provider_id = $2 and account_id = $3
returning *";

/// The most characters of an id (OpenID Connect Core 1.0, section 2, allows a subject
/// identifier as many).
const MAX_ID: usize = 255;

/// `invalid` unless both are ids as the contract has them. The table's key takes any text.
pub(crate) fn check_ids(provider_id: &str, account_id: &str) -> Result<(), Failure> {
    for (argument, id) in [("provider-id", provider_id), ("account-id", account_id)] {
        let characters = id.chars().count();
        if !(1..=MAX_ID).contains(&characters) {
            let message = format!("{characters} characters are not between 1 and {MAX_ID}");
            return Err(invalid(argument, message));
        }
    }
    Ok(())
}

/// The account if it is the user's, for statements that change it.
#[diesel::dsl::auto_type]
fn owned<'a>(user_id: &'a str, provider_id: &'a str, account_id: &'a str) -> _ {
    accounts::table
        .filter(accounts::user_id.eq(user_id))
        .filter(accounts::provider_id.eq(provider_id))
        .filter(accounts::account_id.eq(account_id))
}

pub(crate) fn link_account(
    user_id: &str,
    provider_id: &str,
    account_id: &str,
    tokens: Tokens,
) -> Result<Account, Failure> {
    check_ids(provider_id, account_id)?;
    // Each column is given, absent ones as NULL, so that the text is always the same.
    let row: AccountRow = diesel::insert_into(accounts::table)
        .values((
            accounts::user_id.eq(user_id),
            accounts::provider_id.eq(provider_id),
            accounts::account_id.eq(account_id),
            accounts::access_token.eq(tokens.access_token),
            accounts::refresh_token.eq(tokens.refresh_token),
            accounts::id_token.eq(tokens.id_token),
            accounts::access_token_expires_at
                .eq(optional_timestamp(tokens.access_token_expires_at)),
            accounts::refresh_token_expires_at
                .eq(optional_timestamp(tokens.refresh_token_expires_at)),
            accounts::scope.eq(tokens.scope),
        ))
        .returning(AccountRow::as_returning())
        .get_result(&mut database())
        .map_err(no_such_user)?;
    Ok(row.into())
}

pub(crate) fn unlink_account(
    user_id: &str,
    provider_id: &str,
    account_id: &str,
) -> Result<Account, Failure> {
    let mut connection = database();
    let row: Option<AccountRow> = diesel::delete(owned(user_id, provider_id, account_id))
        .returning(AccountRow::as_returning())
        .get_result(&mut connection)
        .optional()?;
    row.map(Into::into).ok_or_else(|| why_not(&mut connection, provider_id, account_id))
}

pub(crate) fn get_account_by_provider(
    provider_id: &str,
    account_id: &str,
) -> Result<Account, Failure> {
    let row: Option<AccountRow> = accounts::table
        .filter(accounts::provider_id.eq(provider_id))
        .filter(accounts::account_id.eq(account_id))
        .select(AccountRow::as_select())
        .first(&mut database())
        .optional()?;
    row.map(Into::into).ok_or_else(|| not_found("account"))
}

pub(crate) fn list_accounts(user_id: &str) -> Result<Vec<Account>, Failure> {
    let rows: Vec<AccountRow> = accounts::table
        .filter(accounts::user_id.eq(user_id))
        .order((accounts::created_at, accounts::id))
        .select(AccountRow::as_select())
        .load(&mut database())?;
    Ok(rows.into_iter().map(Into::into).collect())
}

pub(crate) fn update_account_tokens(
    user_id: &str,
    provider_id: &str,
    account_id: &str,
    changes: TokenChanges,
) -> Result<Account, Failure> {
    let access_token = Change::from(changes.access_token);
    let refresh_token = Change::from(changes.refresh_token);
    let id_token = Change::from(changes.id_token);
    let access_token_expires_at = Change::from(changes.access_token_expires_at);
    let refresh_token_expires_at = Change::from(changes.refresh_token_expires_at);
    let scope = Change::from(changes.scope);
    let mut connection = database();
    let row: Option<AccountRow> = diesel::sql_query(UPDATE_ACCOUNT_TOKENS)
        .bind::<Text, _>(user_id)
        .bind::<Text, _>(provider_id)
        .bind::<Text, _>(account_id)
        .bind::<Bool, _>(access_token.keep)
        .bind::<Nullable<Text>, _>(access_token.value)
        .bind::<Bool, _>(refresh_token.keep)
        .bind::<Nullable<Text>, _>(refresh_token.value)
        .bind::<Bool, _>(id_token.keep)
        .bind::<Nullable<Text>, _>(id_token.value)
        .bind::<Bool, _>(access_token_expires_at.keep)
        .bind::<Nullable<Timestamptz>, _>(access_token_expires_at.value)
        .bind::<Bool, _>(refresh_token_expires_at.keep)
        .bind::<Nullable<Timestamptz>, _>(refresh_token_expires_at.value)
        .bind::<Bool, _>(scope.keep)
        .bind::<Nullable<Text>, _>(scope.value)
        .get_result(&mut connection)
        .optional()?;
    row.map(Into::into).ok_or_else(|| why_not(&mut connection, provider_id, account_id))
}

/// Why a statement on `owned` found nothing; asked for then only.
fn why_not(connection: &mut HostConnection, provider_id: &str, account_id: &str) -> Failure {
    let account = accounts::table
        .filter(accounts::provider_id.eq(provider_id))
        .filter(accounts::account_id.eq(account_id));
    match diesel::select(diesel::dsl::exists(account)).get_result(connection) {
        Ok(true) => forbidden("account"),
        Ok(false) => not_found("account"),
        Err(error) => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_1_to_255_characters() {
        let longest = "ö".repeat(MAX_ID);
        assert!(check_ids("g", &longest).is_ok());
        assert!(check_ids("", "1").is_err());
        assert!(check_ids("google", "").is_err());
        assert!(check_ids(&"x".repeat(MAX_ID + 1), "1").is_err());
    }
}
