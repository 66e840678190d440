//! What follows from a token's claims: scopes, pinned arguments, settings, a role.
//! Never: verifies a token.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Pattern;
use crate::backend::FunctionTraits;
use crate::config::{JwtConfig, PinMissing};
use crate::problem::{Kind, Problem};

/// The longest value of a setting, in bytes.
const LONGEST_SETTING: usize = 8 << 10;

/// What one issuer's claims mean.
pub(super) struct Rules {
    scopes: Vec<Pattern>,
    scopes_claim: Option<String>,
    pins: Vec<(Pattern, BTreeMap<String, String>)>,
    pin_missing: PinMissing,
    settings: BTreeMap<String, String>,
    roles: Vec<(Pattern, String)>,
    allowed_roles: Vec<String>,
}

/// What a call gets from its caller's claims.
#[derive(Debug, Default)]
pub(crate) struct Bound {
    /// Settings of its transactions.
    pub(crate) settings: Vec<(String, String)>,
    /// The role that it asks for.
    pub(crate) role: Option<String>,
}

impl Rules {
    /// From a configuration that was checked.
    pub(super) fn new(config: &JwtConfig) -> Self {
        let pins = config.pins.iter();
        let roles = config.roles.iter();
        Self {
            scopes: config.scopes.iter().filter_map(|scope| Pattern::parse(scope)).collect(),
            scopes_claim: config.scopes_claim.clone(),
            pins: pins.filter_map(|(on, pins)| Some((Pattern::parse(on)?, pins.clone()))).collect(),
            pin_missing: config.pin_missing,
            settings: config.settings.clone(),
            roles: roles
                .filter_map(|(on, claim)| Some((Pattern::parse(on)?, claim.clone())))
                .collect(),
            allowed_roles: config.allowed_roles.clone(),
        }
    }

    /// The scopes of a token: the issuer's, and those that its claim names. What is no scope there
    /// is meant for others.
    pub(super) fn scopes(&self, claims: &Map<String, Value>) -> Vec<Pattern> {
        let mut scopes = self.scopes.clone();
        let claim = self.scopes_claim.as_deref().and_then(|name| claim(claims, name));
        match claim {
            Some(Value::String(text)) => {
                scopes.extend(text.split_ascii_whitespace().filter_map(Pattern::parse));
            }
            Some(Value::Array(texts)) => {
                let texts = texts.iter().filter_map(Value::as_str);
                scopes.extend(texts.filter_map(Pattern::parse));
            }
            _ => {}
        }
        scopes
    }

    /// Sets the pinned arguments of a call, and tells what else its claims give it.
    pub(super) fn bind(
        &self,
        claims: &Map<String, Value>,
        slot: &str,
        function: &str,
        traits: &FunctionTraits,
        arguments: &mut Map<String, Value>,
    ) -> Result<Bound, Problem> {
        let meant = self.pins.iter().filter(|(pattern, _)| pattern.covers(slot, function));
        for (argument, name) in meant.flat_map(|(_, pins)| pins) {
            let parameter = traits.parameters.iter().find(|known| known.name == *argument);
            match (parameter, self.pin_missing) {
                (Some(parameter), _) => {
                    let value = needed(claims, name)?;
                    let value = if parameter.is_text {
                        text(value)?.into_owned().into()
                    } else {
                        value.clone()
                    };
                    pin(arguments, argument, value)?;
                }
                (None, PinMissing::Ignore) => {}
                (None, PinMissing::Refuse) => {
                    let detail = format!(
                        "{slot}.{function} has no parameter {argument} to tie the call to its caller"
                    );
                    return Err(Problem::new(Kind::Forbidden, detail)
                        .with_hint("set `pin-missing = \"ignore\"`, or pin fewer functions"));
                }
            }
        }
        let mut settings = Vec::with_capacity(self.settings.len());
        for (setting, name) in &self.settings {
            settings.push((setting.clone(), text(needed(claims, name)?)?.into_owned()));
        }
        Ok(Bound { settings, role: self.role(claims, slot, function)? })
    }

    fn role(
        &self,
        claims: &Map<String, Value>,
        slot: &str,
        function: &str,
    ) -> Result<Option<String>, Problem> {
        let meant = self.roles.iter().find(|(pattern, _)| pattern.covers(slot, function));
        let Some((_, name)) = meant else { return Ok(None) };
        let role = text(needed(claims, name)?)?;
        if self.allowed_roles.iter().any(|allowed| *allowed == role) {
            return Ok(Some(role.into_owned()));
        }
        Err(Problem::new(Kind::Forbidden, "The token names a role that is not allowed here.")
            .with_hint("list it in `allowed-roles` if it is meant"))
    }
}

/// The caller may leave a pinned argument out or send the very value.
fn pin(arguments: &mut Map<String, Value>, name: &str, value: Value) -> Result<(), Problem> {
    match arguments.get(name) {
        Some(given) if !given.is_null() && *given != value => {
            let detail = format!("The argument {name} is set from your token, to another value.");
            Err(Problem::new(Kind::Pinned, detail).with_hint(format!("leave {name} out")))
        }
        _ => {
            arguments.insert(name.to_owned(), value);
            Ok(())
        }
    }
}

