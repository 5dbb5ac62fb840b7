//! Client methods that wait: what is called, how often, and what an answer means.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

use super::docs::Docs;
use super::field::{self, Field, Role};
use super::scope::Scope;
use super::{request, result};
use crate::api::{Condition, Member, Operation, Test, Type, Waiter};

/// The method of a waiter; nothing when there is no such operation.
pub fn emit(scope: &Scope<'_>, waiter: &Waiter) -> Option<TokenStream> {
    let operation = scope.service.operation(&waiter.operation)?;
    let method = format_ident!("wait_until_{}", waiter.name);
    let name = &waiter.name;
    let request = scope.request_or_result(&request::name(operation));
    let output = scope.request_or_result(&result::name(operation));
    let wait = scope.runtime("Wait");
    let spec = scope.runtime("WaiterSpec");
    let verdict = scope.runtime("Verdict");
    let error = scope.runtime("Error");
    let [delay, max_delay, timeout] = [waiter.delay, waiter.max_delay, waiter.timeout].map(Literal::u64_unsuffixed);

    let success = branches(waiter, "Again", &verdict, |condition| {
        on_success(scope, operation, condition)
    });
    let failure = branches(waiter, "Failed", &verdict, on_error);
    let mentions = |tokens: &TokenStream, name: &str| {
        let ident = format_ident!("{name}");
        if tokens.to_string().contains(name) {
            quote!(#ident)
        } else {
            quote!(_)
        }
    };
    let (ok_pattern, error_pattern) = (mentions(&success, "result"), mentions(&failure, "error"));

    let mut docs = Docs::of(&waiter.doc);
    docs.paragraph(&format!(
        "Calls [`{0}`](Self::{0}) at once, after {1}, and then after ever longer pauses of at most {2}. Fails after {3} \
         unless it is told otherwise.",
        operation.method_name,
        seconds(waiter.delay),
        seconds(waiter.max_delay),
        seconds(waiter.timeout),
    ));
    let docs = docs.tokens();
    Some(quote! {
        #docs
        pub fn #method(&self, request: impl Into<#request>) -> #wait<'_, #request> {
            static SPEC: #spec = #spec::new(#name, #delay, #max_delay, #timeout);
            fn judge(answer: &Result<#output, #error>) -> #verdict {
                match answer {
                    Ok(#ok_pattern) => { #success }
                    Err(#error_pattern) => { #failure }
                }
            }
            #wait::with_call(self.call(request.into()), &SPEC, judge)
        }
    })
}

/// What the conditions say of one kind of answer: the first that holds decides, otherwise the word `without`.
fn branches(
    waiter: &Waiter,
    without: &str,
    verdict: &TokenStream,
    holds: impl Fn(&Condition) -> Option<Holds>,
) -> TokenStream {
    let sets = [
        (&waiter.done, "Done"),
        (&waiter.fail, "Failed"),
        (&waiter.again, "Again"),
    ];
    let conditions = sets
        .into_iter()
        .flat_map(|(conditions, word)| conditions.iter().map(move |condition| (condition, word)));
    let mut out = TokenStream::new();
    let mut last = without;
    for (condition, word) in conditions {
        match holds(condition) {
            Some(Holds::Always) => {
                last = word;
                break;
            }
            Some(Holds::When(condition)) => {
                let word = format_ident!("{word}");
                out.extend(quote! {
                    if #condition {
                        return #verdict::#word;
                    }
                });
            }
            None => {}
        }
    }
    let last = format_ident!("{last}");
    quote!(#out #verdict::#last)
}

/// When a condition holds that can hold at all.
enum Holds {
    Always,
    When(TokenStream),
}

fn seconds(number: u64) -> String {
    match number {
        1 => "a second".to_owned(),
        60 => "a minute".to_owned(),
        3600 => "an hour".to_owned(),
        number if number % 3600 == 0 => format!("{} hours", number / 3600),
        number if number % 60 == 0 => format!("{} minutes", number / 60),
        number => format!("{number} seconds"),
    }
}

fn on_success(scope: &Scope<'_>, operation: &Operation, condition: &Condition) -> Option<Holds> {
    match condition {
        Condition::Success => Some(Holds::Always),
        Condition::Error(_) => None,
        Condition::Member { path, test } => {
            holds(scope, &operation.result, Role::Result, &quote!(result), path, test).map(Holds::When)
        }
    }
}

fn on_error(condition: &Condition) -> Option<Holds> {
    match condition {
        Condition::Error(codes) => Some(Holds::When(quote!(matches!(error.code(), Some(#(#codes)|*))))),
        Condition::Success | Condition::Member { .. } => None,
    }
}

/// Whether the member at the end of a path has a value that fits.
fn holds(
    scope: &Scope<'_>,
    members: &[Member],
    role: Role<'_>,
    base: &TokenStream,
    path: &[String],
    test: &Test,
) -> Option<TokenStream> {
    let (name, rest) = path.split_first()?;
    let fields = field::fields(scope.service, members, role);
    let field: &Field<'_> = fields.iter().find(|field| field.member.name == *name)?;
    let ident = &field.ident;
    let (item, is_list) = match &field.member.ty {
        Type::List(item) => (&**item, true),
        ty => (ty, false),
    };
    let is_bound = is_list || field.optional;
    let value = if is_bound { quote!(value) } else { quote!(#base.#ident) };
    let inner = match (rest, item) {
        ([], ty) => fits(scope, ty, &value, is_bound, test),
        (rest, Type::Shape(id)) => {
            let shape = scope.service.shape(*id);
            holds(scope, &shape.members, Role::Shape(shape), &value, rest, test)?
        }
        _ => return None,
    };
    Some(match (is_list, field.optional) {
        (true, _) => quote!(#base.#ident.iter().any(|value| #inner)),
        (false, true) => quote!(#base.#ident.as_ref().is_some_and(|value| #inner)),
        (false, false) => inner,
    })
}

/// Whether one value fits; `is_reference` says what the expression is.
fn fits(scope: &Scope<'_>, ty: &Type, value: &TokenStream, is_reference: bool, test: &Test) -> TokenStream {
    let text = match ty {
        Type::String | Type::Base64String | Type::Enum(_) => quote!(#value.as_str()),
        _ => {
            let to_text = scope.runtime("ToText");
            let value = if is_reference { quote!(#value) } else { quote!(&#value) };
            quote!(#to_text::to_text(#value).as_ref())
        }
    };
    match test {
        Test::Is(values) => quote!(matches!(#text, #(#values)|*)),
        Test::Contains(part) => quote!(#text.contains(#part)),
        Test::EndsWith(end) => quote!(#text.ends_with(#end)),
    }
}
