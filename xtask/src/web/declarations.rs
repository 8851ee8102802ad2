//! The declarations of the contract for TypeScript, written from `wit/`, comments included.

use super::contract::{Contract, camel, functions, is_linked, name_of, pascal};
use crate::failure::Result;
use wit_parser::{Docs, Function, FunctionKind, InterfaceId, Resolve, Type, TypeDefKind, TypeId, TypeOwner};

const HEAD: &str = "\
// Written from wit/ by `cargo xtask web`.

/** Success, or an error. */
export type Result<T, E> = { tag: 'ok'; val: T } | { tag: 'err'; val: E };

";

/// A namespace for each interface: its types and its functions.
pub(super) fn declarations(contract: &Contract) -> Result<String> {
    let mut text = HEAD.to_owned();
    for (id, interface) in contract.interfaces()? {
        let writer = Writer { resolve: &contract.resolve, interface: id };
        let mut body = String::new();
        for ty in interface.types.values() {
            body += &writer.definition(*ty);
        }
        let members: String =
            functions(interface, true).map(|it| format!("{}{}", comment(&it.docs, ""), writer.member(it))).collect();
        if !members.is_empty() {
            let docs = interface.types.get("operation").map(|id| &contract.resolve.types[*id].docs);
            let dispose = "/** Frees it. A call after that is a misuse. */\n[Symbol.dispose](): void;\n";
            let members = indented(&(members + dispose));
            body += &docs.map(|docs| comment(docs, "")).unwrap_or_default();
            body += &format!("class Operation {{\n  private constructor();\n{members}}}\n");
        }
        for function in functions(interface, false) {
            body += &comment(&function.docs, writer.throws(function));
            body += &format!("function {};\n", writer.signature(function));
        }
        text += &comment(&interface.docs, "");
        text += &format!("export namespace {} {{\n{}}}\n\n", name_of(interface), indented(&body));
    }
    Ok(text.trim_end().to_owned() + "\n")
}

struct Writer<'a> {
    resolve: &'a Resolve,
    /// The interface whose namespace is written.
    interface: InterfaceId,
}