/// A claim by its name, or else by its path: `app_metadata.tenant`.
fn claim<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    if let Some(value) = claims.get(name) {
        return Some(value);
    }
    let (first, rest) = name.split_once('.')?;
    claim(claims.get(first)?.as_object()?, rest)
}

/// What a rule needs must be there: without it the call would be nobody's.
fn needed<'a>(claims: &'a Map<String, Value>, name: &str) -> Result<&'a Value, Problem> {
    claim(claims, name).filter(|value| !value.is_null()).ok_or_else(|| {
        Problem::new(
            Kind::Forbidden,
            format!("The token has no claim {name}, which is needed here."),
        )
        .with_hint("get a token that has it")
    })
}

/// A claim as text: what is no text as JSON.
fn text(value: &Value) -> Result<Cow<'_, str>, Problem> {
    let text = match value {
        Value::String(text) => Cow::Borrowed(text.as_str()),
        other => Cow::Owned(other.to_string()),
    };
    // Postgres takes no NUL in a text.
    if text.len() > LONGEST_SETTING || text.contains('\0') {
        return Err(Problem::new(Kind::Forbidden, "A claim of the token can not be used here."));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::backend::{Parameter, Repeat};

    fn rules(text: &str) -> Rules {
        let common = "issuer = \"i\"\naudience = [\"a\"]\nalgorithms = [\"ES256\"]\n\
            keys = { jwks-file = \"k\" }\nscopes = [\"chat.*\"]\n";
        Rules::new(&toml::from_str(&format!("{common}{text}")).expect("toml"))
    }

    fn object(value: Value) -> Map<String, Value> {
        let Value::Object(object) = value else { panic!("not an object") };
        object
    }

    fn bind(
        rules: &Rules,
        claims: Value,
        arguments: Value,
    ) -> Result<(Map<String, Value>, Bound), Kind> {
        let parameter = |name: &str, is_text| Parameter { name: name.into(), is_text };
        let parameters = vec![parameter("userId", true), parameter("limit", false)];
        let traits = FunctionTraits { repeat: Repeat::No, parameters, cache: None };
        let mut arguments = object(arguments);
        rules
            .bind(&object(claims), "chat", "get-chats", &traits, &mut arguments)
            .map(|bound| (arguments, bound))
            .map_err(|problem| problem.kind)
    }

    #[test]
    fn a_pinned_argument_comes_from_the_claim_and_from_nowhere_else() {
        let rules = rules("pins = { \"chat.*\" = { userId = \"sub\" } }");
        let claims = json!({"sub": "u1"});
        for sent in [json!({}), json!({"userId": "u1"}), json!({"userId": null})] {
            let (arguments, _) = bind(&rules, claims.clone(), sent).expect("bound");
            assert_eq!(arguments, object(json!({"userId": "u1"})));
        }
        for sent in [json!({"userId": "u2"}), json!({"userId": ["u1"]}), json!({"userId": ""})] {
            assert_eq!(bind(&rules, claims.clone(), sent).err(), Some(Kind::Pinned));
        }
        assert_eq!(bind(&rules, json!({}), json!({})).err(), Some(Kind::Forbidden));
    }

    #[test]
    fn a_function_without_the_pinned_parameter_is_refused_unless_said_otherwise() {
        let pins = "pins = { \"chat.*\" = { tenant = \"sub\" } }";
        let claims = json!({"sub": "u1"});
        let refused = bind(&rules(pins), claims.clone(), json!({}));
        assert_eq!(refused.err(), Some(Kind::Forbidden));
        let ignoring = rules(&format!("{pins}\npin-missing = \"ignore\""));
        assert!(bind(&ignoring, claims, json!({})).is_ok());
    }

    #[test]
    fn settings_and_roles_come_from_claims_and_are_needed() {
        let rules = rules(
            "settings = { \"app.user_id\" = \"sub\", \"app.tenant\" = \"meta.tenant\" }\n\
             roles = { \"chat.*\" = \"role\" }\nallowed-roles = [\"member\"]",
        );
        let claims = json!({"sub": "u1", "meta": {"tenant": 7}, "role": "member"});
        let (_, bound) = bind(&rules, claims, json!({})).expect("bound");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(bound.settings, [pair("app.tenant", "7"), pair("app.user_id", "u1")]);
        assert_eq!(bound.role.as_deref(), Some("member"));
        for claims in [
            json!({"sub": "u1", "meta": {"tenant": 7}, "role": "postgres"}),
            json!({"sub": "u1", "meta": {"tenant": 7}}),
            json!({"sub": "u1", "meta": 7, "role": "member"}),
            json!({"sub": "u\0", "meta": {"tenant": 7}, "role": "member"}),
        ] {
            assert_eq!(bind(&rules, claims, json!({})).err(), Some(Kind::Forbidden));
        }
    }

    #[test]
    fn scopes_of_a_claim_are_a_text_or_an_array() {
        let rules = rules("scopes-claim = \"scope\"");
        let covers = |claims: Value| {
            rules.scopes(&object(claims)).iter().any(|scope| scope.covers("auth", "get-user"))
        };
        assert!(covers(json!({"scope": "openid auth.*"})));
        assert!(covers(json!({"scope": ["auth.get-user"]})));
        assert!(!covers(json!({"scope": {"auth.*": true}})));
        assert!(!covers(json!({})));
    }
}
