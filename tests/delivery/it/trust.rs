//! Signatures as the minisign tools make them, checked against the keys of a manifest.
#![expect(clippy::unwrap_used, reason = "a test that fails panics")]

use std::sync::atomic::{AtomicU8, Ordering};

use avenire_delivery::{Keys, TrustError, Trusted, read_signature, signature_file};
use avenire_delivery_tests::Pair;

const COMPONENT: &[u8] = b"the bytes of a component";

/// Another pair each time.
fn pair() -> Pair {
    static NUMBER: AtomicU8 = AtomicU8::new(1);
    Pair::new(NUMBER.fetch_add(1, Ordering::Relaxed))
}

fn id(pair: &Pair) -> String {
    pair.id()
}

fn sign(pair: &Pair, bytes: &[u8], comment: &str) -> String {
    pair.sign(bytes, comment)
}

fn keys(pairs: &[&Pair]) -> Keys {
    let keys: Vec<String> = pairs.iter().map(|pair| pair.public()).collect();
    Keys::parse(&keys).unwrap()
}

/// A key, and its signature of [`COMPONENT`], made by the authors' own crate `minisign` 0.7.9.
const MADE_BY_MINISIGN: (&str, &str) = (
    "RWSBmSMnyHKD8NYsWaXZ4Dac87FlvvvsgEb6wg9+Nneplknd4Uq5r5tA",
    "untrusted comment: signature\n\
     RUSBmSMnyHKD8MbPW8WGO+Fv3uVMgQ5p/CruAfraPR+HMw67Upm3jmI/0vWWXLpCOZvQ8C2skpS23all2YZ3pEVaknzHcK7s0Aw=\n\
     trusted comment: release 1\n\
     vc6bOJmz59RfdveEy2HHF8SyZctlM3VU1vt4IDkoqFvd9jYYNm28Q1grq6NA4s2uqkLiLfGaJEGVVsHGfUwcDw==\n",
);

#[test]
fn a_signature_that_minisign_made_is_trusted() {
    let (key, signature) = MADE_BY_MINISIGN;
    let keys = Keys::parse(&[key.to_owned()]).unwrap();
    let trusted = keys.check(COMPONENT, Some(signature)).unwrap();
    assert_eq!(trusted.comment, "release 1");
    assert!(keys.check(b"the bytes of another", Some(signature)).is_err());
}

#[test]
fn a_component_signed_by_any_of_the_keys_is_trusted() {
    let (first, second) = (pair(), pair());
    let keys = keys(&[&first, &second]);
    assert!(!keys.is_empty());
    assert_eq!(keys.ids().collect::<Vec<_>>(), [id(&first), id(&second)]);
    for pair in [&first, &second] {
        let signature = sign(pair, COMPONENT, "release 1.2.3");
        let trusted = keys.check(COMPONENT, Some(&signature)).unwrap();
        let comment = "release 1.2.3".to_owned();
        assert_eq!(trusted, Trusted { key_id: id(pair), comment });
        // As an editor on Windows would leave it.
        let signature = signature.replace('\n', "\r\n");
        assert_eq!(keys.check(COMPONENT, Some(&signature)).unwrap(), trusted);
    }
}

#[test]
fn an_unsigned_component_is_refused_when_keys_are_named() {
    assert_eq!(keys(&[&pair()]).check(COMPONENT, None), Err(TrustError::Unsigned));
    let none = Keys::parse(&[]).unwrap();
    assert!(none.is_empty());
    let pair = pair();
    let signature = sign(&pair, COMPONENT, "");
    let unknown = Err(TrustError::UnknownKey { key_id: id(&pair) });
    assert_eq!(none.check(COMPONENT, Some(&signature)), unknown);
}

#[test]
fn another_key_is_unknown_by_its_id() {
    let (ours, other) = (pair(), pair());
    let signature = sign(&other, COMPONENT, "");
    let refused = keys(&[&ours]).check(COMPONENT, Some(&signature)).unwrap_err();
    assert_eq!(refused, TrustError::UnknownKey { key_id: id(&other) });
    assert!(refused.to_string().contains(&id(&other)));
}

