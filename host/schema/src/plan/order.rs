//! The order of the steps, and which file each one is in.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use super::work::{Key, Rank, Work};
use super::{Phase, Step};
use crate::catalog::Id;

/// What each object needs.
type Needs = BTreeMap<Id, BTreeSet<Id>>;

/// The phases of the files, in order; from the third on they repeat.
const PHASES: [Phase; 5] =
    [Phase::EnumValues, Phase::Main, Phase::Concurrent, Phase::Validate, Phase::Finish];

/// Orders the steps so that what an object needs is there before it and gone after it. Where
/// objects need each other in a circle, the class decides.
pub(super) fn steps(works: Vec<Work>, from: &Needs, to: &Needs) -> Vec<Step> {
    let after = edges(&works, from, to);
    let order = sorted(&works, &after, &vec![0; works.len()]);
    let mut levels = vec![0; works.len()];
    for &one in &order {
        let Some(work) = works.get(one) else { continue };
        let before = after.iter().filter(|(_, next)| next.contains(&one));
        let least = before.filter_map(|(earlier, _)| levels.get(*earlier).copied()).max();
        if let Some(level) = levels.get_mut(one) {
            *level = level_of(work.phase, least.unwrap_or(0));
        }
    }
    let order = sorted(&works, &after, &levels);
    numbered(works, &order, &levels)
}

/// Numbers the files that are needed.
fn numbered(works: Vec<Work>, order: &[usize], levels: &[usize]) -> Vec<Step> {
    let used: BTreeSet<usize> = levels.iter().copied().collect();
    let wholes = wholes(&works, levels);
    let mut works: Vec<Option<Work>> = works.into_iter().map(Some).collect();
    let mut ordered: Vec<(usize, Work)> = Vec::new();
    for &one in order {
        let level = levels.get(one).copied().unwrap_or_default();
        if let Some(mut work) = works.get_mut(one).and_then(Option::take) {
            if work.goes_with.as_ref().is_some_and(|key| wholes.contains(&(key.clone(), level))) {
                work.down = Some(Vec::new());
                work.down_hazards.clear();
            }
            let last = ordered.last_mut().filter(|(before, _)| *before == level);
            let apart = match last {
                Some((_, last)) => last.join(work),
                None => Some(work),
            };
            ordered.extend(apart.map(|work| (level, work)));
        }
    }
    let file = |level| used.iter().position(|used| *used == level).unwrap_or_default();
    let step = |(level, work): (usize, Work)| work.into_step(phase_of(level), file(level));
    ordered.into_iter().map(step).collect()
}

/// What begins in which file, as far as anything goes with it.
fn wholes(works: &[Work], levels: &[usize]) -> BTreeSet<(Key, usize)> {
    let asked: BTreeSet<&Key> = works.iter().filter_map(|work| work.goes_with.as_ref()).collect();
    let given = works
        .iter()
        .zip(levels)
        .flat_map(|(work, level)| work.gives.iter().map(move |key| (key, *level)));
    given.filter(|(key, _)| asked.contains(key)).map(|(key, level)| (key.clone(), level)).collect()
}

fn phase_of(level: usize) -> Phase {
    let place = if level < PHASES.len() { level } else { 2 + (level - 2) % 3 };
    PHASES.get(place).copied().unwrap_or(Phase::Finish)
}

/// The first file from `least` on that a step of this phase may be in. What belongs to the main
/// phase and has to wait for a later one is as good in a transaction that finishes.
fn level_of(phase: Phase, least: usize) -> usize {
    let fits = |level: &usize| {
        let this = phase_of(*level);
        this == phase || (phase == Phase::Main && this == Phase::Finish)
    };
    (least..least + 2 * PHASES.len()).find(fits).unwrap_or(least)
}

/// For each step the steps that come after it.
fn edges(works: &[Work], from: &Needs, to: &Needs) -> BTreeMap<usize, BTreeSet<usize>> {
    let givers = index(works, |work| &work.gives);
    let takers = index(works, |work| &work.takes);
    let mut after: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    let mut edge = |earlier: usize, later: usize| {
        if earlier != later {
            after.entry(earlier).or_default().insert(later);
        }
    };
    for (number, work) in works.iter().enumerate() {
        let needed = work.gives.iter().filter_map(|key| needs(key, to)).flatten().map(Key::Id);
        let schemas = work.gives.iter().filter_map(schema);
        for key in needed.chain(schemas).chain(work.after.iter().cloned()) {
            givers.get(&key).into_iter().flatten().for_each(|&giver| edge(giver, number));
        }
        let needed = work.takes.iter().filter_map(|key| needs(key, from)).flatten().map(Key::Id);
        let schemas = work.takes.iter().filter_map(schema);
        for key in needed.chain(schemas).chain(work.before.iter().cloned()) {
            takers.get(&key).into_iter().flatten().for_each(|&taker| edge(number, taker));
        }
        for key in &work.takes {
            for &giver in givers.get(key).into_iter().flatten() {
                let other = works.get(giver);
                let other_takes = other.is_some_and(|other| other.takes.contains(key));
                if !(work.gives.contains(key) && other_takes) {
                    edge(number, giver);
                }
            }
        }
    }
    after
}

