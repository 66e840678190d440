//! Remembers which error of the host stands behind which of Diesel's. Diesel keeps only
//! parts of an error, behind a trait object that can not be cast back; the SQLSTATE would
//! be lost on the way to a contract's failure.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::bindings::avenire::database::types::Error;

type Live = Vec<(usize, Arc<Error>)>;

/// Addresses of the live `Registered` values and what they stand for. Short: a function
/// holds one error at a time, as a rule.
static LIVE: Mutex<Live> = Mutex::new(Vec::new());

/// An error of the host that is found by its own address while it lives. Always boxed, so
/// that the address stays and nothing else has it.
#[derive(Debug)]
pub(super) struct Registered {
    error: Arc<Error>,
    /// What `message` gives for errors that are not Postgres'.
    summary: String,
}

impl Registered {
    #[expect(clippy::unnecessary_box_returns, reason = "its address is what it is found by")]
    pub(super) fn new(error: Error, summary: String) -> Box<Self> {
        let registered = Box::new(Self { error: Arc::new(error), summary });
        live().push((address_of(&*registered), Arc::clone(&registered.error)));
        registered
    }

    pub(super) fn error(&self) -> &Error {
        &self.error
    }

    pub(super) fn summary(&self) -> &str {
        &self.summary
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let address = address_of(self);
        live().retain(|(other, _)| *other != address);
    }
}

/// The error of the host at this address, if one lives there.
pub(super) fn find<T: ?Sized>(value: &T) -> Option<Arc<Error>> {
    let address = address_of(value);
    live().iter().find(|(other, _)| *other == address).map(|(_, error)| Arc::clone(error))
}

fn live() -> MutexGuard<'static, Live> {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn address_of<T: ?Sized>(value: &T) -> usize {
    std::ptr::from_ref(value).cast::<()>().addr()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(found: Option<&Error>) -> Option<String> {
        match found {
            Some(Error::Other(text)) => Some(text.clone()),
            _ => None,
        }
    }

    #[test]
    fn an_error_is_found_while_it_lives_and_not_after() {
        let first = Registered::new(Error::Other("first".into()), String::new());
        let second = Registered::new(Error::Other("second".into()), String::new());
        assert_eq!(text(find(&*first).as_deref()).as_deref(), Some("first"));
        let address = address_of(&*first);
        drop(first);
        assert_eq!(text(find(&*second).as_deref()).as_deref(), Some("second"));
        assert!(live().iter().all(|(other, error)| {
            *other != address || !matches!(&**error, Error::Other(text) if text == "first")
        }));
    }

    #[test]
    fn something_else_is_not_found() {
        let _error = Registered::new(Error::Other("third".into()), String::new());
        assert_eq!(text(find("text").as_deref()), None);
    }
}
