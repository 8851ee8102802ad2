//! Rules that a repository adds are tried on their own samples before they are used.

use super::Scan;
use crate::rules::{AddedToken, Named, Rules, RulesError};
use crate::search::Finding;

/// The built-in rules and these. An error names the rule that does not find what it says, or finds more.
pub fn rules_with(added: &[AddedToken]) -> Result<Rules, RulesError> {
    let rules = Rules::with(added)?;
    for token in added {
        let wrong = |what: &str| Err(RulesError(format!("{}: {what}", token.kind)));
        if token.finds.iter().any(|text| !is_found(&rules, token, text)) {
            return wrong("it is not found in a text of `finds`");
        }
        if token.ignores.iter().any(|text| is_found(&rules, token, text)) {
            return wrong("it is found in a text of `ignores`");
        }
    }
    Ok(rules)
}

fn is_found(rules: &Rules, token: &AddedToken, text: &str) -> bool {
    let named = Named::default();
    let mut scan = Scan::new(rules, &named);
    let mut is_found = false;
    let mut heard = |finding: Finding<'_>| is_found |= rules.name(finding.kind) == token.kind;
    let read = scan.push(text.as_bytes(), &mut heard);
    scan.end(&mut heard);
    read.is_ok() && is_found
}
