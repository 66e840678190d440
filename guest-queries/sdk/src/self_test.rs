//! A component's own test, which the host runs before each generation serves (`wit/component`).
//! Owns how checks are run and what is told of them. Never: writes; the host lets a test only read.

use diesel::Connection as _;

use crate::bindings::avenire::database::types::Error;
use crate::{Failure, database};

/// Exports a function as the component's own test.
///
/// ```text
/// avenire_sdk::self_test!(self_test);
///
/// fn self_test(checks: &mut Checks) {
///     checks.check("chats can be listed", || chats::get_chats_by_user_id("self-test", 1));
/// }
/// ```
#[macro_export]
macro_rules! self_test {
    ($test:path) => {
        #[doc(hidden)]
        mod avenire_self_test {
            ::avenire_sdk::wit_bindgen::generate!({
                path: [],
                inline: "
                    package avenire:component@0.1.0;
                    interface self-test { run: func() -> result<_, list<string>>; }
                    world tested { export self-test; }
                ",
                world: "avenire:component/tested@0.1.0",
                runtime_path: "::avenire_sdk::wit_bindgen::rt",
                pub_export_macro: false,
            });
        }

        #[doc(hidden)]
        struct AvenireSelfTest;

        impl avenire_self_test::exports::avenire::component::self_test::Guest for AvenireSelfTest {
            fn run() -> ::std::result::Result<(), ::std::vec::Vec<::std::string::String>> {
                let mut checks = $crate::Checks::default();
                $test(&mut checks);
                checks.finish()
            }
        }

        #[cfg(target_family = "wasm")]
        const _: () = {
            avenire_self_test::export!(AvenireSelfTest with_types_in avenire_self_test);
        };
    };
}

/// The checks of a component's own test, and what they found.
#[derive(Debug, Default)]
pub struct Checks {
    problems: Vec<String>,
}

impl Checks {
    /// Runs a query for its failure alone: `what` says what must be possible, such as `chats can be
    /// listed`. That a row does not exist, or belongs to somebody, is no fault. One check that fails
    /// does not touch those after it.
    pub fn check<T>(&mut self, what: &str, query: impl FnOnce() -> Result<T, Failure>) {
        match database().transaction(|_| query()) {
            Ok(_) | Err(Failure::NotFound(_) | Failure::Forbidden(_)) => {}
            Err(failure) => self.problems.push(format!("{what}: {}", reason(&failure))),
        }
    }

    /// Says that something else is wrong, in one sentence.
    pub fn problem(&mut self, problem: impl Into<String>) {
        self.problems.push(problem.into());
    }

    /// All that is wrong.
    #[doc(hidden)]
    pub fn finish(self) -> Result<(), Vec<String>> {
        if self.problems.is_empty() { Ok(()) } else { Err(self.problems) }
    }
}

fn reason(failure: &Failure) -> String {
    match failure {
        Failure::NotFound(what) => format!("{what} was not found"),
        Failure::Forbidden(what) => format!("{what} is not for everybody"),
        Failure::Invalid(invalid) => format!("{}: {}", invalid.argument, invalid.message),
        Failure::Conflict(conflict) => conflict.message.clone(),
        Failure::Database(Error::Database(error)) => {
            format!("{} (SQLSTATE {})", error.message, error.code)
        }
        Failure::Database(
            Error::Invalid(text)
            | Error::Timeout(text)
            | Error::Unavailable(text)
            | Error::Denied(text)
            | Error::Other(text),
        ) => text.clone(),
        Failure::Database(Error::Limit(limit)) => {
            format!("more than the {} that are allowed", limit.maximum)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::invalid;

    #[test]
    fn problems_are_told_together() {
        let mut checks = Checks::default();
        assert_eq!(Checks::default().finish(), Ok(()));
        checks.problem("a");
        checks.problem(format!("b: {}", reason(&invalid("limit", "0 is none"))));
        assert_eq!(checks.finish(), Err(vec!["a".to_owned(), "b: limit: 0 is none".to_owned()]));
    }
}
