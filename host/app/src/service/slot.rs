//! One task for each slot, which brings it to what is wanted: the registry's generations, or a
//! file. A slot whose component compiles for long keeps no other one waiting.
//!
//! Never: gives up what serves for something that was refused.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use avenire_delivery::registry::{CanaryRecord, GenerationRecord, Registry, Rollback, SlotRecord};
use avenire_engine::{Blame, CanaryTerms, FellBack, Published, Slot};
use tokio::sync::{Notify, broadcast};
use tokio::task::JoinSet;

use super::{Ground, Notice, PATIENCE, Standing, signed, stored};
use crate::error::AppError;
use crate::host::Artifact;

/// What a slot is to serve.
pub(super) enum Wanted {
    /// What the registry says.
    Registry(Box<SlotRecord>),
    /// What a file holds, with its signature.
    File(Artifact, Option<String>),
}

/// Holds the latest that is wanted of a slot, by the registry and by a file.
#[derive(Clone, Default)]
pub(super) struct Inbox(Arc<(std::sync::Mutex<Places>, Notify)>);

#[derive(Default)]
struct Places {
    registry: Option<Wanted>,
    file: Option<Wanted>,
}

impl Inbox {
    /// Wants that, and nothing that the same side wanted before.
    pub(super) fn put(&self, wanted: Wanted) {
        let (places, bell) = &*self.0;
        let mut places = places.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let place = match &wanted {
            Wanted::Registry(_) => &mut places.registry,
            Wanted::File(..) => &mut places.file,
        };
        *place = Some(wanted);
        bell.notify_one();
    }

    async fn take(&self) -> Wanted {
        let (places, bell) = &*self.0;
        loop {
            let wanted = {
                let mut places = places.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                // The registry's first, since it decides whether the file counts.
                places.registry.take().or_else(|| places.file.take())
            };
            if let Some(wanted) = wanted {
                return wanted;
            }
            bell.notified().await;
        }
    }
}

