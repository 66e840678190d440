//! The mapping between JSON and a function's own types, both ways, and the words for
//! what does not fit.

use anyhow::{Context as _, Result, bail};
use avenire_app::engine::{Blame, CallError};
use serde_json::{Value, json};

use crate::run;
use crate::stage::Stage;

/// Numbers as they are written, however large: `json!` would go through f64.
fn exact(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

fn scalars() -> Value {
    exact(
        r#"{"truth":true,"small":255,"signedSmall":-128,"medium":65535,"signedMedium":-32768,
        "large":4294967295,"signedLarge":-2147483648,"huge":18446744073709551615,
        "signedHuge":-9223372036854775808,"single":0.1,"double":1.7976931348623157e+308,
        "letter":"ß","text":"a\u0000\"😀"}"#,
    )
}

fn parts() -> Value {
    exact(
        r#"{"bytes":"AAH/","numbers":[9223372036854775807,-1],"pair":["a",9007199254740993],
        "maybe":"x","maybeMaybe":{"tag":"some","val":7},"outcome":{"tag":"ok","val":1},
        "bareOutcome":{"tag":"err"},
        "shapes":[{"tag":"point"},{"tag":"circle","val":1.5},
            {"tag":"named","val":{"firstName":"Ada","nickName":null}}],
        "colour":"dark-green","rights":["read","write-all"],"at":"2026-01-31T12:00:00.000001Z",
        "document":{"b":[1,null],"a":123456789012345678901234567890.10},
        "labels":[{"firstName":"Bo","nickName":"B"}]}"#,
    )
}

/// The value with what is at a JSON pointer replaced.
fn with(mut value: Value, pointer: &str, replacement: Value) -> Value {
    *value.pointer_mut(pointer).expect("a place in the value") = replacement;
    value
}

/// The value without a key of the object at a JSON pointer.
fn without(mut value: Value, pointer: &str, key: &str) -> Value {
    let object = value.pointer_mut(pointer).and_then(Value::as_object_mut).expect("an object");
    object.shift_remove(key).expect("a key of the object");
    value
}

async fn echo(function: &str, value: Value) -> Result<Value> {
    Stage::shared().await?.ok(&format!("steady.{function}"), json!({"value": value})).await
}

/// Path and message of the refusal of an argument.
async fn refusal(function: &str, arguments: Value) -> Result<(String, String)> {
    let stage = Stage::shared().await?;
    let error = stage.error(&format!("steady.{function}"), arguments).await?;
    assert_eq!(error.blame(), Blame::Caller, "{error:?}");
    match error {
        CallError::Argument { path, message } => Ok((path, message)),
        other => bail!("another error: {other:?}"),
    }
}

#[test]
fn every_type_survives_the_way_there_and_back() -> Result<()> {
    run(async {
        // Compared as text too, which tells 1.0 from 1 and shows every digit.
        for (function, value) in [("echo-scalars", scalars()), ("echo-parts", parts())] {
            let answer = echo(function, value.clone()).await?;
            assert_eq!(answer.to_string(), value.to_string());
        }
        Ok(())
    })
}

#[test]
fn integers_keep_every_digit_and_may_come_as_strings() -> Result<()> {
    run(async {
        let value = with(scalars(), "/huge", json!("18446744073709551615"));
        let value = with(value, "/signedHuge", json!("-9223372036854775808"));
        assert_eq!(echo("echo-scalars", value).await?.to_string(), scalars().to_string());
        Ok(())
    })
}

#[test]
fn integers_beyond_their_range_and_fractions_are_refused() -> Result<()> {
    run(async {
        for (key, number) in [
            ("small", "256"),
            ("signedSmall", "-129"),
            ("medium", "-1"),
            ("large", "4294967296"),
            ("huge", "18446744073709551616"),
            ("signedHuge", "9223372036854775808"),
            ("large", "1.0"),
            ("large", "1e+3"),
        ] {
            let value = with(scalars(), &format!("/{key}"), exact(number));
            let (path, message) = refusal("echo-scalars", json!({"value": value})).await?;
            assert_eq!(path, format!("value.{key}"));
            assert!(message.ends_with(&format!("found {number}")), "{message}");
        }
        Ok(())
    })
}

#[test]
fn floats_keep_their_value_and_their_special_ones() -> Result<()> {
    run(async {
        for special in ["NaN", "Infinity", "-Infinity"] {
            for place in ["/single", "/double"] {
                let value = with(scalars(), place, json!(special));
                let answer = echo("echo-scalars", value).await?;
                assert_eq!(answer.pointer(place), Some(&json!(special)));
            }
        }
        for (place, number) in [("/double", "5e-324"), ("/double", "0.1"), ("/single", "16777216")]
        {
            let answer = echo("echo-scalars", with(scalars(), place, exact(number))).await?;
            let same: f64 = answer.pointer(place).context("a number")?.to_string().parse()?;
            assert_eq!(same.to_bits(), number.parse::<f64>()?.to_bits(), "{number}");
        }
        for (key, number) in [("double", "1e400"), ("single", "1e39"), ("single", "-1e39")] {
            let value = with(scalars(), &format!("/{key}"), exact(number));
            let (path, message) = refusal("echo-scalars", json!({"value": value})).await?;
            assert_eq!(
                (path, message),
                (format!("value.{key}"), "the number is out of range".into())
            );
        }
        Ok(())
    })
}

