//! Which rules there are, how bad a breach is, and which hazard announces it.
//! Never: looks at a statement.

use squawk_linter::Rule;

use super::finding::Severity;

use Severity::{Advice, Error, Warning};
use Source::{Branches, Catalog, Linter, Own};

/// A rule of the check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleInfo {
    /// Its name, as findings and `-- check: allow` have it.
    pub name: &'static str,
    /// How bad a breach is.
    pub severity: Severity,
    /// The hazards that it is about. A comment with one of them before the statement acknowledges it.
    pub hazards: &'static [&'static str],
}

type Hazards = &'static [&'static str];

const NONE: Hazards = &[];
const DELETES: Hazards = &["deletes-data"];
const BREAKS: Hazards = &["breaks-callers"];
const DELETES_OR_BREAKS: Hazards = &["deletes-data", "breaks-callers"];
const REWRITES: Hazards = &["rewrites-table", "blocks-reads-and-writes"];
const BLOCKS: Hazards = &["blocks-reads-and-writes"];
const WRITES: Hazards = &["blocks-writes", "blocks-reads-and-writes"];
const FAILS: Hazards = &["may-fail", "blocks-writes", "blocks-reads-and-writes"];
const REQUIRES: Hazards = &["may-fail", "breaks-callers"];

/// Where a rule comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    /// The linter squawk. Not used are its rules about timeouts and `begin` (the runner has set a
    /// lock timeout and begun the transaction), about statements that can be run again (a file is
    /// applied once), of taste (`text` instead of `varchar`), and those that rules of our own say
    /// better.
    Linter,
    /// Our own, about the statements of files.
    Own,
    /// Our own, about a catalog.
    Catalog,
    /// Our own, about the snapshots beside the files.
    Branches,
}

/// All rules, by what they have in common.
const RULES: &[(Source, Severity, Hazards, &[&str])] = &[
    (Linter, Warning, WRITES, &["require-concurrent-index-creation", "require-concurrent-reindex"]),
    (
        Linter,
        Warning,
        BLOCKS,
        &[
            "prefer-repack",
            "require-concurrent-index-deletion",
            "require-concurrent-partition-detach",
        ],
    ),
    (
        Linter,
        Warning,
        FAILS,
        &[
            "adding-foreign-key-constraint",
            "adding-not-nullable-field",
            "adding-serial-primary-key-field",
            "ban-alter-domain-with-add-constraint",
            "constraint-missing-not-valid",
            "disallowed-unique-constraint",
        ],
    ),
    (Linter, Warning, REQUIRES, &["adding-required-field"]),
    (Linter, Warning, REWRITES, &["adding-field-with-default", "changing-column-type"]),
    (
        Linter,
        Warning,
        BREAKS,
        &[
            "ban-drop-domain",
            "ban-drop-function",
            "ban-drop-type",
            "ban-drop-view",
            "ban-set-schema",
            "renaming-column",
            "renaming-object",
            "renaming-table",
        ],
    ),
    (
        Linter,
        Warning,
        DELETES_OR_BREAKS,
        &["ban-drop-column", "ban-drop-extension", "ban-drop-sequence", "ban-drop-table"],
    ),
    (Linter, Warning, DELETES, &["ban-drop-schema"]),
    (Linter, Warning, NONE, &["identifier-too-long"]),
    (Linter, Error, NONE, &["ban-drop-database", "ban-duplicate-column-assignments"]),
    (Linter, Advice, NONE, &["ban-char-field", "prefer-identity", "prefer-timestamp-tz"]),
    (
        Own,
        Error,
        NONE,
        &[
            "allow-of-unknown-rule",
            "allow-without-reason",
            "enum-value-used-at-once",
            "needs-no-transaction",
        ],
    ),
    (Own, Warning, NONE, &["not-understood", "several-statements-without-transaction"]),
    (
        Own,
        Warning,
        DELETES,
        &["delete-without-where", "drop-cascade", "truncate", "update-without-where"],
    ),
    (Own, Advice, NONE, &["unused-allow"]),
    (
        Catalog,
        Warning,
        NONE,
        &["duplicate-index", "foreign-key-without-index", "invalid-index", "missing-primary-key"],
    ),
    (Catalog, Advice, NONE, &["constraint-not-validated"]),
    (Branches, Warning, NONE, &["parallel-branches"]),
    (
        Branches,
        Error,
        NONE,
        &[
            "colliding-branches",
            "edited-after-snapshot",
            "snapshot-damaged",
            "snapshot-without-file",
            "snapshot-without-parent",
            "twin-numbers",
        ],
    ),
];

fn all() -> impl Iterator<Item = (Source, RuleInfo)> {
    RULES.iter().flat_map(|(source, severity, hazards, names)| {
        let info = |name| RuleInfo { name, severity: *severity, hazards };
        names.iter().map(move |name| (*source, info(*name)))
    })
}

/// All rules, by name.
pub fn rules() -> Vec<RuleInfo> {
    let mut rules: Vec<RuleInfo> = all().map(|(_, rule)| rule).collect();
    rules.sort_by_key(|rule| rule.name);
    rules
}

/// The rule of that name.
pub(super) fn named(name: &str) -> Option<RuleInfo> {
    all().map(|(_, rule)| rule).find(|rule| rule.name == name)
}

/// Whether it is a rule about what is in a catalog.
pub(super) fn is_of_catalogs(name: &str) -> bool {
    all().any(|(source, rule)| source == Catalog && rule.name == name)
}

/// Those of squawk that are used.
pub(super) fn of_linter() -> impl Iterator<Item = Rule> {
    all().filter(|(source, _)| *source == Linter).filter_map(|(_, rule)| rule.name.parse().ok())
}

/// What is made of a rule of squawk.
pub(super) fn info(wanted: Rule) -> Option<RuleInfo> {
    named(&wanted.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_linter_knows_the_rules_that_are_its_own() {
        for (_, rule) in all().filter(|(source, _)| *source == Linter) {
            let known = rule.name.parse::<Rule>().map(|rule| rule.to_string());
            assert_eq!(known.as_deref(), Ok(rule.name));
        }
        assert_eq!(of_linter().count(), 33);
    }

    #[test]
    fn no_name_is_used_twice() {
        let all = rules();
        assert!(all.windows(2).all(|pair| pair[0].name < pair[1].name));
    }
}
