//! What each derive becomes: lowered to the model's types, and emitted by the generator.

use oss_codegen::emit::operation::{self, Output, Struct, Target};
use oss_codegen::emit::scope::{Home, Scope};
use oss_codegen::emit::{enums, url_decode, xml};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::DeriveInput;
use syn::spanned::Spanned;

use crate::attrs::Problems;
use crate::lower::{self, Derive, Lowered, Paginate};

/// `#[derive(OssOperation)]`.
pub(crate) fn oss_operation(input: &DeriveInput) -> syn::Result<TokenStream> {
    let mut problems = Problems::default();
    let lowered = lower::lower(input, Derive::Operation, &mut problems);
    let operation = lowered
        .as_ref()
        .and_then(|lowered| lower::operation(lowered, &mut problems));
    let output = lowered.as_ref().map(|lowered| lower::output(lowered, &mut problems));
    let pages = lowered
        .as_ref()
        .and_then(|lowered| lower::paginate(lowered, &mut problems));
    problems.finish()?;
    let (Some(lowered), Some(operation), Some(output)) = (lowered, operation, output) else {
        return Ok(TokenStream::new());
    };
    let scope = scope(&lowered);
    let fields = lowered.fields();
    let target = Target {
        request: lowered.ty(),
        request_fields: &fields,
        output: Output::FromReply(output.clone()),
    };
    let pages = pages.map(|pages| paginate(&scope, &lowered.ident, &output, &pages));
    let presign = operation.presign.then(|| {
        let (presign, ty) = (scope.runtime("Presign"), lowered.ty());
        quote!(impl #presign for #ty {})
    });
    let tokens = operation::emit(&scope, &operation, &target);
    Ok(quote!(#tokens #presign #pages))
}

/// The impl for an operation that pages. As the generator's for models, but the fields of the page are of unknown types.
fn paginate(scope: &Scope<'_>, request: &Ident, page: &TokenStream, pages: &Paginate) -> TokenStream {
    let [trait_, next, page_token, more_pages] =
        ["Paginate", "NextPage", "PageToken", "MorePages"].map(|name| scope.runtime(name));
    let vec = scope.standard("Vec");
    let Paginate {
        item,
        items,
        more,
        tokens,
    } = pages;
    let without_token = match more {
        Some(_) => quote!(#next::Lost),
        None => quote!(#next::Last),
    };
    let more = more.as_ref().map(|more| {
        quote_spanned! {more.span()=>
            if !#more_pages::has_more(&page.#more) {
                return #next::Last;
            }
        }
    });
    let names: Vec<Ident> = (0..tokens.len()).map(|index| format_ident!("token_{index}")).collect();
    let first = names.first();
    let reads = tokens
        .iter()
        .zip(&names)
        .map(|((_, from), name)| quote_spanned!(from.span()=> let #name = #page_token::token(&page.#from);));
    let stays = tokens
        .iter()
        .zip(&names)
        .map(|((to, _), name)| quote_spanned!(to.span()=> #page_token::token(&self.#to) == #name));
    let moves = tokens
        .iter()
        .zip(&names)
        .map(|((to, _), name)| quote_spanned!(to.span()=> #page_token::put(&mut self.#to, #name);));
    quote! {
        impl #trait_ for #request {
            type Item = #item;

            fn next_page(&mut self, page: &#page) -> #next {
                #more
                #(#reads)*
                if #first.is_none() {
                    return #without_token;
                }
                if #(#stays)&&* {
                    return #next::Lost;
                }
                #(#moves)*
                #next::More
            }

            fn items(page: #page) -> #vec<#item> {
                page.#items
            }
        }
    }
}

/// `#[derive(OssEnum)]`.
pub(crate) fn oss_enum(input: &DeriveInput) -> syn::Result<TokenStream> {
    let mut problems = Problems::default();
    let (sdk, open) = lower::open_enum(input, &mut problems);
    problems.finish()?;
    let service = lower::service();
    let types = Vec::new();
    let scope = Scope::of_group(&service, "", Home::Macro { sdk, types });
    Ok(open.map(|open| enums::conversions(&scope, &open)).unwrap_or_default())
}

/// `#[derive(ToXml)]`.
pub(crate) fn to_xml(input: &DeriveInput) -> syn::Result<TokenStream> {
    let mut problems = Problems::default();
    let lowered = lower::lower(input, Derive::ToXml, &mut problems);
    let root = lowered.as_ref().and_then(|lowered| {
        lower::check_document(lowered, &mut problems);
        lower::root(lowered, &mut problems)
    });
    problems.finish()?;
    let Some(lowered) = lowered else {
        return Ok(TokenStream::new());
    };
    let scope = scope(&lowered);
    let ty = lowered.ty();
    let xml_root = scope.runtime("XmlRoot");
    let root = root.unwrap_or_else(|| lowered.ident.to_string());
    let write = xml::write_impl(&scope, &ty, &lowered.fields(), None);
    Ok(quote! {
        #write

        impl #xml_root for #ty {
            const ROOT: &'static str = #root;
        }
    })
}

/// `#[derive(FromXml)]`.
pub(crate) fn from_xml(input: &DeriveInput) -> syn::Result<TokenStream> {
    let mut problems = Problems::default();
    let lowered = lower::lower(input, Derive::FromXml, &mut problems);
    let answer = lowered.as_ref().map(|lowered| {
        lower::check_document(lowered, &mut problems);
        lower::answer(lowered, &mut problems)
    });
    problems.finish()?;
    let (Some(lowered), Some(answer)) = (lowered, answer) else {
        return Ok(TokenStream::new());
    };
    let scope = scope(&lowered);
    let fields = lowered.fields();
    let output = Struct {
        ty: lowered.ty(),
        fields: &fields,
        meta: lowered.meta.clone(),
    };
    let decoded = url_decode::is_needed(&scope, &fields).then(|| url_decode::emit(&scope, lowered.ty(), &fields));
    let read = operation::emit_from_reply(&scope, &answer, &output);
    Ok(quote!(#read #decoded))
}

fn scope(lowered: &Lowered) -> Scope<'_> {
    Scope::of_group(
        &lowered.service,
        "",
        Home::Macro {
            sdk: lowered.sdk.clone(),
            types: lowered.types.clone(),
        },
    )
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    fn pretty(expansion: syn::Result<TokenStream>) -> String {
        prettyplease::unparse(&syn::parse2(expansion.unwrap()).unwrap())
    }

    #[test]
    fn an_operation_becomes_what_the_generator_writes_for_a_model() {
        let input = parse_quote! {
            #[oss(http = "PUT /{bucket}/{key}?x&mode=a", output = Answer, content_md5, presign, success(200, 201))]
            struct PutThing {
                #[oss(bucket)]
                bucket: String,
                #[oss(key)]
                key: String,
                #[oss(query = "max-keys", range(1, 1000))]
                max_keys: Option<i64>,
                #[oss(query = "class")]
                class: Class,
                #[oss(header = "If-Modified-Since")]
                since: Option<Timestamp>,
                #[oss(headers = "x-oss-meta-")]
                metadata: BTreeMap<String, String>,
                #[oss(body)]
                thing: Option<Thing>,
            }
        };
        insta::assert_snapshot!("operation", pretty(oss_operation(&input)));
    }

    #[test]
    fn a_document_is_written_element_by_element() {
        let input = parse_quote! {
            #[oss(wire = "ThingConfiguration")]
            struct Thing {
                r#type: String,
                #[oss(wire = "Owner>ID", length(1, 63))]
                owner_id: Option<String>,
                #[oss(wire = "Owner>Since", format = "unix")]
                owner_since: Option<Timestamp>,
                #[oss(wire = "Rules>Rule", required, max_items = 10)]
                rules: Vec<Rule>,
                #[oss(value)]
                class: Class,
            }
        };
        insta::assert_snapshot!("to_xml", pretty(to_xml(&input)));
    }

    #[test]
    fn an_answer_is_read_from_headers_and_elements() {
        let input = parse_quote! {
            #[oss(wire = "Thing")]
            struct Answer {
                name: String,
                #[oss(wire = "Owner>ID", aliases("Id"))]
                owner_id: Option<String>,
                #[oss(default)]
                count: i64,
                rules: Vec<Rule>,
                #[oss(header = "ETag")]
                etag: String,
                #[oss(headers = "x-oss-meta-")]
                metadata: BTreeMap<String, String>,
                #[oss(meta)]
                meta: ResultMeta,
            }
        };
        insta::assert_snapshot!("from_xml", pretty(from_xml(&input)));
    }

    #[test]
    fn all_problems_are_reported_at_once() {
        let input = parse_quote! {
            #[oss(http = "GET /{bucket}", nonsense)]
            struct Get {
                #[oss(bucket)]
                bucket: Option<String>,
                #[oss(query = "a")]
                list: Vec<String>,
            }
        };
        let problems = oss_operation(&input).unwrap_err().into_iter().count();
        assert_eq!(problems, 3);
    }
}
