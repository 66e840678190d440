//! Password hashes, each in its user's account at the provider `credential`.

use avenire_sdk::prelude::*;
use avenire_sdk::schema::auth::accounts;
use diesel::sql_types::Text;

use crate::convert::no_such_user;

/// The provider whose accounts are passwords.
const CREDENTIAL: &str = "credential";

const SET_PASSWORD_HASH: &str = "\
insert into accounts (user_id, provider_id, account_id, password_hash)
values ($1, 'credential', $1, $2)
on conflict (user_id) where provider_id = 'credential' do update set
    password_hash = excluded.password_hash,
    updated_at = now()";

pub(crate) fn set_password_hash(user_id: &str, password_hash: &str) -> Result<(), Failure> {
    diesel::sql_query(SET_PASSWORD_HASH)
        .bind::<Text, _>(user_id)
        .bind::<Text, _>(password_hash)
        .execute(&mut database())
        .map_err(no_such_user)?;
    Ok(())
}

pub(crate) fn get_password_hash(user_id: &str) -> Result<String, Failure> {
    let hash: Option<Option<String>> = accounts::table
        .filter(accounts::user_id.eq(user_id))
        .filter(accounts::provider_id.eq(CREDENTIAL))
        .select(accounts::password_hash)
        .first(&mut database())
        .optional()?;
    hash.flatten().ok_or_else(|| not_found("password"))
}
