//! Users: making them with their settings, finding, changing and deleting them.

use avenire_sdk::prelude::*;
use avenire_sdk::schema::auth::{User as UserRow, users};
use diesel::sql_types::{Bool, Nullable, Text, Timestamptz};

use crate::accounts::check_ids;
use crate::bindings::exports::avenire::auth::queries::{NewUser, Tokens, User, UserChanges};
use crate::convert::{Change, optional_timestamp};

/// A user is never without settings, not even for a moment, so it is one statement.
const CREATE_USER: &str = "\
with made as (
    insert into users (id, name, email, email_verified, image, username, display_username)
    values (coalesce($1, gen_random_uuid()::text), $2, $3, $4, $5, $6, $7)
    returning *
), settings as (
    insert into user_settings (user_id) select made.id from made
)
select * from made";

const CREATE_USER_WITH_ACCOUNT: &str = "\
with made as (
    insert into users (id, name, email, email_verified, image, username, display_username)
    values (coalesce($1, gen_random_uuid()::text), $2, $3, $4, $5, $6, $7)
    returning *
), settings as (
    insert into user_settings (user_id) select made.id from made
), account as (
    insert into accounts (user_id, provider_id, account_id, access_token, refresh_token,
        id_token, access_token_expires_at, refresh_token_expires_at, scope)
    select made.id, $8, $9, $10, $11, $12, $13, $14, $15 from made
)
select * from made";

const UPDATE_USER: &str = "\
update users set
    name = coalesce($2, name),
    email = coalesce($3, email),
    email_verified = coalesce($4, email_verified),
    image = case when $5 then image else $6 end,
    username = case when $7 then username else $8 end,
    display_username = case when $9 then display_username else $10 end,
    updated_at = now()
where id = $1
returning *";

#[diesel::declare_sql_function]
extern "SQL" {
    /// Lower case, as the unique indexes have it.
    fn lower(text: Text) -> Text;

    /// Lower case of a column that may be NULL.
    #[sql_name = "lower"]
    fn lower_nullable(text: Nullable<Text>) -> Nullable<Text>;
}

pub(crate) fn create_user(user: NewUser) -> Result<User, Failure> {
    let row: UserRow = diesel::sql_query(CREATE_USER)
        .bind::<Nullable<Text>, _>(user.id)
        .bind::<Text, _>(user.name)
        .bind::<Text, _>(user.email)
        .bind::<Bool, _>(user.email_verified)
        .bind::<Nullable<Text>, _>(user.image)
        .bind::<Nullable<Text>, _>(user.username)
        .bind::<Nullable<Text>, _>(user.display_username)
        .get_result(&mut database())?;
    Ok(row.into())
}

pub(crate) fn create_user_with_account(
    user: NewUser,
    provider_id: &str,
    account_id: &str,
    tokens: Tokens,
) -> Result<User, Failure> {
    check_ids(provider_id, account_id)?;
    let row: UserRow = diesel::sql_query(CREATE_USER_WITH_ACCOUNT)
        .bind::<Nullable<Text>, _>(user.id)
        .bind::<Text, _>(user.name)
        .bind::<Text, _>(user.email)
        .bind::<Bool, _>(user.email_verified)
        .bind::<Nullable<Text>, _>(user.image)
        .bind::<Nullable<Text>, _>(user.username)
        .bind::<Nullable<Text>, _>(user.display_username)
        .bind::<Text, _>(provider_id)
        .bind::<Text, _>(account_id)
        .bind::<Nullable<Text>, _>(tokens.access_token)
        .bind::<Nullable<Text>, _>(tokens.refresh_token)
        .bind::<Nullable<Text>, _>(tokens.id_token)
        .bind::<Nullable<Timestamptz>, _>(optional_timestamp(tokens.access_token_expires_at))
        .bind::<Nullable<Timestamptz>, _>(optional_timestamp(tokens.refresh_token_expires_at))
        .bind::<Nullable<Text>, _>(tokens.scope)
        .get_result(&mut database())?;
    Ok(row.into())
}

pub(crate) fn get_user_by_id(user_id: &str) -> Result<User, Failure> {
    let row = users::table.find(user_id).select(UserRow::as_select()).first(&mut database());
    found(row)
}

pub(crate) fn get_user_by_email(email: &str) -> Result<User, Failure> {
    let row = users::table
        .filter(lower(users::email).eq(lower(email)))
        .select(UserRow::as_select())
        .first(&mut database());
    found(row)
}

pub(crate) fn get_user_by_username(username: &str) -> Result<User, Failure> {
    let row = users::table
        .filter(lower_nullable(users::username).eq(lower(username).nullable()))
        .select(UserRow::as_select())
        .first(&mut database());
    found(row)
}

pub(crate) fn update_user(user_id: &str, changes: UserChanges) -> Result<User, Failure> {
    let image = Change::from(changes.image);
    let username = Change::from(changes.username);
    let display_username = Change::from(changes.display_username);
    let row = diesel::sql_query(UPDATE_USER)
        .bind::<Text, _>(user_id)
        .bind::<Nullable<Text>, _>(changes.name)
        .bind::<Nullable<Text>, _>(changes.email)
        .bind::<Nullable<Bool>, _>(changes.email_verified)
        .bind::<Bool, _>(image.keep)
        .bind::<Nullable<Text>, _>(image.value)
        .bind::<Bool, _>(username.keep)
        .bind::<Nullable<Text>, _>(username.value)
        .bind::<Bool, _>(display_username.keep)
        .bind::<Nullable<Text>, _>(display_username.value)
        .get_result(&mut database());
    found(row)
}

pub(crate) fn delete_user(user_id: &str) -> Result<User, Failure> {
    let row = diesel::delete(users::table.find(user_id))
        .returning(UserRow::as_returning())
        .get_result(&mut database());
    found(row)
}

/// The one user that a statement is about.
fn found(row: QueryResult<UserRow>) -> Result<User, Failure> {
    row.optional()?.map(Into::into).ok_or_else(|| not_found("user"))
}
