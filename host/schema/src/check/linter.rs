//! Runs all rules over one file, and leaves out what comments allow.
//! Never: decides how bad something is.

use std::collections::BTreeSet;

use squawk_linter::{Linter, LinterSettings, Rule, Violation};
use squawk_syntax::SourceFile;

use super::comments::{Allowed, Comments};
use super::finding::{At, Finding, place};
use super::not_null::Checked;
use super::rules::{self, RuleInfo};
use super::statement::{Statement, cut, trailing};
use super::{own, transactions};
use crate::migrations::Transaction;

/// A breach, before comments are looked at.
pub(super) struct Breach {
    /// The byte of the file where it begins.
    pub(super) at: usize,
    pub(super) rule: RuleInfo,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

impl Breach {
    /// A breach of one of our own rules, by its name.
    pub(super) fn of(rule: &str, at: usize, message: String, help: &str) -> Option<Self> {
        let help = Some(help.to_owned());
        Some(Self { at, rule: rules::named(rule)?, message, help })
    }
}

/// What there is to say about a file, by line.
pub(super) fn check(
    file: &str,
    sql: &str,
    transaction: Transaction,
    checked: &mut Checked,
) -> Vec<Finding> {
    // The linter's own comments give no reason; ours must. Same length, so that places stay right.
    let text = sql.replace("squawk-ignore", "squawk_ignore");
    let parse = SourceFile::parse(&text);
    let statements = cut(&text, &parse.tree());
    let in_transaction = transaction == Transaction::One;
    let mut breaches = own::breaches(&statements);
    breaches.extend(transactions::breaches(&statements, in_transaction));
    if let Some(error) = parse.errors().first() {
        let at = usize::from(error.range().start());
        let message = "the check does not understand the file from here on".to_owned();
        let help = "mind the statement; if Postgres accepts it, allow this rule with a reason";
        breaches.extend(Breach::of("not-understood", at, message, help));
    }
    let mut linter = Linter::from(rules::of_linter());
    linter.settings =
        LinterSettings { assume_in_transaction: in_transaction, ..LinterSettings::default() };
    let violations = linter.lint(&parse, &text);
    breaches.extend(violations.iter().filter(|one| !is_said(one, &violations)).filter_map(breach));
    let created = created(&statements);
    let keeping = checked.types.keeping(&statements);
    breaches.retain(|breach| {
        let statement = statement_at(&statements, breach.at);
        statement.is_none_or(|one| {
            let is_new = !breach.rule.hazards.is_empty() && is_on_new(one, &created);
            let is_harmless = match breach.rule.name {
                "adding-not-nullable-field" => checked.covers(one),
                "changing-column-type" => keeping.contains(&one.start),
                "renaming-object" => renames_a_part(one),
                _ => false,
            };
            !is_new && !is_harmless
        })
    });
    checked.note(&statements);
    let mut breaches = not_allowed(&statements, breaches);
    let behind = trailing(&text, &statements).allowed;
    breaches.extend(behind.iter().filter_map(|one| own::wrong_allow(one, false)));
    let mut findings: Vec<Finding> =
        breaches.into_iter().map(|breach| finding(file, sql, breach)).collect();
    findings.sort();
    findings
}

/// Whether a more special rule says it.
fn is_said(violation: &Violation, all: &[Violation]) -> bool {
    let special = [
        Rule::AddingForeignKeyConstraint,
        Rule::DisallowedUniqueConstraint,
        Rule::AddingSerialPrimaryKeyField,
    ];
    violation.code == Rule::ConstraintMissingNotValid
        && all.iter().any(|other| {
            special.contains(&other.code) && violation.text_range.contains_range(other.text_range)
        })
}

fn breach(violation: &Violation) -> Option<Breach> {
    let at = usize::from(violation.text_range.start());
    let rule = rules::info(violation.code)?;
    let message = violation.message.trim().trim_end_matches('.').to_owned();
    let help = violation.help.as_ref().map(|help| help.trim().trim_end_matches('.').to_owned());
    Some(Breach { at, rule, message, help })
}

/// The tables that the file makes, and where: nobody uses them yet.
fn created(statements: &[Statement]) -> Vec<(usize, String)> {
    let made = statements.iter().filter_map(|one| Some((one.start, one.creates.clone()?)));
    made.collect()
}

/// Whether a statement works on such tables only.
fn is_on_new(statement: &Statement, created: &[(usize, String)]) -> bool {
    let is_new =
        |table: &String| created.iter().any(|(at, name)| name == table && *at < statement.start);
    !statement.tables.is_empty() && statement.tables.iter().all(is_new)
}

/// Whether the name is of a kind that code hardly ever uses, see
/// [`Rename::breaks_callers`](crate::renames::Rename::breaks_callers).
fn renames_a_part(statement: &Statement) -> bool {
    let parts = ["index", "trigger", "policy"];
    parts.iter().any(|part| statement.begins(&["alter", part]))
        || statement
            .words
            .windows(2)
            .any(|pair| pair.iter().map(|word| &*word.text).eq(["rename", "constraint"]))
}

fn statement_at(statements: &[Statement], at: usize) -> Option<&Statement> {
    statements.iter().find(|one| (one.start..one.end).contains(&at))
}

/// The comment that silences a rule for the statement behind it.
fn allows<'a>(comments: &'a Comments, breach: &Breach) -> Option<&'a Allowed> {
    let mut allowed = comments.allowed.iter();
    allowed.find(|one| one.rule == breach.rule.name && one.table.is_none())
}

/// Without what comments allow, and with what is wrong with the comments.
fn not_allowed(statements: &[Statement], mut breaches: Vec<Breach>) -> Vec<Breach> {
    let mut used = BTreeSet::new();
    breaches.retain(|breach| {
        let Some(statement) = statement_at(statements, breach.at) else { return true };
        let comments = &statement.comments;
        if let Some(allowed) = allows(comments, breach) {
            // One without a reason is told below; that is enough.
            used.insert(allowed.at);
            return false;
        }
        !comments.hazards.iter().any(|kind| breach.rule.hazards.contains(&kind.as_str()))
    });
    let comments = statements.iter().flat_map(|one| &one.comments.allowed);
    breaches.extend(comments.filter_map(|one| own::wrong_allow(one, used.contains(&one.at))));
    breaches
}

fn finding(file: &str, sql: &str, breach: Breach) -> Finding {
    let place = place(sql, breach.at);
    Finding {
        at: At::File { file: file.to_owned(), line: place.line, column: place.column },
        severity: breach.rule.severity,
        rule: breach.rule.name.to_owned(),
        message: breach.message,
        help: breach.help,
    }
}

#[cfg(test)]
mod tests;
