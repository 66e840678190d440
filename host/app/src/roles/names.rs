//! What roles are called, and what they log in with. Pure functions.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// `avenire_<database>_<component>`. Roles belong to the whole cluster, so the
/// database is part of the name; Postgres cuts names at 63 bytes, so a long one
/// ends in a digest.
pub fn role_name(database: &str, component: &str) -> String {
    let component_part = component.replace('-', "_");
    let name = format!("avenire_{database}_{component_part}");
    // An underscore in the database's name could be one of the component's.
    if name.len() <= 63 && database.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()) {
        return name;
    }
    let digest = hex(&Sha256::digest(format!("{database}\0{component}")));
    let component: String = component.replace('-', "_").chars().take(32).collect();
    format!("avenire_{component}_{}", digest.get(..16).unwrap_or(&digest))
}

/// HMAC-SHA-256 (RFC 2104) of the role's purpose under the secret: every host of
/// a fleet derives the same password, and none is stored.
pub(super) fn derive_password(secret: &str, database: &str, component: &str) -> String {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104, section 2)")]
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
    mac.update(format!("avenire-db role\0{database}\0{component}").as_bytes());
    hex(&mac.finalize().into_bytes())
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_names_are_valid_and_distinct_however_long() {
        assert_eq!(role_name("app", "user-settings"), "avenire_app_user_settings");
        let long = "d".repeat(63);
        assert_ne!(role_name("app", "user-settings"), role_name("app_user", "settings"));
        assert_ne!(role_name("App", "chat"), role_name("app", "chat"));
        let (a, b) = (role_name(&long, "chat"), role_name(&long, "auth"));
        assert!(a.len() <= 63 && a != b, "{a} {b}");
        assert!(role_name("häuser", "chat").is_ascii());
    }

    #[test]
    fn passwords_differ_by_secret_database_and_component() {
        let one = derive_password("s", "d", "chat");
        assert_eq!(one, derive_password("s", "d", "chat"));
        assert_ne!(one, derive_password("t", "d", "chat"));
        assert_ne!(one, derive_password("s", "e", "chat"));
        assert_ne!(one, derive_password("s", "d", "auth"));
    }
}
