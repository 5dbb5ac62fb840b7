//! Tokens to text: rustfmt's style, with the blank lines between items that prettyplease leaves out.

use proc_macro2::TokenStream;

/// The text of a file. Attributes and documentation of the file itself come first.
///
/// # Panics
///
/// When the tokens are not a Rust file: the emitter has a bug.
pub fn file(tokens: TokenStream) -> String {
    let file = parse(tokens);
    let mut out = String::new();
    let head = text(file.attrs, Vec::new());
    out.push_str(head.trim_end());
    let mut previous_is_use = None;
    for item in file.items {
        let is_use = Some(rank(&item));
        if !out.is_empty() {
            out.push('\n');
            // Only imports of one origin, and module declarations, stand together.
            if is_use != previous_is_use || is_use == Some(None) {
                out.push('\n');
            }
        }
        previous_is_use = is_use;
        let text = text(Vec::new(), vec![item]);
        out.push_str(separate(&text).trim_end());
    }
    out.push('\n');
    out
}

fn text(attrs: Vec<syn::Attribute>, items: Vec<syn::Item>) -> String {
    prettyplease::unparse(&syn::File {
        shebang: None,
        frontmatter: None,
        attrs,
        items,
    })
}

/// Items that stand without a blank line between them if they have the same rank; `None` for all others.
fn rank(item: &syn::Item) -> Option<u8> {
    match item {
        syn::Item::Use(item) if matches!(item.vis, syn::Visibility::Inherited) => {
            let syn::UseTree::Path(path) = &item.tree else {
                return Some(1);
            };
            Some(match path.ident.to_string().as_str() {
                "std" => 0,
                "crate" | "super" => 2,
                _ => 1,
            })
        }
        syn::Item::Mod(item) if item.content.is_none() && item.attrs.is_empty() => Some(3),
        _ => None,
    }
}

/// Lines of items, without blank lines between them.
pub fn lines(tokens: &TokenStream) -> Vec<String> {
    prettyplease::unparse(&parse(tokens.clone()))
        .lines()
        .map(str::to_owned)
        .collect()
}

/// Lines of statements, not indented.
pub fn statements(tokens: &TokenStream) -> Vec<String> {
    let text = prettyplease::unparse(&parse(quote::quote!(async fn statements() { #tokens })));
    let lines: Vec<&str> = text.lines().collect();
    let inner = lines.get(1..lines.len().saturating_sub(1)).unwrap_or_default();
    inner
        .iter()
        .map(|line| line.strip_prefix("    ").unwrap_or(line).to_owned())
        .collect()
}

fn parse(tokens: TokenStream) -> syn::File {
    match syn::parse2(tokens.clone()) {
        Ok(file) => file,
        Err(error) => panic!("emitted code is not Rust: {error}\n{tokens}"),
    }
}

/// Puts a blank line between the functions of an impl and the items of an inline module.
fn separate(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut out = String::with_capacity(text.len());
    for (index, line) in lines.iter().enumerate() {
        out.push_str(line);
        out.push('\n');
        let next = lines.get(index + 1).copied().unwrap_or_default();
        if indentation(line) > 0 && indentation(next) == indentation(line) && are_items(line.trim(), next.trim()) {
            out.push('\n');
        }
    }
    out
}

/// Whether one line ends an item and the next, on the same level, begins another.
fn are_items(line: &str, next: &str) -> bool {
    let starts = |starts: &[&str]| starts.iter().any(|start| next.starts_with(start));
    if line == "}" {
        starts(&[
            "fn ", "pub ", "impl", "///", "#[", "async ", "static ", "const ", "struct ", "enum ",
        ])
    } else {
        // The end of an import, a constant or an associated type.
        !line.starts_with("//") && line.ends_with(';') && starts(&["fn ", "pub fn ", "impl", "///"])
    }
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    #[test]
    fn items_and_methods_are_separated_and_imports_stand_together() {
        let text = file(quote! {
            #![doc = " A file."]
            use std::fmt;
            use crate::a::B;
            use crate::b::C;
            struct A { a: u8, b: u8 }
            impl A {
                type X = u8;
                fn a(&self) { if true { loop {} } let x = 1; }
                /// Two.
                fn b(&self) {}
            }
        });
        insta::assert_snapshot!(text, @r"
        //! A file.

        use std::fmt;

        use crate::a::B;
        use crate::b::C;

        struct A {
            a: u8,
            b: u8,
        }

        impl A {
            type X = u8;

            fn a(&self) {
                if true {
                    loop {}
                }
                let x = 1;
            }

            /// Two.
            fn b(&self) {}
        }
        ");
    }

    #[test]
    fn statements_lose_the_indentation_of_their_function() {
        assert_eq!(
            statements(&quote!(let a = b().await?; c();)),
            ["let a = b().await?;", "c();"]
        );
    }
}
