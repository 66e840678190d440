//! Contracts for unit tests, of components that are encoded for them.

use avenire_client_tests::component;

use crate::model::Contract;

/// The contract of a component that exports the world `w` of a WIT text.
pub(crate) fn contract(wit: &str) -> Contract {
    Contract::of_component(&component(wit)).unwrap()
}

/// The contract of one of the repository's own packages, such as `chat`, without documentation.
pub(crate) fn of_repository(package: &str) -> Contract {
    Contract::of_component(&avenire_client_tests::of_repository(package)).unwrap()
}