#[test]
fn options_inside_options_stay_apart() -> Result<()> {
    run(async {
        for (given, answered) in [
            ("null", "null"),
            (r#"{"tag":"some","val":null}"#, r#"{"tag":"some","val":null}"#),
            (r#"{"tag":"some","val":5}"#, r#"{"tag":"some","val":5}"#),
        ] {
            let answer = echo("echo-parts", with(parts(), "/maybeMaybe", exact(given))).await?;
            assert_eq!(answer["maybeMaybe"].to_string(), answered);
        }
        // An absent key is an absent value, at every depth and as a parameter.
        let value = without(without(parts(), "", "maybe"), "", "maybeMaybe");
        let answer = echo("echo-parts", without(value, "/labels/0", "nickName")).await?;
        assert_eq!(
            (&answer["maybe"], &answer["maybeMaybe"], &answer["labels"][0]["nickName"]),
            (&Value::Null, &Value::Null, &Value::Null)
        );
        let stage = Stage::shared().await?;
        let answer = stage.ok("steady.echo-two", json!({"firstValue": "a"})).await?;
        assert_eq!(answer, json!(["a", null]));
        Ok(())
    })
}

#[test]
fn documents_pass_as_they_are() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        for document in ["null", "[]", r#""text""#, "1e+400", "0.10", r#"{"z":1,"a":{"b":[true]}}"#]
        {
            let arguments = json!({"document": exact(document)});
            assert_eq!(stage.ok("steady.text-of", arguments).await?, json!(document));
            let answer = stage.ok("steady.json-of", json!({"text": document})).await?;
            assert_eq!(answer.to_string(), document);
        }
        Ok(())
    })
}

#[test]
fn timestamps_are_utc_microseconds() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        for (text, micros) in [
            ("1970-01-01T00:00:00Z", 0_i64),
            ("1969-12-31T23:59:59.999999Z", -1),
            ("0000-01-01T00:00:00Z", -62_167_219_200_000_000),
            ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
            ("infinity", i64::MAX),
            ("-infinity", i64::MIN),
        ] {
            assert_eq!(stage.ok("steady.micros-of", json!({"at": text})).await?, json!(micros));
            let answer = stage.ok("steady.timestamp-of", json!({"unixMicros": micros})).await?;
            assert_eq!(answer, json!(text));
        }
        let offset = json!({"at": "2026-01-31T12:00:00+01:00"});
        assert_eq!(stage.ok("steady.micros-of", offset).await?, json!(1_769_857_200_000_000_i64));
        for wrong in [json!("2026-01-31"), json!("yesterday"), json!(0)] {
            let (path, message) = refusal("micros-of", json!({"at": wrong})).await?;
            assert_eq!(path, "at");
            assert!(message.contains("RFC 3339"), "{message}");
        }
        Ok(())
    })
}

#[test]
fn a_result_that_is_not_what_its_type_says_is_the_components_fault() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        for (function, arguments, word) in [
            ("steady.json-of", json!({"text": "{"}), "JSON"),
            ("steady.timestamp-of", json!({"unixMicros": i64::MAX - 1}), "timestamp"),
        ] {
            let error = stage.error(function, arguments).await?;
            assert_eq!((error.kind(), error.blame()), ("trapped", Blame::Guest), "{error:?}");
            assert!(error.to_string().contains(word), "{error}");
        }
        Ok(())
    })
}

#[test]
fn a_failure_is_told_apart_from_a_success() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        let label = json!({"firstName": "Ada", "nickName": null});
        let outcome = json!({"outcome": {"tag": "err", "val": label}});
        assert_eq!(stage.failure("steady.echo-outcome", outcome).await?, label);
        let outcome = json!({"outcome": {"tag": "ok", "val": parts()}});
        assert_eq!(stage.ok("steady.echo-outcome", outcome).await?, parts());
        let bare = |tag| json!({"outcome": {"tag": tag}});
        assert_eq!(stage.ok("steady.echo-bare-outcome", bare("ok")).await?, Value::Null);
        assert_eq!(stage.failure("steady.echo-bare-outcome", bare("err")).await?, Value::Null);
        assert_eq!(stage.ok("steady.nothing", json!({})).await?, Value::Null);
        Ok(())
    })
}

