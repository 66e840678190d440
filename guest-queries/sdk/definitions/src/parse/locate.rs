//! Where tokens stand. Owns the list of spans that a parse has come across.

use std::cell::RefCell;

use proc_macro2::Span;

use crate::syntax::Location;

thread_local! {
    /// The spans of the parse that this thread is busy with: syn's parsers take no context.
    static SPANS: RefCell<Vec<Span>> = const { RefCell::new(Vec::new()) };
}

/// The tokens that the locations of a block stand for.
#[derive(Debug)]
pub struct Spans(Vec<Span>);

impl Spans {
    /// The token at a location of the same block.
    pub fn span(&self, at: Location) -> Span {
        self.0.get(at.token).copied().unwrap_or_else(Span::call_site)
    }
}

/// Begins a parse; what is given back belongs to [`end`].
pub(super) fn begin() -> Vec<Span> {
    SPANS.take()
}

/// Ends a parse.
pub(super) fn end(outer: Vec<Span>) -> Spans {
    Spans(SPANS.replace(outer))
}

/// The location of a span.
pub(super) fn at(span: Span) -> Location {
    let token = SPANS.with_borrow_mut(|spans| {
        spans.push(span);
        spans.len() - 1
    });
    let (line, column) = line_and_column(span);
    Location { line, column, token }
}

/// Both from 1.
#[cfg(feature = "locations")]
pub(super) fn line_and_column(span: Span) -> (usize, usize) {
    let start = span.start();
    (start.line, start.column + 1)
}

/// Not known without the feature.
#[cfg(not(feature = "locations"))]
pub(super) fn line_and_column(_: Span) -> (usize, usize) {
    (0, 0)
}
