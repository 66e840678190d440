//! Notifications of one connection (PostgreSQL documentation, "LISTEN", "NOTIFY"). Owns who waits
//! for which channel. Never: keeps payloads, or connects again by itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::watch;

use crate::classify;
use crate::error::Error;

/// The most bytes a channel's name may have (`NAMEDATALEN` less one).
const MAXIMUM_NAME: usize = 63;

/// What tells that somebody has notified a channel: see [`Session::listen`](crate::Session::listen).
///
/// However many notifications arrive between two calls, they count as one, so that none waits in
/// memory and a slow reader loses nothing but repetitions: who is told looks at the tables itself.
#[derive(Debug)]
pub struct Notifications {
    rings: watch::Receiver<u64>,
    farewell: Arc<OnceLock<String>>,
}

impl Notifications {
    /// Waits until the channel was notified since the last call, or since listening began.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the connection has ended: what was notified since is lost.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn arrived(&mut self) -> Result<(), Error> {
        self.rings.changed().await.map_err(|_| self.lost())
    }

    fn lost(&self) -> Error {
        classify::lost_idle(self.farewell.get().map(String::as_str))
    }
}

/// The channels somebody of this connection listens to; none any more once it has ended.
#[derive(Debug)]
pub(crate) struct Channels {
    rings: Mutex<Option<HashMap<String, watch::Sender<u64>>>>,
}

impl Channels {
    pub(crate) fn new() -> Arc<Channels> {
        Arc::new(Channels { rings: Mutex::new(Some(HashMap::new())) })
    }

    /// From now on what arrives for the channel is told.
    pub(crate) fn subscribe(
        &self,
        channel: &str,
        farewell: &Arc<OnceLock<String>>,
    ) -> Result<Notifications, Error> {
        let farewell = Arc::clone(farewell);
        let mut rings = self.lock();
        let Some(channels) = rings.as_mut() else {
            return Err(classify::lost_idle(farewell.get().map(String::as_str)));
        };
        let sender = channels.entry(channel.to_owned()).or_insert_with(|| watch::Sender::new(0));
        Ok(Notifications { rings: sender.subscribe(), farewell })
    }

    pub(crate) fn ring(&self, channel: &str) {
        if let Some(sender) = self.lock().as_ref().and_then(|channels| channels.get(channel)) {
            sender.send_modify(|rings| *rings = rings.wrapping_add(1));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<HashMap<String, watch::Sender<u64>>>> {
        self.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells those who wait that the connection has ended, however its task ends.
pub(crate) struct UntilTheEnd(pub(crate) Arc<Channels>);

impl Drop for UntilTheEnd {
    fn drop(&mut self) {
        self.0.lock().take();
    }
}

/// The statement that begins to listen.
pub(crate) fn statement(channel: &str) -> Result<String, Error> {
    if channel.is_empty() || channel.len() > MAXIMUM_NAME || channel.contains('\0') {
        return Err(Error::invalid("a channel's name has 1 to 63 bytes, none of them zero"));
    }
    Ok(format!("listen \"{}\"", channel.replace('"', "\"\"")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_channel_cannot_leave_its_quotes() {
        assert_eq!(statement("a\"; drop table b").unwrap(), "listen \"a\"\"; drop table b\"");
        for name in ["", "a\0b", &"x".repeat(64)] {
            assert!(statement(name).is_err(), "{name:?}");
        }
    }

    #[tokio::test]
    async fn many_notifications_count_as_one_and_the_end_is_told() {
        let (channels, farewell) = (Channels::new(), Arc::default());
        let mut told = channels.subscribe("a", &farewell).unwrap();
        for _ in 0..3 {
            channels.ring("a");
            channels.ring("b");
        }
        told.arrived().await.unwrap();
        assert!(!told.rings.has_changed().unwrap());
        drop(UntilTheEnd(Arc::clone(&channels)));
        assert!(told.arrived().await.is_err());
        assert!(channels.subscribe("a", &farewell).is_err());
    }
}