/// A generation's number as the engine has it. The registry's begin with 1.
pub(super) fn number(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Begins a task for each slot.
pub(super) fn spawn(
    ground: &Arc<Ground>,
    stored: &BTreeMap<String, (u64, Artifact)>,
    in_registry: &BTreeSet<String>,
    tasks: &mut JoinSet<()>,
) -> BTreeMap<String, Inbox> {
    let mut inboxes = BTreeMap::new();
    for slot in ground.host.slots() {
        let inbox = Inbox::default();
        inboxes.insert(slot.name().to_owned(), inbox.clone());
        let worker = Worker {
            ground: Arc::clone(ground),
            fallen: slot.fallen(),
            slot: Arc::clone(slot),
            refused: BTreeMap::new(),
            revision: 0,
            reasons: BTreeMap::new(),
            highest: slot.generation(),
            in_registry: in_registry.contains(slot.name()),
            again: None,
            untold: None,
            pause: PAUSE,
            registered: stored.get(slot.name()).map(|(number, _)| *number).into_iter().collect(),
        };
        tasks.spawn(worker.run(inbox));
    }
    inboxes
}

struct Worker {
    ground: Arc<Ground>,
    slot: Arc<Slot>,
    fallen: broadcast::Receiver<FellBack>,
    /// Generations that this host could not take, or took back, with the revision of their slot
    /// then: not tried again until somebody has changed it.
    refused: BTreeMap<u64, i64>,
    /// The revision that is followed.
    revision: i64,
    /// Why, for those of them that the registry may still want.
    reasons: BTreeMap<u64, String>,
    /// The highest number so far, for generations that come from files.
    highest: u64,
    /// The generations of the registry that the slot has had since it serves what the registry
    /// says. Those that came from files before have numbers of their own.
    registered: BTreeSet<u64>,
    /// Whether the registry has a generation for the slot, so that its file does not count.
    in_registry: bool,
    /// What could not be followed for a reason that may pass.
    again: Option<SlotRecord>,
    /// What the slot took back without the registry knowing yet.
    untold: Option<FellBack>,
    /// How long until either is tried again.
    pause: Duration,
}

/// The first pause before something is tried again; each is twice as long as the one before.
const PAUSE: Duration = Duration::from_secs(1);

/// The longest one.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

impl Worker {
    async fn run(mut self, inbox: Inbox) {
        loop {
            tokio::select! {
                biased;
                Ok(fell) = self.fallen.recv() => self.fell_back(fell).await,
                wanted = inbox.take() => match wanted {
                    Wanted::Registry(record) => self.follow(&record).await,
                    Wanted::File(artifact, signature) => self.take_file(artifact, signature).await,
                },
                () = tokio::time::sleep(self.pause), if self.is_to_try_again() => {
                    self.pause = (self.pause * 2).min(LONGEST_PAUSE);
                    if let Some(fell) = self.untold.take() {
                        self.tell_of(fell).await;
                    }
                    if let Some(record) = self.again.take() {
                        self.follow(&record).await;
                    }
                }
            }
        }
    }

    fn is_to_try_again(&self) -> bool {
        self.again.is_some() || self.untold.is_some()
    }

    fn name(&self) -> &str {
        self.slot.name()
    }

    async fn take_file(&mut self, artifact: Artifact, signature: Option<String>) {
        if self.in_registry {
            let from = artifact.from;
            return self.refuse(from, &AppError::Registered { component: self.name().to_owned() });
        }
        let number = self.highest + 1;
        let signature = signature.as_deref();
        let taken = match signed(&self.ground.keys, self.name(), &artifact.bytes, signature) {
            Ok(()) => {
                let Ground { host, project, .. } = &*self.ground;
                host.swap(project, self.slot.name(), &artifact, number).await
            }
            Err(error) => Err(error),
        };
        match taken {
            Ok(published) => {
                self.highest = number;
                self.published(published);
            }
            Err(error) => self.refuse(artifact.from, &error),
        }
    }

    /// Serves what the registry says.
    async fn follow(&mut self, record: &SlotRecord) {
        let Some(serving) = &record.serving else { return };
        if !self.in_registry {
            // Their numbers were those of files.
            self.refused.clear();
            self.reasons.clear();
            self.in_registry = true;
        }
        self.again = None;
        self.revision = record.revision;
        self.refused.retain(|_, revision| *revision >= record.revision);
        let wanted = number(serving.number);
        let serves = self.registered.contains(&wanted) && self.slot.generation() == wanted;
        if !serves && !self.refused.contains_key(&wanted) {
            match self.serve(serving).await {
                Ok(published) => {
                    self.registered.insert(wanted);
                    self.reasons.remove(&wanted);
                    self.published(published);
                }
                Err(error) => self.could_not(serving, &error).await,
            }
        }
        self.follow_canary(record.canary.as_ref()).await;
        if self.again.is_some() {
            self.again = Some(record.clone());
        } else if self.untold.is_none() {
            self.pause = PAUSE;
        }
        let refused = [Some(serving), record.canary.as_ref().map(|canary| &canary.generation)];
        let mut refused = refused.into_iter().flatten().map(|one| one.number);
        let refused = refused.rfind(|one| self.reasons.contains_key(&number(*one)));
        let reason = refused.and_then(|one| self.reasons.get(&number(one)).cloned());
        let standing = Standing { refused, reason, revision: record.revision };
        self.ground.stands(self.name(), standing);
    }

    /// What is in memory is served at once; anything else is fetched and validated.
    async fn serve(&mut self, serving: &GenerationRecord) -> Result<Published, AppError> {
        let wanted = number(serving.number);
        if self.slot.canary() == Some(wanted) {
            return Ok(self.slot.promote()?);
        }
        if self.slot.former() == Some(wanted) && self.registered.contains(&wanted) {
            return Ok(self.slot.roll_back()?);
        }
        let artifact = self.fetch(serving).await?;
        let Ground { host, project, .. } = &*self.ground;
        host.swap(project, self.name(), &artifact, wanted).await
    }

    async fn follow_canary(&mut self, canary: Option<&CanaryRecord>) {
        let Some(CanaryRecord { generation, terms }) = canary else {
            if let Ok(generation) = self.slot.abandon() {
                let component = self.name().to_owned();
                self.ground.tell(Notice::Abandoned { component, generation });
            }
            return;
        };
        let wanted = number(generation.number);
        let terms = CanaryTerms {
            share_per_mille: terms.share_per_mille,
            keys: terms.keys.iter().cloned().collect(),
        };
        if self.slot.canary() == Some(wanted) {
            // It can only have ended by itself meanwhile, which is told elsewhere.
            drop(self.slot.adjust(terms));
            return;
        }
        if self.refused.contains_key(&wanted) {
            return;
        }
        match self.try_out(generation, terms).await {
            Ok(()) => {
                self.reasons.remove(&wanted);
                let component = self.name().to_owned();
                self.ground.tell(Notice::Canary { component, generation: wanted });
            }
            Err(error) => self.could_not(generation, &error).await,
        }
    }

    async fn try_out(
        &mut self,
        generation: &GenerationRecord,
        terms: CanaryTerms,
    ) -> Result<(), AppError> {
        let artifact = self.fetch(generation).await?;
        let Ground { host, project, .. } = &*self.ground;
        let number = number(generation.number);
        host.try_out(project, self.name(), &artifact, number, terms).await
    }

    async fn fetch(&self, generation: &GenerationRecord) -> Result<Artifact, AppError> {
        let registry = self.ground.registry.as_ref().ok_or(AppError::NoRegistry)?;
        stored(registry, &self.ground.keys, generation).await
    }

    /// Tells, and waits for the former generation's calls beside everything else.
    fn published(&mut self, published: Published) {
        let component = self.name().to_owned();
        let (generation, former) = (published.generation, published.former);
        self.ground.tell(Notice::Serving { component: component.clone(), generation, former });
        let ground = Arc::clone(&self.ground);
        let patience = self.slot.limits().time + Duration::from_secs(1);
        tokio::spawn(async move {
            let drained = published.drained(patience).await;
            ground.tell(Notice::Drained { component, generation: former, drained });
        });
    }

    fn refuse(&self, from: std::path::PathBuf, error: &AppError) {
        let component = self.name().to_owned();
        let (reason, hint) = (error.with_causes(), error.hint());
        self.ground.tell(Notice::Refused { component, from, reason, hint });
    }

    /// A generation of the registry that this host can not take. What is the fault of the way to the
    /// database, or of a slot that changed meanwhile, is tried again.
    async fn could_not(&mut self, generation: &GenerationRecord, error: &AppError) {
        let number = number(generation.number);
        let is_damage = matches!(error, AppError::Registry(error) if error.is_damage());
        let passes = error.blame() == Blame::Database && !is_damage;
        if passes || matches!(error, AppError::Swap(_)) {
            self.again = Some(SlotRecord {
                component: self.name().to_owned(),
                revision: 0,
                serving: None,
                canary: None,
            });
        } else {
            self.refused.insert(number, self.revision);
        }
        self.reasons.insert(number, error.with_causes());
        let from = format!("generation {} of the registry", generation.number);
        self.refuse(from.into(), error);
        self.told_registry(generation.number, &error.with_causes()).await;
    }

    async fn told_registry(&self, generation: i64, reason: &str) {
        let Some(registry) = &self.ground.registry else { return };
        let deadline = Instant::now() + PATIENCE;
        let told =
            registry.refused(self.name(), generation, &self.ground.id, reason, deadline).await;
        if let Err(error) = told {
            tracing::warn!(%error, "the registry could not be told of a refusal");
        }
    }

    /// The slot took a generation back: the registry shall say so too, for all hosts.
    async fn fell_back(&mut self, fell: FellBack) {
        self.ground.tell(Notice::FellBack(fell.clone()));
        if !self.in_registry {
            // It came from a file, and has a number of its own.
            return;
        }
        self.refused.insert(fell.generation, self.revision);
        self.reasons.insert(fell.generation, fell.fault.to_string());
        let refused = i64::try_from(fell.generation).ok();
        let reason = Some(fell.fault.to_string());
        self.ground.stands(self.slot.name(), Standing { refused, reason, revision: 0 });
        self.tell_of(fell).await;
    }

    async fn tell_of(&mut self, fell: FellBack) {
        let Some(registry) = &self.ground.registry else { return };
        if let Err(error) = self.take_back(registry, &fell).await {
            tracing::warn!(%error, "the registry could not be told that a generation was taken back");
            // Unless somebody else has changed what serves meanwhile.
            self.untold = (error.blame() == Blame::Database).then_some(fell);
        }
    }

    async fn take_back(&self, registry: &Registry, fell: &FellBack) -> Result<(), AppError> {
        let deadline = Instant::now() + PATIENCE;
        let generation = i64::try_from(fell.generation).unwrap_or(i64::MAX);
        let by = format!("avenire-db on host {}", self.ground.id);
        let reason = fell.fault.to_string();
        let slots = registry.slots(deadline).await?;
        let record = slots.slots.iter().find(|one| one.component == self.name());
        let Some(record) = record else { return Ok(()) };
        let is = |one: Option<&GenerationRecord>| one.is_some_and(|one| one.number == generation);
        if is(record.canary.as_ref().map(|canary| &canary.generation)) {
            registry.abandon(self.name(), Some(generation), &by, Some(&reason), deadline).await?;
        } else if is(record.serving.as_ref()) {
            if record.canary.is_some() {
                // Nothing can be rolled back while a canary is on trial.
                registry.abandon(self.name(), None, &by, Some(&reason), deadline).await?;
            }
            let rollback = Rollback {
                component: self.name(),
                to: None,
                expected: Some(generation),
                by: &by,
                reason: Some(&reason),
            };
            registry.rollback(&rollback, deadline).await?;
        }
        Ok(())
    }
}