#[test]
fn a_changed_byte_or_the_signature_of_another_file_is_a_wrong_signature() {
    let pair = pair();
    let keys = keys(&[&pair]);
    let wrong = Err(TrustError::WrongSignature { key_id: id(&pair) });
    let signature = sign(&pair, COMPONENT, "");
    for index in 0..COMPONENT.len() {
        let mut changed = COMPONENT.to_vec();
        changed[index] ^= 1;
        assert_eq!(keys.check(&changed, Some(&signature)), wrong);
    }
    assert_eq!(keys.check(b"", Some(&signature)), wrong);
    let other = sign(&pair, b"another file", "");
    assert_eq!(keys.check(COMPONENT, Some(&other)), wrong);
}

#[test]
fn a_changed_comment_is_a_wrong_signature() {
    let pair = pair();
    let signature = sign(&pair, COMPONENT, "release 1");
    let forged = signature.replace("release 1", "release 2");
    assert_ne!(forged, signature);
    let wrong = Err(TrustError::WrongSignature { key_id: id(&pair) });
    assert_eq!(keys(&[&pair]).check(COMPONENT, Some(&forged)), wrong);
}

#[test]
fn a_signature_that_calls_itself_another_keys_is_wrong() {
    let (ours, other) = (pair(), pair());
    let (good, bad) = (sign(&ours, COMPONENT, "a"), sign(&other, COMPONENT, "a"));
    let (good, bad): (Vec<&str>, Vec<&str>) = (good.lines().collect(), bad.lines().collect());
    // The algorithm and the id of the key are the first ten bytes; twelve are sixteen characters.
    let second = format!("{}{}", &good[1][..16], &bad[1][16..]);
    let forged = [good[0], &second, bad[2], bad[3]].join("\n");
    let wrong = Err(TrustError::WrongSignature { key_id: id(&ours) });
    assert_eq!(keys(&[&ours]).check(COMPONENT, Some(&forged)), wrong);
}

#[test]
fn a_signature_of_the_old_format_is_refused() {
    let pair = pair();
    let signature = sign(&pair, COMPONENT, "");
    // `Ed` instead of `ED`.
    let legacy = signature.replace("\nRU", "\nRW");
    assert_ne!(legacy, signature);
    let refused = Err(TrustError::Legacy { key_id: id(&pair) });
    assert_eq!(keys(&[&pair]).check(COMPONENT, Some(&legacy)), refused);
}

#[test]
fn garbage_is_malformed_and_never_panics() {
    let pair = pair();
    let keys = keys(&[&pair]);
    let good = sign(&pair, COMPONENT, "a");
    let second = good.lines().nth(1).unwrap();
    let cases = [
        String::new(),
        "garbage".to_owned(),
        "\n\n\n\n".to_owned(),
        good.replace(second, "****"),
        good.replace(second, &second[..20]),
        good.replace("trusted comment: a", "trusted"),
        good.replace("\nRU", "\nAA"),
        format!("{good}{}", "x".repeat(5000)),
    ];
    for case in cases {
        let refused = keys.check(COMPONENT, Some(&case)).unwrap_err();
        assert!(matches!(refused, TrustError::Malformed { .. }), "{refused:?} of {case:?}");
        assert!(!refused.hint().is_empty());
    }
    for cut in 0..good.trim_end().len() {
        assert!(keys.check(COMPONENT, Some(&good[..cut])).is_err(), "cut at {cut}");
    }
}

#[test]
fn the_comment_is_one_line_without_control_characters() {
    let pair = pair();
    let keys = keys(&[&pair]);
    let comment = "time:1\tfile:\u{1b}[31mchat\u{7}\u{202e}msaw\u{9b}";
    let signature = sign(&pair, COMPONENT, comment);
    let trusted = keys.check(COMPONENT, Some(&signature)).unwrap();
    assert_eq!(trusted.comment, "time:1 file:[31mchatmsaw");

    let long = sign(&pair, COMPONENT, &"é".repeat(1000));
    let trusted = keys.check(COMPONENT, Some(&long)).unwrap();
    assert_eq!(trusted.comment, format!("{}…", "é".repeat(199)));
}

