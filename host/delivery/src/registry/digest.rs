//! The name of an artifact: the SHA-256 of its bytes. Never: reads a file or a database.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

/// How much is hashed before other tasks get their turn, in bytes.
const TURN: usize = 1 << 20;

/// The SHA-256 of a component's bytes. Shown and parsed as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// A text that is no digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a SHA-256 has 64 hexadecimal digits")]
pub struct NotADigest;

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Digest {
        Digest(Sha256::digest(bytes).into())
    }

    /// The same, letting other tasks run in between: for bytes that may be many.
    pub(super) async fn of_many(bytes: &[u8]) -> Digest {
        let mut hasher = Sha256::new();
        for turn in bytes.chunks(TURN) {
            hasher.update(turn);
            tokio::task::yield_now().await;
        }
        Digest(hasher.finalize().into())
    }

    /// Its 32 bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl TryFrom<&[u8]> for Digest {
    type Error = NotADigest;

    fn try_from(bytes: &[u8]) -> Result<Digest, NotADigest> {
        bytes.try_into().map(Digest).map_err(|_| NotADigest)
    }
}

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Digest, NotADigest> {
        let mut bytes = [0; 32];
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != bytes.len() || !rest.is_empty() {
            return Err(NotADigest);
        }
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Ok(Digest(bytes))
    }
}

fn digit(byte: u8) -> Result<u8, NotADigest> {
    let digit = char::from(byte).to_digit(16).ok_or(NotADigest)?;
    u8::try_from(digit).map_err(|_| NotADigest)
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_parsed_as_it_is_shown() {
        let digest = Digest::of(b"abc");
        let shown = digest.to_string();
        assert!(shown.starts_with("ba7816bf8f01cfea"), "{shown}");
        assert_eq!(shown.parse(), Ok(digest));
        for wrong in ["", "ba", &shown[1..], &shown.replace('b', "g"), &format!("{shown}00")] {
            assert_eq!(wrong.parse::<Digest>(), Err(NotADigest), "{wrong}");
        }
    }

    #[tokio::test]
    async fn turns_do_not_change_the_digest() {
        let bytes = vec![7; TURN * 2 + 5];
        assert_eq!(Digest::of_many(&bytes).await, Digest::of(&bytes));
    }
}
