//! From a core module to a component that says what it is: encoded, documented, and proved to import nothing.
//!
//! Documentation travels in the `package-docs` section. Decoders apply that section to the package they invent for the
//! component itself (`root:component`), not to `hydrant:lfs`, and refuse a section that names items of another package
//! (measured: wit-component 0.263 and jco 1.35). So the section holds the documented WIT as the package's
//! documentation: every decoder accepts it, and the comments on interfaces, functions and fields all come back.

use crate::failure::{Because, Failure, Result};
use wit_component::{ComponentEncoder, DecodedWasm};
use wit_parser::{PackageId, PackageMetadata, Resolve};

/// Encodes a module as a component, checks it, and gives it the documentation of `wit`, the text of its world.
pub(crate) fn encode(module: &[u8], wit: &str) -> Result<Vec<u8>> {
    let mut component = ComponentEncoder::default()
        .validate(true)
        .module(module)
        .and_then(|mut encoder| encoder.encode())
        .because("the module cannot become a component")?;
    let section = serde_json::json!({ "docs": wit }).to_string();
    // The first byte is the version of the section's format.
    append_custom_section(&mut component, PackageMetadata::SECTION_NAME, &[b"\x01", section.as_bytes()].concat());
    demand_documentation(&component, wit)?;
    Ok(component)
}

/// Fails unless the component's list of imports is empty.
pub(crate) fn demand_no_imports(component: &[u8]) -> Result<()> {
    let decoded = decode(component)?;
    let DecodedWasm::Component(resolve, world) = &decoded else {
        return Err(Failure::new("what was encoded is not a component"));
    };
    let names: Vec<String> = resolve.worlds[*world].imports.keys().map(|key| resolve.name_world_key(key)).collect();
    if names.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("the component must import nothing, but it imports {}", names.join(", "))))
}

/// Fails unless the documentation inside says of every interface, function and field what `wit` says.
fn demand_documentation(component: &[u8], wit: &str) -> Result<()> {
    let decoded = decode(component)?;
    let docs = &decoded.resolve().packages[decoded.package()].docs;
    let text = docs.contents.as_deref().ok_or_else(|| Failure::new("the component lost its documentation"))?;
    let mut inside = Resolve::default();
    let package = inside.push_str("inside.wit", text).because("the component's documentation is not WIT")?;
    let mut source = Resolve::default();
    let origin = source.push_str("source.wit", wit).because("the WIT files are not WIT")?;
    let (kept, meant) = (metadata(&inside, package)?, metadata(&source, origin)?);
    if kept != meant {
        return Err(Failure::new("the component's documentation is not that of the WIT files"));
    }
    for export in decoded.resolve().worlds[world_of(&decoded)?].exports.keys() {
        let name = decoded.resolve().name_world_key(export);
        let short = name.split(['/', '@']).nth(1).unwrap_or(&name);
        if kept["interfaces"].get(short).is_none() {
            return Err(Failure::new(format!("the exported interface {name} has no documentation")));
        }
    }
    Ok(())
}

fn world_of(decoded: &DecodedWasm) -> Result<wit_parser::WorldId> {
    match decoded {
        DecodedWasm::Component(_, world) => Ok(*world),
        DecodedWasm::WitPackage(..) => Err(Failure::new("what was encoded is not a component")),
    }
}

fn decode(component: &[u8]) -> Result<DecodedWasm> {
    wit_component::decode(component).because("the component cannot be read back")
}

/// Everything the package's comments say, as data.
fn metadata(resolve: &Resolve, package: PackageId) -> Result<serde_json::Value> {
    let bytes = PackageMetadata::extract(resolve, package).encode().because("the documentation cannot be encoded")?;
    serde_json::from_slice(&bytes[1..]).because("the documentation is not JSON")
}

/// Appends a custom section: id 0, length, name, contents.
fn append_custom_section(component: &mut Vec<u8>, name: &str, contents: &[u8]) {
    let mut body = Vec::with_capacity(name.len() + contents.len() + 5);
    push_length(&mut body, name.len());
    body.extend_from_slice(name.as_bytes());
    body.extend_from_slice(contents);
    component.push(0);
    push_length(component, body.len());
    component.extend_from_slice(&body);
}

/// Seven bits a byte, the lowest first, the top bit set while more follow.
fn push_length(out: &mut Vec<u8>, mut length: usize) {
    loop {
        let low = (length & 0x7f) as u8;
        length >>= 7;
        if length == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_little_endian_base_128() {
        let written = |length| {
            let mut out = Vec::new();
            push_length(&mut out, length);
            out
        };
        assert_eq!(written(0), [0]);
        assert_eq!(written(127), [0x7f]);
        assert_eq!(written(128), [0x80, 1]);
        assert_eq!(written(624_485), [0xe5, 0x8e, 0x26]);
    }
}