#[test]
fn a_key_that_is_none_is_refused_by_its_index() {
    let good = pair().public();
    let cut = good[..40].to_owned();
    let other = good.replacen("RW", "RU", 1);
    for bad in ["", "RW", "not base64 at all", "untrusted comment: alone", &cut, &other] {
        let refused = Keys::parse(&[good.clone(), bad.to_owned()]).unwrap_err();
        assert!(matches!(refused, TrustError::Key { index: 1, .. }), "{refused:?} of {bad:?}");
        assert!(refused.to_string().starts_with("key 2 "), "{refused}");
    }
    let two = format!("{good}\n{}", pair().public());
    assert!(matches!(Keys::parse(&[two]), Err(TrustError::Key { index: 0, .. })));
}

#[test]
fn a_key_that_is_there_twice_is_refused() {
    let (first, second) = (pair(), pair());
    let all = [&first, &second, &first].map(Pair::public);
    let refused = Keys::parse(&all).unwrap_err();
    assert_eq!(refused, TrustError::SameKey { index: 2, first: 0, key_id: id(&first) });
}

#[test]
fn the_content_of_a_key_file_is_a_key() {
    let pair = pair();
    let file = pair.public_file();
    assert!(file.lines().count() > 1, "{file}");
    let keys = Keys::parse(&[format!("\n{file}\n")]).unwrap();
    let signature = sign(&pair, COMPONENT, "");
    assert_eq!(keys.check(COMPONENT, Some(&signature)).unwrap().key_id, id(&pair));
}

#[test]
fn a_secret_key_among_the_public_ones_is_named_and_not_shown() {
    let pair = pair();
    let file = pair.secret_file();
    let secret = file.lines().nth(1).unwrap();
    for text in [file.clone(), secret.to_owned()] {
        let refused = Keys::parse(&[text]).unwrap_err();
        assert_eq!(refused, TrustError::SecretKey { index: 0 });
        assert!(!format!("{refused} {refused:?}").contains(&secret[..20]));
    }
}

#[test]
fn a_signature_is_read_from_beside_the_component() {
    let folder = tempfile::tempdir().unwrap();
    let component = folder.path().join("chat.wasm");
    let file = signature_file(&component);
    assert_eq!(file, folder.path().join("chat.wasm.minisig"));
    assert_eq!(read_signature(&component), Ok(None));
    let text = sign(&pair(), COMPONENT, "release");
    std::fs::write(&file, &text).unwrap();
    assert_eq!(read_signature(&component), Ok(Some(text)));
}

#[test]
fn a_signature_file_that_is_too_large_or_none_is_unreadable() {
    let folder = tempfile::tempdir().unwrap();
    let component = folder.path().join("chat.wasm");
    let file = signature_file(&component);
    let unreadable = |reason: &str| {
        let refused = read_signature(&component).unwrap_err();
        assert!(matches!(refused, TrustError::Unreadable { .. }), "{refused:?}");
        assert!(refused.to_string().contains(reason), "{refused}");
    };
    std::fs::write(&file, vec![b'a'; 4096]).unwrap();
    assert_eq!(read_signature(&component).unwrap().unwrap().len(), 4096);
    std::fs::write(&file, vec![b'a'; 4097]).unwrap();
    unreadable("4 KiB");
    std::fs::write(&file, [0xff, 0xfe]).unwrap();
    unreadable("UTF-8");
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    unreadable("regular file");
    std::fs::remove_dir(&file).unwrap();
    // Nobody writes to it: opening it would wait for ever.
    let made = std::process::Command::new("mkfifo").arg(&file).status().unwrap();
    assert!(made.success());
    unreadable("regular file");
}
