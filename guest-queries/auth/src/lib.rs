//! The auth component: implements `avenire:auth/queries`. Owns the statements on the
//! tables `users`, `accounts`, `email_verifications` and `passkeys`, and makes the first
//! row of `user_settings`. Never: hashes, verifies or authenticates anything.

mod accounts;
mod convert;
mod passkeys;
mod passwords;
mod users;
mod verifications;

mod bindings {
    #![expect(clippy::same_length_and_capacity, reason = "generated")]

    avenire_sdk::contract!("avenire:auth/auth@0.1.0" in [
        "../../wit/database/v0.1", "../../wit/types/v0.1", "../../wit/auth/v0.1",
    ]);
}

use avenire_sdk::Checks;
use avenire_sdk::wit::{Failure, Timestamp};
use bindings::exports::avenire::auth::queries::{
    Account, Guest, NewPasskey, NewUser, Passkey, TokenChanges, Tokens, User, UserChanges,
    Verification,
};

/// The component. Each function stands in the file of its topic.
struct Component;

impl Guest for Component {
    fn create_user(user: NewUser) -> Result<User, Failure> {
        users::create_user(user)
    }

    fn create_user_with_account(
        user: NewUser,
        provider_id: String,
        account_id: String,
        tokens: Tokens,
    ) -> Result<User, Failure> {
        users::create_user_with_account(user, &provider_id, &account_id, tokens)
    }

    fn get_user_by_id(user_id: String) -> Result<User, Failure> {
        users::get_user_by_id(&user_id)
    }

    fn get_user_by_email(email: String) -> Result<User, Failure> {
        users::get_user_by_email(&email)
    }

    fn get_user_by_username(username: String) -> Result<User, Failure> {
        users::get_user_by_username(&username)
    }

    fn update_user(user_id: String, changes: UserChanges) -> Result<User, Failure> {
        users::update_user(&user_id, changes)
    }

    fn delete_user(user_id: String) -> Result<User, Failure> {
        users::delete_user(&user_id)
    }

    fn link_account(
        user_id: String,
        provider_id: String,
        account_id: String,
        tokens: Tokens,
    ) -> Result<Account, Failure> {
        accounts::link_account(&user_id, &provider_id, &account_id, tokens)
    }

    fn unlink_account(
        user_id: String,
        provider_id: String,
        account_id: String,
    ) -> Result<Account, Failure> {
        accounts::unlink_account(&user_id, &provider_id, &account_id)
    }

    fn get_account_by_provider(
        provider_id: String,
        account_id: String,
    ) -> Result<Account, Failure> {
        accounts::get_account_by_provider(&provider_id, &account_id)
    }

    fn list_accounts(user_id: String) -> Result<Vec<Account>, Failure> {
        accounts::list_accounts(&user_id)
    }

    fn update_account_tokens(
        user_id: String,
        provider_id: String,
        account_id: String,
        changes: TokenChanges,
    ) -> Result<Account, Failure> {
        accounts::update_account_tokens(&user_id, &provider_id, &account_id, changes)
    }

    fn set_password_hash(user_id: String, password_hash: String) -> Result<(), Failure> {
        passwords::set_password_hash(&user_id, &password_hash)
    }

    fn get_password_hash(user_id: String) -> Result<String, Failure> {
        passwords::get_password_hash(&user_id)
    }

    fn create_verification(
        identifier: String,
        value: String,
        expires_at: Timestamp,
    ) -> Result<Verification, Failure> {
        verifications::create_verification(&identifier, &value, expires_at.into())
    }

    fn get_verification(identifier: String) -> Result<Verification, Failure> {
        verifications::get_verification(&identifier)
    }

    fn consume_verification(
        identifier: String,
        value: Option<String>,
    ) -> Result<Verification, Failure> {
        verifications::consume_verification(&identifier, value.as_deref())
    }

    fn delete_expired_verifications() -> Result<u64, Failure> {
        verifications::delete_expired_verifications()
    }

    fn register_passkey(user_id: String, passkey: NewPasskey) -> Result<Passkey, Failure> {
        passkeys::register_passkey(&user_id, &passkey)
    }

    fn list_passkeys(user_id: String) -> Result<Vec<Passkey>, Failure> {
        passkeys::list_passkeys(&user_id)
    }

    fn get_passkey_by_credential_id(credential_id: String) -> Result<Passkey, Failure> {
        passkeys::get_passkey_by_credential_id(&credential_id)
    }

    fn advance_passkey_counter(credential_id: String, counter: u32) -> Result<Passkey, Failure> {
        passkeys::advance_passkey_counter(&credential_id, counter)
    }

    fn rename_passkey(
        passkey_id: String,
        user_id: String,
        name: Option<String>,
    ) -> Result<Passkey, Failure> {
        passkeys::rename_passkey(&passkey_id, &user_id, name.as_deref())
    }

    fn delete_passkey(passkey_id: String, user_id: String) -> Result<Passkey, Failure> {
        passkeys::delete_passkey(&passkey_id, &user_id)
    }
}

/// What a login begins with must be possible.
fn self_test(checks: &mut Checks) {
    checks.check("users can be found", || users::get_user_by_email("self-test@example.com"));
    checks.check("accounts can be found", || accounts::get_account_by_provider(NOBODY, NOBODY));
    checks.check("accounts can be listed", || accounts::list_accounts(NOBODY));
}

/// An id that belongs to nothing.
const NOBODY: &str = "self-test";

avenire_sdk::export!(Component in bindings);
avenire_sdk::self_test!(self_test);
avenire_sdk::describe!(avenire_sdk::schema::auth::DESCRIPTION);
