//! The API models, embedded by the build script and resolved once per process.

use std::sync::OnceLock;

pub use oss_codegen::api::*;
use oss_codegen::{SourceFile, load};

const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/models.rs"));

/// The resolved models.
///
/// # Errors
///
/// When they are not valid; the text is the loader's report.
pub fn api() -> Result<&'static Api, String> {
    static API: OnceLock<Result<Api, String>> = OnceLock::new();
    let api = API.get_or_init(|| {
        let sources = FILES.iter().map(|(path, text)| SourceFile {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        });
        load(&sources.collect::<Vec<_>>()).map_err(|diagnostics| diagnostics.to_string())
    });
    api.as_ref().map_err(Clone::clone)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_embedded_models_load() {
        let api = super::api().unwrap();
        assert!(
            api.service("oss")
                .is_some_and(|service| service.operation("PutObject").is_some())
        );
    }
}
