//! Whose components a host takes: signatures of minisign, checked against the keys that a manifest
//! names. Never: signs, holds a secret key, decides whether a signature is needed.
//!
//! The scheme is Ed25519 over the BLAKE2b-512 hash of the file, and a second signature over the
//! first one and the trusted comment (minisign's documentation, "Signature format"). Its old format,
//! which signs the bytes themselves, is refused: a signature of one could be passed off as the other.

mod error;
mod signature;

pub use error::TrustError;
pub(crate) use signature::{LONGEST, NotTaken, take};
pub use signature::{read_signature, signature_file};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minisign_verify::{Error, PublicKey, Signature};

/// The longest comment that is shown, in characters.
const LONGEST_COMMENT: usize = 200;

/// Bytes of a secret key in its file: algorithms, salt, limits, id, key and checksum.
const SECRET_KEY: usize = 158;

/// What the first line of minisign's files begins with.
const COMMENT: &str = "untrusted comment:";

/// The keys that a manifest trusts.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    keys: Vec<(String, PublicKey)>,
}

/// A signature that is good: by whom, and what the signer wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trusted {
    /// The id of the key, 16 hexadecimal digits as minisign prints it.
    pub key_id: String,
    /// The trusted comment: one line without control characters, at most 200 characters.
    pub comment: String,
}

impl Keys {
    /// Takes keys as minisign prints them (`RW…`), or the content of its `.pub` files.
    pub fn parse(keys: &[String]) -> Result<Self, TrustError> {
        let mut parsed: Vec<(String, PublicKey)> = Vec::with_capacity(keys.len());
        for (index, text) in keys.iter().enumerate() {
            let (key_id, key) = public_key(index, text)?;
            if let Some(first) = parsed.iter().position(|(id, _)| *id == key_id) {
                return Err(TrustError::SameKey { index, first, key_id });
            }
            parsed.push((key_id, key));
        }
        Ok(Self { keys: parsed })
    }

    /// Whether no key is named, so that signatures are not asked for. [`Keys::check`] would refuse
    /// everything.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The ids of the keys, in the order in which they were given.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|(id, _)| id.as_str())
    }

    /// Checks that one of the keys has signed exactly these bytes. Takes some milliseconds for each
    /// MiB.
    pub fn check(&self, bytes: &[u8], signature: Option<&str>) -> Result<Trusted, TrustError> {
        let text = signature.ok_or(TrustError::Unsigned)?;
        if u64::try_from(text.len()).is_ok_and(|length| length > LONGEST) {
            return Err(TrustError::Malformed { reason: "it is longer than 4 KiB" });
        }
        let signature = Signature::decode(text).map_err(|error| malformed(&error))?;
        let line = text.lines().nth(1).and_then(bytes_of);
        let Some(([_, kind], key_id)) = line.as_deref().and_then(head) else {
            return Err(TrustError::Malformed { reason: "its second line is not base64" });
        };
        if kind != b'D' {
            return Err(TrustError::Legacy { key_id });
        }
        let Some((_, key)) = self.keys.iter().find(|(id, _)| *id == key_id) else {
            return Err(TrustError::UnknownKey { key_id });
        };
        match key.verify(bytes, &signature, false) {
            Ok(()) => Ok(Trusted { key_id, comment: shown(signature.trusted_comment()) }),
            Err(_) => Err(TrustError::WrongSignature { key_id }),
        }
    }
}

fn public_key(index: usize, text: &str) -> Result<(String, PublicKey), TrustError> {
    let refused = |reason| TrustError::Key { index, reason };
    let lines = text.lines().map(str::trim);
    let mut lines = lines.filter(|line| !line.is_empty() && !line.starts_with(COMMENT));
    let line = lines.next().ok_or_else(|| refused("it is empty"))?;
    if lines.next().is_some() {
        return Err(refused("it has more than one line"));
    }
    let bytes = bytes_of(line).ok_or_else(|| refused("it is not base64"))?;
    if bytes.starts_with(b"Ed") && bytes.len() == SECRET_KEY {
        return Err(TrustError::SecretKey { index });
    }
    if bytes.len() != 42 {
        return Err(refused("it does not have 42 bytes"));
    }
    let Some(([b'E', b'd'], key_id)) = head(&bytes) else {
        return Err(refused("it does not begin with RW"));
    };
    let key = PublicKey::from_base64(line).map_err(|_| refused("it is not base64"))?;
    Ok((key_id, key))
}

/// The algorithm and the id of the key, with which both keys and signatures begin.
fn head(bytes: &[u8]) -> Option<([u8; 2], String)> {
    let (algorithm, rest) = bytes.split_first_chunk::<2>()?;
    let (id, _) = rest.split_first_chunk::<8>()?;
    Some((*algorithm, format!("{:016X}", u64::from_le_bytes(*id))))
}

fn bytes_of(line: &str) -> Option<Vec<u8>> {
    STANDARD.decode(line).ok()
}

fn malformed(error: &Error) -> TrustError {
    let reason = match error {
        Error::UnsupportedAlgorithm => "its algorithm is unknown",
        _ => "it does not have minisign's four lines",
    };
    TrustError::Malformed { reason }
}

/// What of a comment a terminal can be given.
fn shown(comment: &str) -> String {
    let visible = comment.chars().filter_map(|character| match character {
        '\t' => Some(' '),
        // Those that turn the direction of writing, break lines or cannot be seen.
        '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' => None,
        other if other.is_control() || matches!(other, '\u{061C}' | '\u{FEFF}') => None,
        other => Some(other),
    });
    let mut shown: String = visible.clone().take(LONGEST_COMMENT).collect();
    if visible.count() > LONGEST_COMMENT {
        shown.pop();
        shown.push('…');
    }
    shown
}
