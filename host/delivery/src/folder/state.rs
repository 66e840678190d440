//! One watched file: when it counts as written to the end, and what it holds then.
//! Never: takes a file that changed while it was read, or that ends before its sections do.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use super::bell::Heard;
use super::mailbox::Identity;
use super::route::Route;
use super::whole::{Form, form};
use super::{Changed, Problem, Trouble, WatchOptions};
use crate::file::{Found, NotRead, look, read};
use crate::trust::{NotTaken, signature_file, take};

/// After so long a second look is taken where a file system keeps whole or even seconds only.
const COARSE: Duration = Duration::from_millis(2_500);

/// A file, and its signature beside it.
pub(super) struct File {
    slot: String,
    path: PathBuf,
    signature: PathBuf,
    pub(super) route: Route,
    seen: Seen,
    /// When it became what was seen.
    since: Instant,
    /// How often it has changed since it was read.
    changes: u32,
    phase: Phase,
}

/// What lies at the two paths.
#[derive(PartialEq, Eq)]
struct Seen {
    component: Found,
    signature: Found,
}

enum Phase {
    /// Has changed, and may go on changing.
    Unsettled,
    /// Has stayed in trouble for the quiet period.
    Troubled(Trouble),
    /// Told; to be read again at this time if it cannot be told otherwise whether it changed.
    Settled(Option<Instant>),
}

/// What a look at a file found.
pub(super) enum Outcome {
    Content(Changed),
    Trouble(Problem),
}

/// Why there is no content.
enum NoContent {
    Moved,
    Trouble(Trouble),
}

impl File {
    /// Not looked at yet.
    pub(super) fn new(slot: String, path: PathBuf, now: Instant) -> Self {
        let signature = signature_file(&path);
        let seen = Seen { component: Found::Nothing, signature: Found::Nothing };
        let mut file = Self {
            slot,
            path,
            signature,
            route: Route::default(),
            seen,
            since: now,
            changes: 0,
            phase: Phase::Unsettled,
        };
        file.reroute();
        file
    }

    /// Finds the way to it anew.
    pub(super) fn reroute(&mut self) {
        self.route = Route::default();
        self.route.add(&self.path);
        self.route.add(&self.signature);
    }

    /// What it holds at the beginning, if it can be told. It is read once more when the quiet period
    /// is over.
    pub(super) fn found_at_start(&mut self, options: &WatchOptions) -> Option<Identity> {
        self.seen = self.look();
        let Changed { sha256, signature, .. } = self.content(options).ok()?;
        Some(Identity { sha256, signature })
    }

    /// Looks at it, and says what became of it and when to look again.
    pub(super) fn step(
        &mut self,
        heard: &Heard,
        options: &WatchOptions,
    ) -> (Option<Outcome>, Option<Instant>) {
        let now = Instant::now();
        let seen = self.look();
        if seen != self.seen || heard.names.iter().any(|name| self.route.names.contains(name)) {
            self.seen = seen;
            self.restless(now);
        }
        let trouble = match &self.phase {
            Phase::Unsettled => {
                let due = self.since + quiet(options, self.changes);
                return if now < due { (None, Some(due)) } else { self.read(now, options) };
            }
            Phase::Settled(Some(due)) if *due <= now => return self.read(now, options),
            Phase::Settled(due) => return (None, *due),
            Phase::Troubled(trouble) => trouble,
        };
        let due = self.since + options.patience;
        if now < due {
            return (None, Some(due));
        }
        let problem =
            Problem { slot: self.slot.clone(), path: self.path.clone(), what: trouble.clone() };
        // What the system refuses now it may allow without a trace in the file.
        let unreadable = matches!(trouble, Trouble::Unreadable { .. } | Trouble::Signature(_));
        let again = unreadable.then(|| now + options.patience);
        self.phase = Phase::Settled(again);
        (Some(Outcome::Trouble(problem)), again)
    }

    fn restless(&mut self, now: Instant) {
        self.since = now;
        self.changes = self.changes.saturating_add(1);
        self.phase = Phase::Unsettled;
    }

    fn read(&mut self, now: Instant, options: &WatchOptions) -> (Option<Outcome>, Option<Instant>) {
        match self.content(options) {
            Ok(changed) => {
                let first = matches!(self.phase, Phase::Unsettled);
                let coarse =
                    matches!(&self.seen.component, Found::File(stamp) if stamp.is_coarse());
                let again = (first && coarse).then(|| now + COARSE);
                self.phase = Phase::Settled(again);
                self.changes = 0;
                (Some(Outcome::Content(changed)), again)
            }
            Err(NoContent::Moved) => {
                self.restless(now);
                (None, Some(now + quiet(options, self.changes)))
            }
            Err(NoContent::Trouble(trouble)) => {
                self.phase = Phase::Troubled(trouble);
                (None, Some(now.max(self.since + options.patience)))
            }
        }
    }

    fn look(&self) -> Seen {
        Seen { component: look(&self.path), signature: look(&self.signature) }
    }

    fn content(&self, options: &WatchOptions) -> Result<Changed, NoContent> {
        let limit = options.largest;
        let stamp = match &self.seen.component {
            Found::Nothing => return Err(Trouble::Missing.into()),
            Found::Other => return Err(Trouble::NotAFile.into()),
            Found::Refused(reason) => return Err(unreadable(reason)),
            Found::File(stamp) if stamp.size > limit => {
                return Err(Trouble::TooLarge { size: stamp.size, limit }.into());
            }
            Found::File(stamp) => stamp,
        };
        let bytes = read(&self.path, stamp).map_err(|error| match error {
            NotRead::Moved => NoContent::Moved,
            NotRead::Refused(reason) => unreadable(&reason),
        })?;
        match form(&bytes) {
            Form::Whole => {}
            Form::Cut => return Err(Trouble::Cut { size: stamp.size }.into()),
            Form::Malformed => return Err(Trouble::Damaged.into()),
            Form::Module => return Err(Trouble::Module.into()),
            Form::Other => return Err(Trouble::NotAComponent.into()),
        }
        let signature =
            take(&self.signature, &self.seen.signature).map_err(|error| match error {
                NotTaken::Moved => NoContent::Moved,
                NotTaken::Refused(error) => Trouble::Signature(error).into(),
            })?;
        let sha256 = Sha256::digest(&bytes).into();
        // The two belong together only if neither moved while the other was read.
        if self.look() != self.seen {
            return Err(NoContent::Moved);
        }
        let (slot, path) = (self.slot.clone(), self.path.clone());
        Ok(Changed { slot, path, bytes, sha256, signature })
    }
}

/// The longer a file keeps changing, the longer it has to stay the same: up to ten times.
fn quiet(options: &WatchOptions, changes: u32) -> Duration {
    options.quiet.max(super::SHORTEST_QUIET) * (changes / 8).clamp(1, 10)
}

fn unreadable(reason: &str) -> NoContent {
    Trouble::Unreadable { reason: reason.to_owned() }.into()
}

impl From<Trouble> for NoContent {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}
