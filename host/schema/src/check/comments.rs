//! Comments before a statement that the check understands.
//! Never: takes a comment at the end of a line for one about the next statement.

/// What `-- check: allow` begins with.
pub(super) const ALLOW: &str = "check: allow";

/// What the comments before a statement say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Comments {
    /// `-- check: allow RULE because …` and `-- check: allow RULE on TABLE because …`
    pub(super) allowed: Vec<Allowed>,
    /// The kinds of `-- hazard: KIND: …`
    pub(super) hazards: Vec<String>,
}

/// A rule that is silenced.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Allowed {
    /// The byte of the file where the comment begins.
    pub(super) at: usize,
    /// As it is written; it may be none.
    pub(super) rule: String,
    /// The table for which a rule about catalogs is silenced, as it is written.
    pub(super) table: Option<String>,
    /// Whether the comment says why.
    pub(super) has_reason: bool,
}

impl Comments {
    /// Reads those between the end of one statement and the start of the next.
    pub(super) fn read(text: &str, from: usize, to: usize) -> Self {
        let mut comments = Self::default();
        let mut at = from;
        let gap = text.get(from..to).unwrap_or_default();
        for (number, line) in gap.split('\n').enumerate() {
            let start = at + (line.len() - line.trim_start().len());
            at += line.len() + 1;
            // What stands behind a statement in its last line belongs to that one.
            let behind = number == 0 && from > 0;
            if let Some(comment) = line.trim().strip_prefix("--")
                && !behind
            {
                comments.take(start, comment.trim());
            }
        }
        comments
    }

    fn take(&mut self, at: usize, comment: &str) {
        if let Some(rest) = comment.strip_prefix(ALLOW) {
            let (rule, reason) = match rest.trim().split_once(char::is_whitespace) {
                Some((rule, rest)) => (rule, rest.trim()),
                None => (rest.trim(), ""),
            };
            let (table, reason) = match reason.strip_prefix("on ") {
                Some(rest) => {
                    let (table, why) = rest.split_at(rest.find(" because").unwrap_or(rest.len()));
                    (Some(table.trim().to_owned()), why.trim())
                }
                None => (None, reason),
            };
            let has_reason =
                reason.strip_prefix("because ").is_some_and(|why| !why.trim().is_empty());
            self.allowed.push(Allowed { at, rule: rule.to_owned(), table, has_reason });
        } else if let Some(rest) = comment.strip_prefix("hazard:") {
            let kind = rest.split(':').next().unwrap_or_default();
            self.hazards.push(kind.trim().to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_belong_to_the_statement_behind_them() {
        let text = "select 1; -- hazard: may-fail: of the first\n\
                    -- hazard: deletes-data: gone\n  -- check: allow truncate because empty\nselect";
        let comments = Comments::read(text, 9, text.len() - 6);
        assert_eq!(comments.hazards, ["deletes-data"]);
        let at = text.find("-- check").unwrap();
        let allowed = Allowed { at, rule: "truncate".into(), table: None, has_reason: true };
        assert_eq!(comments.allowed, [allowed]);
    }

    #[test]
    fn a_reason_has_words() {
        for text in
            ["-- check: allow truncate", "-- check: allow truncate because ", "--check: allow"]
        {
            let comments = Comments::read(text, 0, text.len());
            assert!(!comments.allowed[0].has_reason, "{text}");
        }
    }

    #[test]
    fn a_table_stands_between_the_rule_and_the_reason() {
        for (text, table, has_reason) in [
            ("-- check: allow missing-primary-key on app.log because it is", "app.log", true),
            ("-- check: allow missing-primary-key on \"My Log\" because it is", "\"My Log\"", true),
            ("-- check: allow missing-primary-key on app.log", "app.log", false),
        ] {
            let allowed = Comments::read(text, 0, text.len()).allowed.remove(0);
            assert_eq!(allowed.table.as_deref(), Some(table));
            assert_eq!((&*allowed.rule, allowed.has_reason), ("missing-primary-key", has_reason));
        }
    }
}