impl Writer<'_> {
    fn definition(&self, id: TypeId) -> String {
        let it = &self.resolve.types[id];
        let name = pascal(it.name.as_deref().unwrap_or_default());
        let docs = comment(&it.docs, "");
        match &it.kind {
            TypeDefKind::Record(record) => {
                let fields: String = record
                    .fields
                    .iter()
                    .map(|field| {
                        let optional = if self.is_option(&field.ty) { "?" } else { "" };
                        let docs = comment(&field.docs, "");
                        format!("{docs}{}{optional}: {};\n", camel(&field.name), self.name(&field.ty))
                    })
                    .collect();
                format!("{docs}interface {name} {{\n{}}}\n", indented(&fields))
            }
            TypeDefKind::Enum(it) => {
                let cases: String =
                    it.cases.iter().map(|case| format!("{}| '{}'\n", comment(&case.docs, ""), case.name)).collect();
                format!("{docs}type {name} =\n{};\n", indented(&cases).trim_end())
            }
            TypeDefKind::Variant(it) => {
                let case = |case: &wit_parser::Case| {
                    let val = case.ty.map(|ty| self.value(&ty)).unwrap_or_default();
                    format!("{}| {{ tag: '{}'{val} }}\n", comment(&case.docs, ""), case.name)
                };
                let cases: String = it.cases.iter().filter(|it| is_linked(&it.name)).map(case).collect();
                format!("{docs}type {name} =\n{};\n", indented(&cases).trim_end())
            }
            TypeDefKind::Type(Type::Id(other)) if !self.is_here(*other) => String::new(),
            TypeDefKind::Type(other) => format!("{docs}type {name} = {};\n", self.name(other)),
            _ => String::new(),
        }
    }

    fn value(&self, ty: &Type) -> String {
        let optional = if self.is_option(ty) { "?" } else { "" };
        format!("; val{optional}: {}", self.name(ty))
    }

    /// A method, or a function of the class.
    fn member(&self, it: &Function) -> String {
        match it.kind {
            FunctionKind::Static(_) => format!("static {};\n", self.signature(it)),
            _ => format!("{};\n", self.signature(it)),
        }
    }

    fn signature(&self, it: &Function) -> String {
        let is_method = matches!(it.kind, FunctionKind::Method(_));
        let parameters: Vec<String> = it
            .params
            .iter()
            .skip(usize::from(is_method))
            .map(|it| {
                let optional = if self.is_option(&it.ty) { "?" } else { "" };
                format!("{}{optional}: {}", camel(&it.name), self.name(&it.ty))
            })
            .collect();
        let (ok, _) = self.ends(it);
        let ok = match ok {
            Some(ty) if self.is_option(&ty) => self.name(&ty) + " | undefined",
            Some(ty) => self.name(&ty),
            None => "void".to_owned(),
        };
        format!("{}({}): {ok}", camel(it.item_name()), parameters.join(", "))
    }

    /// What a function gives, and what it throws.
    fn ends(&self, it: &Function) -> (Option<Type>, Option<Type>) {
        match it.result {
            Some(Type::Id(id)) => match &self.resolve.types[id].kind {
                TypeDefKind::Result(it) => (it.ok, it.err),
                _ => (it.result, None),
            },
            other => (other, None),
        }
    }

    fn throws(&self, it: &Function) -> &'static str {
        if self.ends(it).1.is_some() { "@throws what its `payload` says." } else { "" }
    }

    fn is_option(&self, ty: &Type) -> bool {
        matches!(ty, Type::Id(id) if matches!(self.resolve.types[*id].kind, TypeDefKind::Option(_)))
    }

    fn is_here(&self, id: TypeId) -> bool {
        self.resolve.types[id].owner == TypeOwner::Interface(self.interface)
    }

    /// A type as an expression. An option is written where it stands.
    fn name(&self, ty: &Type) -> String {
        let Type::Id(id) = ty else {
            return match ty {
                Type::Bool => "boolean",
                Type::String => "string",
                Type::U64 => "bigint",
                _ => "number",
            }
            .to_owned();
        };
        let it = &self.resolve.types[*id];
        let optional = |ty: &Option<Type>| ty.as_ref().map_or_else(|| "undefined".to_owned(), |ty| self.name(ty));
        match &it.kind {
            TypeDefKind::Option(it) => self.name(it),
            TypeDefKind::List(Type::U8) => "Uint8Array".to_owned(),
            TypeDefKind::List(it) => match self.name(it) {
                name if name.contains(' ') => format!("({name})[]"),
                name => name + "[]",
            },
            TypeDefKind::Tuple(it) => {
                let types: Vec<String> = it.types.iter().map(|it| self.name(it)).collect();
                format!("[{}]", types.join(", "))
            }
            TypeDefKind::Result(it) => format!("Result<{}, {}>", optional(&it.ok), optional(&it.err)),
            TypeDefKind::Handle(_) | TypeDefKind::Resource => match self.resolve.interfaces[self.interface]
                .types
                .get("operation")
            {
                Some(own) if self.is_here(*own) && matches!(self.resolve.types[*own].kind, TypeDefKind::Resource) => {
                    "Operation".to_owned()
                }
                _ => "operations.Operation".to_owned(),
            },
            TypeDefKind::Type(other) if !self.is_here(*id) || it.name.is_none() => self.name(other),
            // A `use` of another interface's type.
            TypeDefKind::Type(Type::Id(other)) if !self.is_here(*other) => self.name(&Type::Id(*other)),
            _ => {
                let name = pascal(it.name.as_deref().unwrap_or_default());
                match it.owner {
                    TypeOwner::Interface(owner) if owner != self.interface => {
                        format!("{}.{name}", name_of(&self.resolve.interfaces[owner]))
                    }
                    _ => name,
                }
            }
        }
    }
}

/// A comment, and a last line of it.
fn comment(docs: &Docs, last: &str) -> String {
    let words = docs.contents.as_deref().unwrap_or_default();
    let lines: Vec<&str> = words.lines().chain(Some(last)).map(str::trim_end).filter(|it| !it.is_empty()).collect();
    match lines[..] {
        [] => String::new(),
        [only] => format!("/** {only} */\n"),
        _ => format!("/**\n{} */\n", lines.iter().map(|line| format!(" * {line}\n")).collect::<String>()),
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}
