//! In which direction a type is used: as an argument, as a result, or both.
//!
//! An option may be absent in an argument and is there, if only as `null`, in a result; some
//! scalars are accepted in more forms than they are given in. A type for which that matters and
//! that goes both ways is described twice.

use std::collections::BTreeSet;

use crate::model::{Contract, Definition, NamedType, Type, TypeName};
use crate::slot::Slot;

/// Which way a value goes, seen from the component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    /// An argument.
    In,
    /// A result or a failure.
    Out,
}

/// What is used which way by the functions of a slot.
pub(crate) struct Usage<'a> {
    contract: &'a Contract,
    used: BTreeSet<(Way, TypeName)>,
    differs: fn(&Type) -> bool,
}

impl<'a> Usage<'a> {
    /// `differs` says of a type without a name, that is not an option, whether its form depends
    /// on the way.
    pub(crate) fn of(slot: &Slot<'a>, differs: fn(&Type) -> bool) -> Self {
        let contract = slot.contract;
        let mut usage = Self { contract, used: BTreeSet::new(), differs };
        for (_, function) in slot.callable() {
            for (_, ty) in &function.params {
                usage.add(Way::In, ty);
            }
            let (value, failure) = contract.outcome(function);
            for ty in value.into_iter().chain(failure.flatten()) {
                usage.add(Way::Out, ty);
            }
        }
        usage
    }

    fn add(&mut self, way: Way, ty: &Type) {
        if let Type::Named(name) = ty
            && !self.used.insert((way, name.clone()))
        {
            return;
        }
        let contract = self.contract;
        for part in contract.parts(ty) {
            self.add(way, part);
        }
    }

    /// The ways in which a type is to be described: none when no function uses it.
    pub(crate) fn ways(&self, name: &TypeName) -> Vec<Way> {
        let used = |way| self.used.contains(&(way, name.clone()));
        match (used(Way::In), used(Way::Out)) {
            (false, false) => Vec::new(),
            (true, false) => vec![Way::In],
            (true, true) if self.depends_on_way(name) => {
                vec![Way::Out, Way::In]
            }
            (_, true) => vec![Way::Out],
        }
    }

    /// Whether the description of this use of a type has a name of its own for arguments.
    pub(crate) fn is_second(&self, name: &TypeName, way: Way) -> bool {
        way == Way::In && self.ways(name).len() > 1
    }

    /// All types that functions use, with the ways of each, each type after those it uses.
    pub(crate) fn types(&self) -> Vec<(TypeName, &'a NamedType, Vec<Way>)> {
        let mut list = Vec::new();
        let mut seen = BTreeSet::new();
        for interface in &self.contract.interfaces {
            for one in &interface.types {
                let name = TypeName { interface: interface.name.clone(), name: one.name.clone() };
                self.visit(&name, &mut seen, &mut list);
            }
        }
        list
    }

    fn visit(
        &self,
        name: &TypeName,
        seen: &mut BTreeSet<TypeName>,
        list: &mut Vec<(TypeName, &'a NamedType, Vec<Way>)>,
    ) {
        if !seen.insert(name.clone()) {
            return;
        }
        let Some(one) = self.contract.named(name) else { return };
        self.visit_parts(&Type::Named(name.clone()), seen, list);
        let ways = self.ways(name);
        if !ways.is_empty() {
            list.push((name.clone(), one, ways));
        }
    }

    fn visit_parts(
        &self,
        ty: &Type,
        seen: &mut BTreeSet<TypeName>,
        list: &mut Vec<(TypeName, &'a NamedType, Vec<Way>)>,
    ) {
        let contract = self.contract;
        for part in contract.parts(ty) {
            match part {
                Type::Named(name) => self.visit(name, seen, list),
                other => self.visit_parts(other, seen, list),
            }
        }
    }

    /// Whether the form of a type, or of one within it, depends on the way.
    fn depends_on_way(&self, name: &TypeName) -> bool {
        self.depends(&Type::Named(name.clone()), &mut BTreeSet::new())
    }

    /// A type that was looked at before does not depend on the way, or its user would not be
    /// looked at any more.
    fn depends(&self, ty: &Type, seen: &mut BTreeSet<TypeName>) -> bool {
        if let Type::Named(name) = ty
            && !seen.insert(name.clone())
        {
            return false;
        }
        let contract = self.contract;
        (self.differs)(ty)
            || may_be_absent_within(contract, ty)
            || contract.parts(ty).into_iter().any(|part| self.depends(part, seen))
    }
}

/// Whether a type has places for a value where an option may be absent.
fn may_be_absent_within(contract: &Contract, ty: &Type) -> bool {
    match ty {
        Type::Named(name) => match contract.named(name).map(|one| &one.definition) {
            Some(Definition::Record(fields)) => {
                fields.iter().any(|field| contract.is_option(&field.ty))
            }
            Some(Definition::Variant(cases)) => {
                cases.iter().filter_map(|case| case.ty.as_ref()).any(|ty| contract.is_option(ty))
            }
            _ => false,
        },
        Type::Result { ok, err } => ok.iter().chain(err).any(|ty| contract.is_option(ty)),
        _ => false,
    }
}
