//! The JavaScript side of the lane, written from `wit/`: for each type the form of its values, for each function the
//! forms of its parameters and of its result. `wasm-web/js/lane.js` says what a form is.

use super::contract::{Contract, camel, functions, is_linked, name_of};
use crate::failure::Result;
use std::collections::BTreeSet;
use wit_parser::{Function, FunctionKind, Resolve, Type, TypeDefKind, TypeId, TypeOwner};

const HEAD: &str = "\
// Written from wit/ by `cargo xtask web`.

import {
  bool, bytes, enumeration, list, long, number, option, record, result, text, tuple, unit, variant,
} from './lane.js';

";

/// The module that describes every form.
pub(super) fn forms(contract: &Contract) -> Result<String> {
    let mut writer = Writer { resolve: &contract.resolve, needed: BTreeSet::new() };
    let mut tables = String::new();
    for (_, interface) in contract.interfaces()? {
        for (name, of_resource) in [(name_of(interface), false), ("operation", true)] {
            let rows: String = functions(interface, of_resource).map(|it| writer.function(it)).collect();
            if !rows.is_empty() {
                tables += &format!("  {name}: {{\n{rows}  }},\n");
            }
        }
    }
    let mut text = HEAD.to_owned();
    // In the order of the files, in which nothing stands before what it refers to.
    for (id, _) in &contract.resolve.types {
        if writer.needed.contains(&id) {
            text += &writer.definition(id);
        }
    }
    Ok(format!("{text}\nexport const lfsError = types_lfsError;\n\nexport const functions = {{\n{tables}}};\n"))
}

struct Writer<'a> {
    resolve: &'a Resolve,
    /// Types with names of their own that something refers to.
    needed: BTreeSet<TypeId>,
}

impl Writer<'_> {
    /// `  name: [[parameters], result, error],`
    fn function(&mut self, function: &Function) -> String {
        let is_method = matches!(function.kind, FunctionKind::Method(_));
        let parameters: Vec<Type> = function.params.iter().skip(usize::from(is_method)).map(|it| it.ty).collect();
        let parameters: Vec<String> = parameters.iter().map(|it| self.form(it)).collect();
        let (ok, error) = match function.result {
            Some(Type::Id(id)) => match &self.resolve.types[id].kind {
                TypeDefKind::Result(it) => (it.ok, it.err),
                _ => (function.result, None),
            },
            other => (other, None),
        };
        let mut forms = vec![format!("[{}]", parameters.join(", ")), self.optional(ok)];
        forms.extend(error.map(|error| self.form(&error)));
        format!("    {}: [{}],\n", camel(function.item_name()), forms.join(", "))
    }

    fn optional(&mut self, it: Option<Type>) -> String {
        it.map_or_else(|| "unit".to_owned(), |it| self.form(&it))
    }

    /// The expression for the form of a type.
    fn form(&mut self, it: &Type) -> String {
        match it {
            Type::Bool => "bool".into(),
            Type::U8 => "number(0xff)".into(),
            Type::U16 => "number(0xffff)".into(),
            Type::U32 => "number(0xffffffff)".into(),
            Type::U64 => "long".into(),
            Type::String => "text".into(),
            Type::Id(id) => self.form_of(*id),
            other => unreachable!("WIT has no {other:?} here"),
        }
    }

    fn form_of(&mut self, id: TypeId) -> String {
        let it = &self.resolve.types[id];
        match &it.kind {
            TypeDefKind::Type(it) => self.form(it),
            TypeDefKind::Option(it) => format!("option({})", self.form(it)),
            TypeDefKind::List(Type::U8) => "bytes".into(),
            TypeDefKind::List(it) => format!("list({})", self.form(it)),
            TypeDefKind::Result(it) => format!("result({}, {})", self.optional(it.ok), self.optional(it.err)),
            TypeDefKind::Tuple(it) => {
                let forms: Vec<String> = it.types.iter().map(|it| self.form(it)).collect();
                format!("tuple({})", forms.join(", "))
            }
            // The operation itself goes another way.
            TypeDefKind::Handle(_) | TypeDefKind::Resource => "unit".into(),
            _ => {
                if self.needed.insert(id) {
                    // Whatever it refers to is needed, too.
                    self.definition(id);
                }
                self.name(id)
            }
        }
    }

    fn name(&self, id: TypeId) -> String {
        let it = &self.resolve.types[id];
        let interface = match it.owner {
            TypeOwner::Interface(id) => name_of(&self.resolve.interfaces[id]),
            _ => "",
        };
        format!("{interface}_{}", camel(it.name.as_deref().unwrap_or_default()))
    }

    /// `const name = record({ … });`
    fn definition(&mut self, id: TypeId) -> String {
        let form = match &self.resolve.types[id].kind {
            TypeDefKind::Record(it) => {
                let fields: Vec<String> =
                    it.fields.iter().map(|it| format!("{}: {}", camel(&it.name), self.form(&it.ty))).collect();
                format!("record({{ {} }})", fields.join(", "))
            }
            TypeDefKind::Enum(it) => {
                let names: Vec<&str> = it.cases.iter().map(|it| it.name.as_str()).collect();
                format!("enumeration('{}')", names.join(" "))
            }
            TypeDefKind::Variant(it) => {
                let cases: Vec<String> = it
                    .cases
                    .iter()
                    .map(|it| match is_linked(&it.name) {
                        true => format!("['{}', {}]", it.name, self.optional(it.ty)),
                        false => "undefined".to_owned(),
                    })
                    .collect();
                format!("variant({})", cases.join(", "))
            }
            other => unreachable!("{other:?} has no definition of its own"),
        };
        format!("const {} = {form};\n", self.name(id))
    }
}
