//! Signs as minisign does (its manual, "Signature format"), with keys that are the same each time.
//! Only for tests: the product checks signatures and never makes one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_compact::{KeyPair, Noise, Seed};

/// A pair of keys.
pub struct Pair {
    id: [u8; 8],
    keys: KeyPair,
}

impl Pair {
    /// The pair of that number.
    pub fn new(number: u8) -> Self {
        let keys = KeyPair::from_seed(Seed::new([number; Seed::BYTES]));
        Self { id: [number, 2, 3, 4, 5, 6, 7, 0xff], keys }
    }

    /// The id as minisign prints it: as a number in hexadecimal digits.
    pub fn id(&self) -> String {
        format!("{:016X}", u64::from_le_bytes(self.id))
    }

    /// The public key on one line.
    pub fn public(&self) -> String {
        STANDARD.encode([b"Ed".as_slice(), &self.id, self.keys.pk.as_slice()].concat())
    }

    /// The content of the file of the public key.
    pub fn public_file(&self) -> String {
        format!("untrusted comment: minisign public key {}\n{}\n", self.id(), self.public())
    }

    /// The content of the file of the secret key, not encrypted.
    pub fn secret_file(&self) -> String {
        let head = [b"Ed\0\0B2".as_slice(), &[0; 48], &self.id].concat();
        let secret = [head.as_slice(), self.keys.sk.as_slice(), &[0; 32]].concat();
        format!("untrusted comment: minisign secret key\n{}\n", STANDARD.encode(secret))
    }

    /// The content of the signature file of a file with these bytes.
    pub fn sign(&self, bytes: &[u8], comment: &str) -> String {
        let digest = blake2b_simd::blake2b(bytes);
        let sign = |bytes: &[u8]| *self.keys.sk.sign(bytes, None::<Noise>);
        let signature = sign(digest.as_bytes());
        let line = STANDARD.encode([b"ED".as_slice(), &self.id, &signature].concat());
        let global = sign(&[signature.as_slice(), comment.as_bytes()].concat());
        format!(
            "untrusted comment: signature\n{line}\ntrusted comment: {comment}\n{}\n",
            STANDARD.encode(global)
        )
    }
}
