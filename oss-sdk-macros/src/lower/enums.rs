//! Open enums: from variants to the texts that they stand for.

use oss_codegen::emit::enums::OpenEnum;
use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Fields, Type};

use crate::attrs::{self, Problems};

const ENUM_ATTRS: [&str; 1] = ["crate"];
const VARIANT_ATTRS: [&str; 2] = ["aliases", "wire"];

/// Reads an enum, and the path of the SDK's crate. All problems are reported.
pub(crate) fn open_enum(input: &DeriveInput, problems: &mut Problems) -> (TokenStream, Option<OpenEnum>) {
    let attrs = attrs::parse(&input.attrs, problems);
    for attr in attrs.iter().filter(|attr| !attr.is("crate")) {
        attr.unknown(&ENUM_ATTRS, problems);
    }
    let sdk = super::sdk(&attrs, problems);
    if !input.generics.params.is_empty() {
        problems.at(
            &input.generics,
            "generic enums are not supported; a text has no parameters",
        );
    }
    let Data::Enum(data) = &input.data else {
        problems.at(
            &input.ident,
            "only enums can be derived; a struct has more than one text",
        );
        return (sdk, None);
    };
    let mut values: Vec<(syn::Ident, Vec<String>)> = Vec::new();
    let mut unknown = None;
    for variant in &data.variants {
        let attrs = attrs::parse(&variant.attrs, problems);
        match &variant.fields {
            Fields::Unit => {}
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 && is_string(&fields.unnamed[0].ty) => {
                for attr in &attrs {
                    problems.at(
                        &attr.name,
                        "this variant keeps every other text; it has none of its own",
                    );
                }
                if unknown.replace(variant.ident.clone()).is_some() {
                    problems.at(&variant.ident, "only one variant can keep texts that are not known");
                }
                continue;
            }
            fields => {
                let message = "a variant stands for one text and has no fields, but for one like `Unknown(String)`";
                problems.at(fields, message);
                continue;
            }
        }
        let mut texts = vec![variant.ident.unraw().to_string()];
        for attr in &attrs {
            match attr.name.to_string().as_str() {
                "wire" => texts[0] = attr.text(problems).map(|text| text.value()).unwrap_or_default(),
                "aliases" => texts.extend(attr.texts(problems)),
                _ => attr.unknown(&VARIANT_ATTRS, problems),
            }
        }
        for text in &texts {
            if let Some((earlier, _)) = values.iter().find(|(_, known)| known.contains(text)) {
                problems.at(&variant.ident, format!("`{text}` is the variant `{earlier}` already"));
            }
        }
        values.push((variant.ident.clone(), texts));
    }
    let Some(unknown) = unknown else {
        let message = "the service may send a text that is not known yet: add a variant `Unknown(String)` for it";
        problems.at(&input.ident, message);
        return (sdk, None);
    };
    let name = input.ident.clone();
    (sdk, Some(OpenEnum { name, values, unknown }))
}

fn is_string(ty: &Type) -> bool {
    match ty {
        Type::Path(path) => path.path.segments.last().is_some_and(|last| last.ident == "String"),
        _ => false,
    }
}
