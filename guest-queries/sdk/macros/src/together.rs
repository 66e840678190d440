//! Tables of different modules in one query.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::punctuated::Punctuated;
use syn::{Token, UseTree, parse::Parser as _};

/// One `allow_tables_to_appear_in_same_query!` for each pair across modules.
pub(crate) fn expand(input: TokenStream) -> syn::Result<TokenStream> {
    let trees = Punctuated::<UseTree, Token![,]>::parse_terminated.parse2(input)?;
    let mut tables = Vec::new();
    for tree in &trees {
        collect(tree, &mut Vec::new(), &mut tables)?;
    }
    let mut pairs = TokenStream::new();
    for (number, (module, left)) in tables.iter().enumerate() {
        for (other, right) in tables.iter().skip(number + 1).filter(|(other, _)| other != module) {
            let (left_path, right_path) = (path(module, left), path(other, right));
            let (one, two) = (format_ident!("left"), format_ident!("right"));
            pairs.extend(quote! {
                const _: () = {
                    use #left_path as #one;
                    use #right_path as #two;
                    ::diesel::allow_tables_to_appear_in_same_query!(#one, #two);
                };
            });
        }
    }
    Ok(pairs)
}

type Module = Vec<syn::Ident>;

fn path(module: &Module, name: &syn::Ident) -> TokenStream {
    quote!(#(#module::)* #name)
}

fn collect(
    tree: &UseTree,
    module: &mut Module,
    tables: &mut Vec<(Module, syn::Ident)>,
) -> syn::Result<()> {
    match tree {
        UseTree::Path(path) => {
            module.push(path.ident.clone());
            collect(&path.tree, module, tables)?;
            module.pop();
            Ok(())
        }
        UseTree::Name(name) => {
            tables.push((module.clone(), name.ident.clone()));
            Ok(())
        }
        UseTree::Group(group) => {
            group.items.iter().try_for_each(|tree| collect(tree, module, tables))
        }
        UseTree::Rename(_) | UseTree::Glob(_) => {
            Err(syn::Error::new_spanned(tree, "expected the path of a table"))
        }
    }
}
