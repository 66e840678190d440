//! Holds nothing: the crate exists for its dependencies.
