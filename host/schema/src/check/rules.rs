//! Which rules there are, how bad a breach is, and which hazard announces it.
//! Never: looks at a statement.

use squawk_linter::Rule;

use super::finding::Severity;

use Severity::{Advice, Error, Warning};

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

const DELETES: &[&str] = &["deletes-data"];
const BREAKS: &[&str] = &["breaks-callers"];
const REWRITES: &[&str] = &["rewrites-table", "blocks-reads-and-writes"];
const BLOCKS: &[&str] = &["blocks-reads-and-writes"];
const WRITES: &[&str] = &["blocks-writes", "blocks-reads-and-writes"];
const FAILS: &[&str] = &["may-fail", "blocks-writes", "blocks-reads-and-writes"];
const NONE: &[&str] = &[];

/// Squawk's rules that are used. Not used are those about timeouts and `begin` (the runner has set a
/// lock timeout and begun the transaction), about statements that can be run again (a file is applied
/// once), of taste (`text` instead of `varchar`), and those that rules of our own say better.
const LINTER: &[(Rule, &str, Severity, &[&str])] = &[
    (Rule::RequireConcurrentIndexCreation, "require-concurrent-index-creation", Warning, WRITES),
    (Rule::RequireConcurrentIndexDeletion, "require-concurrent-index-deletion", Warning, BLOCKS),
    (
        Rule::RequireConcurrentPartitionDetach,
        "require-concurrent-partition-detach",
        Warning,
        BLOCKS,
    ),
    (Rule::RequireConcurrentReindex, "require-concurrent-reindex", Warning, WRITES),
    (Rule::ConstraintMissingNotValid, "constraint-missing-not-valid", Warning, FAILS),
    (Rule::AddingForeignKeyConstraint, "adding-foreign-key-constraint", Warning, FAILS),
    (Rule::DisallowedUniqueConstraint, "disallowed-unique-constraint", Warning, FAILS),
    (Rule::AddingSerialPrimaryKeyField, "adding-serial-primary-key-field", Warning, FAILS),
    (Rule::AddingFieldWithDefault, "adding-field-with-default", Warning, REWRITES),
    (Rule::ChangingColumnType, "changing-column-type", Warning, REWRITES),
    (Rule::AddingNotNullableField, "adding-not-nullable-field", Warning, FAILS),
    (Rule::AddingRequiredField, "adding-required-field", Warning, &["may-fail", "breaks-callers"]),
    (Rule::BanAlterDomainWithAddConstraint, "ban-alter-domain-with-add-constraint", Warning, FAILS),
    (Rule::PreferRepack, "prefer-repack", Warning, BLOCKS),
    (Rule::RenamingColumn, "renaming-column", Warning, BREAKS),
    (Rule::RenamingTable, "renaming-table", Warning, BREAKS),
    (Rule::RenamingObject, "renaming-object", Warning, BREAKS),
    (Rule::BanSetSchema, "ban-set-schema", Warning, BREAKS),
    (Rule::BanDropView, "ban-drop-view", Warning, BREAKS),
    (Rule::BanDropFunction, "ban-drop-function", Warning, BREAKS),
    (Rule::BanDropType, "ban-drop-type", Warning, BREAKS),
    (Rule::BanDropDomain, "ban-drop-domain", Warning, BREAKS),
    (Rule::BanDropExtension, "ban-drop-extension", Warning, &["breaks-callers", "deletes-data"]),
    (Rule::BanDropSequence, "ban-drop-sequence", Warning, &["deletes-data", "breaks-callers"]),
    (Rule::BanDropSchema, "ban-drop-schema", Warning, DELETES),
    (Rule::BanDropColumn, "ban-drop-column", Warning, DELETES),
    (Rule::BanDropTable, "ban-drop-table", Warning, DELETES),
    (Rule::BanDropDatabase, "ban-drop-database", Error, NONE),
    (Rule::BanDuplicateColumnAssignments, "ban-duplicate-column-assignments", Error, NONE),
    (Rule::IdentifierTooLong, "identifier-too-long", Warning, NONE),
    (Rule::PreferTimestampTz, "prefer-timestamp-tz", Advice, NONE),
    (Rule::PreferIdentity, "prefer-identity", Advice, NONE),
    (Rule::BanCharField, "ban-char-field", Advice, NONE),
];

/// Our own, about the statements of files.
const OWN: &[RuleInfo] = &[
    rule("needs-no-transaction", Error, NONE),
    rule("enum-value-used-at-once", Error, NONE),
    rule("several-statements-without-transaction", Warning, NONE),
    rule("truncate", Warning, DELETES),
    rule("delete-without-where", Warning, DELETES),
    rule("update-without-where", Warning, DELETES),
    rule("drop-cascade", Warning, DELETES),
    rule("not-understood", Warning, NONE),
    rule("allow-without-reason", Error, NONE),
    rule("allow-of-unknown-rule", Error, NONE),
    rule("unused-allow", Advice, NONE),
];

/// Our own, about a catalog.
const CATALOG: &[RuleInfo] = &[
    rule("foreign-key-without-index", Warning, NONE),
    rule("missing-primary-key", Warning, NONE),
    rule("duplicate-index", Warning, NONE),
    rule("invalid-index", Warning, NONE),
    rule("constraint-not-validated", Advice, NONE),
];

/// Our own, about the snapshots beside the files.
const BRANCHES: &[RuleInfo] = &[
    rule("parallel-branches", Warning, NONE),
    rule("colliding-branches", Error, NONE),
    rule("twin-numbers", Error, NONE),
    rule("edited-after-snapshot", Error, NONE),
    rule("snapshot-without-file", Error, NONE),
    rule("snapshot-without-parent", Error, NONE),
    rule("snapshot-damaged", Error, NONE),
];

const fn rule(
    name: &'static str,
    severity: Severity,
    hazards: &'static [&'static str],
) -> RuleInfo {
    RuleInfo { name, severity, hazards }
}

/// All rules, by name.
pub fn rules() -> Vec<RuleInfo> {
    let linter = LINTER.iter().map(|(_, name, severity, hazards)| rule(name, *severity, hazards));
    let mut all: Vec<RuleInfo> = linter
        .chain(OWN.iter().copied())
        .chain(CATALOG.iter().copied())
        .chain(BRANCHES.iter().copied())
        .collect();
    all.sort_by_key(|rule| rule.name);
    all
}

/// The rule of that name.
pub(super) fn named(name: &str) -> Option<RuleInfo> {
    rules().into_iter().find(|rule| rule.name == name)
}

/// Whether it is a rule about what is in a catalog.
pub(super) fn is_of_catalogs(name: &str) -> bool {
    CATALOG.iter().any(|rule| rule.name == name)
}

/// Those of squawk that are used.
pub(super) fn of_linter() -> impl Iterator<Item = Rule> {
    LINTER.iter().map(|(rule, ..)| *rule)
}

/// What is made of a rule of squawk.
pub(super) fn info(wanted: Rule) -> Option<RuleInfo> {
    let found = LINTER.iter().find(|(rule, ..)| *rule == wanted);
    found.map(|(_, name, severity, hazards)| rule(name, *severity, hazards))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_of_the_linter_has_the_name_that_the_linter_knows() {
        for (rule, name, ..) in LINTER {
            assert_eq!(name.parse::<Rule>().as_ref(), Ok(rule), "{name}");
        }
    }

    #[test]
    fn no_name_is_used_twice() {
        let all = rules();
        assert!(all.windows(2).all(|pair| pair[0].name < pair[1].name));
    }
}
