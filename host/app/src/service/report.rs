//! What a host tells the fleet of itself.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::Instant;

use avenire_delivery::registry::{HostReport, HostSlot, HostState};

use super::{Ground, PATIENCE, ServeOptions};

/// A new name among the hosts of a database: 64 random bits.
pub(super) fn new_id() -> String {
    format!("{:016x}", RandomState::new().hash_one(std::process::id()))
}

/// The machine's name, as far as it can be known without asking the network.
pub(crate) fn machine() -> String {
    let of_system = || std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = std::env::var("HOSTNAME").ok().or_else(of_system).unwrap_or_default();
    let name: String = name.trim().chars().filter(|c| !c.is_control()).take(100).collect();
    if name.is_empty() { "host".to_owned() } else { name }
}

/// Reports what serves, at each interval, for ever.
pub(super) async fn beat(ground: Arc<Ground>, options: ServeOptions) {
    let Some(registry) = &ground.registry else { return };
    let mut ticks = tokio::time::interval(options.interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = ground.changed.notified() => {}
        }
        let slots = slots(&ground);
        let report = HostReport {
            id: &ground.id,
            name: &options.name,
            version: env!("CARGO_PKG_VERSION"),
            interval: options.interval,
            slots: &slots,
        };
        if let Err(error) = registry.beat(&report, Instant::now() + PATIENCE).await {
            tracing::warn!(%error, "the host could not report to the registry");
        }
    }
}

fn slots(ground: &Ground) -> Vec<HostSlot> {
    let signed = |number: u64| i64::try_from(number).ok();
    let standings = ground.standings();
    let slots = ground.host.slots();
    slots
        .map(|slot| {
            let standing = standings.get(slot.name()).cloned().unwrap_or_default();
            let refused = standing.refused.is_some();
            HostSlot {
                component: slot.name().to_owned(),
                generation: signed(slot.generation()),
                canary: slot.canary().and_then(signed),
                refused: standing.refused,
                state: if refused { HostState::Refused } else { HostState::Serving },
                reason: standing.reason,
                revision: standing.revision,
                since: None,
            }
        })
        .collect()
}