#[test]
fn a_wrong_value_is_named_with_its_path() -> Result<()> {
    run(async {
        let cases = [
            ("/bytes", json!("@"), "value.bytes", "expected base64"),
            ("/bytes", json!([1, 256]), "value.bytes[1]", "expected u8"),
            ("/numbers/1", json!("x"), "value.numbers[1]", "expected s64"),
            ("/numbers", json!({}), "value.numbers", "expected list<s64>, found an object"),
            ("/pair", json!(["a"]), "value.pair", "expected 2 elements, found 1"),
            ("/pair/1", json!(-1), "value.pair[1]", "expected u64"),
            ("/maybe", json!(7), "value.maybe", "expected string, found a number"),
            ("/shapes/1/val", json!("big"), "value.shapes[1].val", "expected a number"),
            ("/shapes/1", json!("circle"), "value.shapes[1].val", "is missing"),
            ("/shapes/0", json!({"tag": "point", "val": 1}), "value.shapes[0]", "has no `val`"),
            ("/shapes/0", json!({"tag": "pont"}), "value.shapes[0]", "the nearest is `point`"),
            ("/shapes/0", json!({"val": 1}), "value.shapes[0]", "`tag` is missing"),
            ("/shapes/0", json!({"tag": "point", "x": 1}), "value.shapes[0]", "unknown field `x`"),
            (
                "/shapes/2/val/firstName",
                json!(1),
                "value.shapes[2].val.firstName",
                "expected string",
            ),
            ("/outcome/val", json!(-1), "value.outcome.val", "expected u32"),
            ("/outcome/tag", json!("oh"), "value.outcome", "unknown tag `oh`"),
            ("/colour", json!("darkgreen"), "value.colour", "the nearest is `dark-green`"),
            ("/colour", json!("#0f0"), "value.colour", "there are `red`, `dark-green`"),
            ("/rights/1", json!("wrote-all"), "value.rights[1]", "the nearest is `write-all`"),
            ("/rights", json!("read"), "value.rights", "flags { read, write-all }"),
            ("/labels/0", json!(null), "value.labels[0]", "expected an object, found null"),
        ];
        for (pointer, wrong, path, words) in cases {
            let value = with(parts(), pointer, wrong);
            let (found, message) = refusal("echo-parts", json!({"value": value})).await?;
            assert_eq!(found, path, "{message}");
            assert!(message.contains(words), "{path}: {message}");
        }
        let value = with(scalars(), "/letter", json!("ab"));
        let (path, message) = refusal("echo-scalars", json!({"value": value})).await?;
        assert_eq!(
            (path.as_str(), message.as_str()),
            ("value.letter", "expected a string of one character")
        );
        Ok(())
    })
}

#[test]
fn missing_and_unknown_fields_are_named_with_the_nearest() -> Result<()> {
    run(async {
        let value = without(parts(), "/labels/0", "firstName");
        let (path, message) = refusal("echo-parts", json!({"value": value})).await?;
        assert_eq!(
            (path.as_str(), message.as_str()),
            ("value.labels[0].firstName", "is missing; expected string")
        );

        let value = with(parts(), "/labels/0", json!({"firstName": "Bo", "nickname": "B"}));
        let (path, message) = refusal("echo-parts", json!({"value": value})).await?;
        assert_eq!(path, "value.labels[0]");
        assert_eq!(message, "unknown field `nickname`; the nearest is `nickName`");

        let (path, message) = refusal("echo-two", json!({"secondValue": 1})).await?;
        assert_eq!(
            (path.as_str(), message.as_str()),
            ("firstValue", "is missing; expected string")
        );
        let wrong = json!({"firstValue": "a", "second-value": 1});
        let (path, message) = refusal("echo-two", wrong).await?;
        assert_eq!(path, "arguments");
        assert_eq!(message, "unknown parameter `second-value`; the nearest is `secondValue`");
        let (_, message) = refusal("nothing", json!({"x": 1})).await?;
        assert_eq!(message, "unknown parameter `x`; there are none");
        Ok(())
    })
}

#[test]
fn an_error_does_not_repeat_what_may_be_secret_or_endless() -> Result<()> {
    run(async {
        let arguments = json!({"firstValue": "a", "secondValue": {"password": "hunter2"}});
        let (_, message) = refusal("echo-two", arguments).await?;
        assert!(!message.contains("hunter2"), "{message}");
        let long = "k\n".repeat(10_000);
        let (_, message) = refusal("echo-two", json!({"firstValue": "a", long: 1})).await?;
        assert!(message.len() < 300 && !message.contains('\n'), "{message}");
        let long = exact(&"9".repeat(10_000));
        let arguments = json!({"firstValue": "a", "secondValue": long});
        let (_, message) = refusal("echo-two", arguments).await?;
        assert!(message.len() < 300, "{message}");
        Ok(())
    })
}

#[test]
fn an_unknown_function_is_named_with_the_nearest() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        let error = stage.error("steady.echo-scalar", json!({})).await?;
        assert_eq!(error.blame(), Blame::Caller);
        assert_eq!(
            error.to_string(),
            "the component steady has no function echo-scalar; the nearest is echo-scalars"
        );
        // The name in camelCase, as in JSON, is as good as the one in WIT.
        let answer =
            stage.ok("steady.echoTwo", json!({"firstValue": "a", "secondValue": 1})).await?;
        assert_eq!(answer, json!(["a", 1]));
        Ok(())
    })
}
