//! What a service tells of what changes.

use std::path::PathBuf;

use avenire_delivery::registry::Following;
use avenire_engine::{Drained, FellBack};

/// Something changed, or could not.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Notice {
    /// Another generation serves.
    Serving {
        /// The slot.
        component: String,
        /// The generation that serves now.
        generation: u64,
        /// The one that served before.
        former: u64,
    },
    /// The calls of a former generation have ended.
    Drained {
        /// The slot.
        component: String,
        /// The former generation.
        generation: u64,
        /// How they ended.
        drained: Drained,
    },
    /// A generation gets some of the calls.
    Canary {
        /// The slot.
        component: String,
        /// The generation.
        generation: u64,
    },
    /// A canary gets no calls any more.
    Abandoned {
        /// The slot.
        component: String,
        /// The generation.
        generation: u64,
    },
    /// A component was refused; what serves goes on.
    Refused {
        /// The slot.
        component: String,
        /// Where it came from.
        from: PathBuf,
        /// Everything that is wrong with it.
        reason: String,
        /// What to do.
        hint: Option<String>,
    },
    /// The host itself took a generation back.
    FellBack(FellBack),
    /// How the registry is followed has changed.
    Following(Following),
}

impl Notice {
    /// One line for a person.
    pub fn text(&self) -> String {
        match self {
            Self::Serving { component, generation, former } if generation == former => {
                format!("{component}: generation {generation} of the registry serves, not the file")
            }
            Self::Serving { component, generation, former } => {
                format!("{component}: generation {generation} serves, in place of {former}")
            }
            Self::Drained { component, generation, drained } => format!(
                "{component}: generation {generation} drained, {} calls in {} ms{}",
                drained.calls,
                drained.took.as_millis(),
                if drained.left == 0 { String::new() } else { format!(", {} left", drained.left) }
            ),
            Self::Canary { component, generation } => {
                format!("{component}: generation {generation} gets some of the calls")
            }
            Self::Abandoned { component, generation } => {
                format!("{component}: generation {generation} gets no calls any more")
            }
            Self::Refused { component, from, reason, .. } => {
                format!("{component}: {} was refused: {reason}", from.display())
            }
            Self::FellBack(FellBack { component, generation, to, fault }) => {
                format!("{component}: generation {generation} was taken back for {to}: {fault}")
            }
            Self::Following(Following::Listening) => "the registry is followed".to_owned(),
            Self::Following(Following::Polling { reason }) => {
                format!("the registry is looked at now and then: {reason}")
            }
            Self::Following(Following::Failing { reason }) => {
                format!("the registry can not be read: {reason}")
            }
            Self::Following(_) => "the registry is about to be followed".to_owned(),
        }
    }

    pub(super) fn log(&self) {
        match self {
            Self::Refused { .. } | Self::FellBack(_) => tracing::error!("{}", self.text()),
            Self::Following(Following::Failing { .. }) => tracing::warn!("{}", self.text()),
            _ => tracing::info!("{}", self.text()),
        }
    }
}
