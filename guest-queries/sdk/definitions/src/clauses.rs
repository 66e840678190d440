//! The clauses that have the same words in SQL and in the language; only how names are written
//! differs. Never: decides which names need quotes.

use crate::syntax::{
    Action, ConstraintKind, Deferrable, IndexKey, Name, Nulls, ObjectName, PolicyCommand,
};

/// How names are written.
#[derive(Clone, Copy)]
pub(crate) struct Spelling {
    /// Names in parentheses.
    pub(crate) names: fn(&[Name]) -> String,
    /// The name of a table.
    pub(crate) object: fn(&ObjectName) -> String,
}

impl Spelling {
    /// What a foreign key has behind its columns; nothing of another constraint.
    pub(crate) fn references(self, kind: &ConstraintKind) -> String {
        let ConstraintKind::ForeignKey {
            references,
            referenced,
            match_full,
            on_delete,
            on_update,
            ..
        } = kind
        else {
            return String::new();
        };
        let mut text = format!(" references {}", (self.object)(references));
        if !referenced.is_empty() {
            text.push_str(&format!(" {}", (self.names)(referenced)));
        }
        if *match_full {
            text.push_str(" match full");
        }
        text.push_str(&self.action("delete", on_delete));
        text.push_str(&self.action("update", on_update));
        text
    }

    fn action(self, event: &str, action: &Action) -> String {
        let (words, columns): (&str, &[Name]) = match action {
            Action::NoAction => return String::new(),
            Action::Restrict => ("restrict", &[]),
            Action::Cascade => ("cascade", &[]),
            Action::SetNull(columns) => ("set null", columns),
            Action::SetDefault(columns) => ("set default", columns),
        };
        let mut text = format!(" on {event} {words}");
        if !columns.is_empty() {
            text.push_str(&format!(" {}", (self.names)(columns)));
        }
        text
    }

    /// The columns that a key or an index has besides.
    pub(crate) fn including(self, include: &[Name]) -> String {
        if include.is_empty() {
            String::new()
        } else {
            format!(" include {}", (self.names)(include))
        }
    }
}

pub(crate) fn deferrable(deferrable: Deferrable) -> &'static str {
    match deferrable {
        Deferrable::No => "",
        Deferrable::Immediate => " deferrable",
        Deferrable::Deferred => " deferrable initially deferred",
    }
}

/// What a policy is for.
pub(crate) fn command(command: PolicyCommand) -> &'static str {
    match command {
        PolicyCommand::All => "",
        PolicyCommand::Select => " for select",
        PolicyCommand::Insert => " for insert",
        PolicyCommand::Update => " for update",
        PolicyCommand::Delete => " for delete",
    }
}

/// In which direction an index has a key.
pub(crate) fn order(key: &IndexKey) -> String {
    let nulls = match key.nulls {
        Some(Nulls::First) => " nulls first",
        Some(Nulls::Last) => " nulls last",
        None => "",
    };
    format!("{}{nulls}", if key.descending { " desc" } else { "" })
}
