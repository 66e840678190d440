//! Reads contracts: from a component's bytes, and from folders of WIT.
//!
//! Owns the way from the tools' model to ours. Never compiles or runs anything.

mod component;
#[cfg(test)]
pub(crate) mod fixture;
mod folder;
mod interface;

#[cfg(test)]
mod tests;
