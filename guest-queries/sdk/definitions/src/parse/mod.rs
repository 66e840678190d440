//! Reads `schema!` blocks, for the host from files and for the proc macro from tokens.
//! Never: judges whether what a block says makes sense; that is [`crate::check`].

mod clauses;
mod columns;
mod file;
mod index;
mod input;
mod items;
mod locate;
mod policy;
mod tables;
mod types;
mod views;

pub use file::parse_file;
pub use locate::Spans;

use proc_macro2::TokenStream;
use syn::parse::{ParseStream, Parser as _};

use crate::syntax::{Item, Use};

/// What one `schema!` block says.
#[derive(Debug, Default)]
pub struct Block {
    /// Where things of other modules are.
    pub uses: Vec<Use>,
    /// What is defined.
    pub items: Vec<Item>,
}

/// Reads the tokens between the braces of `schema! { … }`, for the proc macro: the spans tell
/// which token a [`Location`](crate::Location) is.
///
/// # Errors
/// At the token that fits no clause, with what is expected there.
pub fn parse_block(tokens: TokenStream) -> syn::Result<(Block, Spans)> {
    let outer = locate::begin();
    let block = block.parse2(tokens);
    let spans = locate::end(outer);
    Ok((block?, spans))
}

fn block(input: ParseStream<'_>) -> syn::Result<Block> {
    let mut block = Block::default();
    while !input.is_empty() {
        if input.peek(syn::Token![use]) {
            block.uses.push(items::use_item(input)?);
        } else {
            block.items.push(items::item(input)?);
        }
    }
    Ok(block)
}
