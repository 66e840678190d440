//! The component's allocator: an arena in static memory, the standard one behind it.
//!
//! An instance lives for one call, as a rule, and a usual call needs less than a megabyte
//! in a few hundred blocks. Growing the memory for them would cost more than the call:
//! each growth, and its undoing by the host, changes the protection of pages. So the
//! first megabyte is memory that the instance has anyhow.

#[cfg(any(test, all(target_family = "wasm", not(target_feature = "atomics"))))]
mod arena;

#[cfg(all(target_family = "wasm", not(target_feature = "atomics")))]
mod global;
