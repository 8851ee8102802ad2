//! The part of the contract that the package has: its interfaces, functions and cases.

use crate::failure::{Because, Failure, Result};
use crate::workspace::Workspace;
use wit_parser::{Function, FunctionKind, Interface, InterfaceId, PackageId, Resolve};

/// Interfaces of the package, and the functions of each; none means all of them.
const INTERFACES: [(&str, &[&str]); 7] = [
    ("types", &[]),
    ("operations", &[]),
    ("pointers", &[]),
    ("endpoints", &[]),
    ("batches", &[]),
    ("manifests", &["read", "status"]),
    ("sessions", &["hydrate-session"]),
];
/// Cases that only a publish or a reconcile knows, and neither is in the package. Their numbers stay theirs.
const UNLINKED: [&str; 10] = [
    "save-doc",
    "load-ledger",
    "push-ledger",
    "settle-ledger",
    "swap-file",
    "load-push-range",
    "rewrite-ledger",
    "ledger",
    "push-range",
    "enter",
];

/// The contract as `wit/` has it.
pub(super) struct Contract {
    pub(super) resolve: Resolve,
    package: PackageId,
}

impl Contract {
    pub(super) fn read(workspace: &Workspace) -> Result<Self> {
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_dir(workspace.root.join("wit")).because("the WIT files are not WIT")?;
        Ok(Self { resolve, package })
    }

    /// The interfaces of the package, in their order.
    pub(super) fn interfaces(&self) -> Result<Vec<(InterfaceId, &Interface)>> {
        let find = |(name, _): &(&str, _)| {
            let id = self.resolve.packages[self.package].interfaces.get(*name);
            let id = *id.ok_or_else(|| Failure::new(format!("there is no interface {name}")))?;
            Ok((id, &self.resolve.interfaces[id]))
        };
        INTERFACES.iter().map(find).collect()
    }
}

/// The name of an interface.
pub(super) fn name_of(interface: &Interface) -> &str {
    interface.name.as_deref().unwrap_or_default()
}

/// The functions of an interface: those that stand alone, or those of its resource.
pub(super) fn functions(interface: &Interface, of_resource: bool) -> impl Iterator<Item = &Function> {
    let chosen = INTERFACES.iter().find(|(name, _)| *name == name_of(interface)).map_or(&[][..], |(_, chosen)| chosen);
    interface
        .functions
        .values()
        .filter(|it| chosen.is_empty() || chosen.contains(&it.item_name()))
        .filter(move |it| matches!(it.kind, FunctionKind::Freestanding) != of_resource)
}

/// Whether a case of a variant comes in the package.
pub(super) fn is_linked(case: &str) -> bool {
    !UNLINKED.contains(&case)
}

/// `retry-at` as `retryAt`.
pub(super) fn camel(kebab: &str) -> String {
    let mut parts = kebab.split('-');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |name, part| name + &capitalised(part))
}

/// `retry-at` as `RetryAt`.
pub(super) fn pascal(kebab: &str) -> String {
    kebab.split('-').map(capitalised).collect()
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}