/// The schema that something is in.
fn schema(key: &Key) -> Option<Key> {
    let (Key::Relation(name) | Key::Type(name)) = key else { return None };
    Some(Key::Id(Id::Schema(name.schema.clone())))
}

fn index<'a>(
    works: &'a [Work],
    keys: impl Fn(&'a Work) -> &'a Vec<Key>,
) -> BTreeMap<&'a Key, Vec<usize>> {
    let mut index: BTreeMap<&Key, Vec<usize>> = BTreeMap::new();
    for (number, work) in works.iter().enumerate() {
        for key in keys(work) {
            index.entry(key).or_default().push(number);
        }
    }
    index
}

/// What an object needs. A sequence does not need the column that owns it: the column's default
/// needs the sequence, and it is told later whose it is.
fn needs<'a>(key: &Key, all: &'a Needs) -> Option<impl Iterator<Item = Id> + use<'a>> {
    let Key::Id(id) = key else { return None };
    let sequence = matches!(id, Id::Sequence(_));
    let needs = all.get(id)?.iter().cloned();
    Some(needs.filter(move |need| !(sequence && matches!(need, Id::Column(..) | Id::Table(_)))))
}

/// Topological, the smallest of what is free first.
fn sorted(
    works: &[Work],
    after: &BTreeMap<usize, BTreeSet<usize>>,
    levels: &[usize],
) -> Vec<usize> {
    let mut waits = vec![0_usize; works.len()];
    for later in after.values().flatten() {
        if let Some(count) = waits.get_mut(*later) {
            *count += 1;
        }
    }
    let key = |one: usize| -> Option<(usize, &Rank, usize)> {
        Some((*levels.get(one)?, &works.get(one)?.rank, one))
    };
    let mut left: BTreeSet<_> = (0..works.len()).filter_map(key).collect();
    let free = |waits: &[usize], one: usize| waits.get(one) == Some(&0);
    let mut heap: BinaryHeap<_> =
        left.iter().filter(|one| free(&waits, one.2)).copied().map(Reverse).collect();
    let mut order = Vec::with_capacity(works.len());
    while let Some(next) = heap.pop().map(|Reverse(next)| next).or_else(|| left.first().copied()) {
        if !left.remove(&next) {
            continue;
        }
        order.push(next.2);
        for &later in after.get(&next.2).into_iter().flatten() {
            let Some(count) = waits.get_mut(later) else { continue };
            *count = count.saturating_sub(1);
            if *count == 0
                && let Some(key) = key(later)
            {
                heap.push(Reverse(key));
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::super::work::Class;
    use super::*;
    use crate::catalog::QName;

    fn table(name: &str) -> Id {
        Id::Table(QName::new("public", name))
    }

    fn names(steps: &[Step]) -> Vec<&str> {
        steps.iter().map(|step| step.what.as_str()).collect()
    }

    #[test]
    fn what_is_needed_comes_first_and_goes_last() {
        let needs = Needs::from([(table("a"), BTreeSet::from([table("b")]))]);
        let create = |name: &str| Work::new(Class::Table, name, name).gives([table(name)]);
        let ordered = steps(vec![create("a"), create("b")], &Needs::new(), &needs);
        assert_eq!(names(&ordered), ["b", "a"]);
        let drop = |name: &str| Work::new(Class::Table, name, name).takes([table(name)]);
        let ordered = steps(vec![drop("b"), drop("a")], &needs, &Needs::new());
        assert_eq!(names(&ordered), ["a", "b"]);
    }

    #[test]
    fn a_circle_does_not_keep_anything_out() {
        let needs = Needs::from([
            (table("a"), BTreeSet::from([table("b")])),
            (table("b"), BTreeSet::from([table("a")])),
        ]);
        let create = |name: &str| Work::new(Class::Table, name, name).gives([table(name)]);
        let ordered = steps(vec![create("b"), create("a")], &Needs::new(), &needs);
        assert_eq!(names(&ordered), ["a", "b"]);
    }

    #[test]
    fn what_waits_for_a_later_phase_is_in_a_later_file() {
        let works = vec![
            Work::new(Class::Table, "a", "index").phase(Phase::Concurrent).gives([table("i")]),
            Work::new(Class::Table, "a", "key").after([table("i")]).gives([table("k")]),
            Work::new(Class::Table, "a", "check").phase(Phase::Validate).after([table("k")]),
        ];
        let ordered = steps(works, &Needs::new(), &Needs::new());
        assert_eq!(names(&ordered), ["index", "key", "check"]);
        let phases: Vec<_> = ordered.iter().map(|step| (step.phase, step.file)).collect();
        let expected = [(Phase::Concurrent, 0), (Phase::Finish, 1), (Phase::Validate, 2)];
        assert_eq!(phases, expected);
    }
}
