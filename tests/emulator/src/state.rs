//! What all requests of an emulator share.

use std::sync::{Arc, OnceLock, RwLock};

use oss_codegen::api::Api;

use crate::access_log::AccessLog;
use crate::address::Names;
use crate::auth::keys::Keys;
use crate::auth::nonces::Nonces;
use crate::callback::Reach;
use crate::fault::Faults;
use crate::metrics::Metrics;
use crate::oidc::Providers;
use crate::operations::VectorIndexes;
use crate::request_log::RequestLog;
use crate::roles::Roles;
use crate::store::Store;
use crate::text;
use crate::time::Clock;

pub(crate) struct State {
    pub(crate) api: &'static Api,
    pub(crate) store: Store,
    pub(crate) keys: Keys,
    pub(crate) nonces: Nonces,
    pub(crate) roles: Roles,
    pub(crate) oidc: Providers,
    /// Those whom certificates are signed for are among them.
    pub(crate) names: Arc<RwLock<Names>>,
    pub(crate) region: String,
    pub(crate) account_id: String,
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    pub(crate) log: RequestLog,
    pub(crate) metrics: Metrics,
    pub(crate) access_log: Option<AccessLog>,
    pub(crate) vector_indexes: VectorIndexes,
    /// Where callbacks may go, once all listeners have their addresses.
    pub(crate) callbacks: OnceLock<Reach>,
}

impl State {
    /// 24 hexadecimal digits in upper case.
    pub(crate) fn request_id(&self) -> String {
        let mut id = text::sha256_hex(self.keys.random_text(24).as_bytes());
        id.truncate(24);
        id.make_ascii_uppercase();
        id
    }

    /// Host of a service by the kind of endpoint, as its model has it; empty when it has none.
    pub(crate) fn host(&self, service: &str, kind: &str, region: &str) -> String {
        let template = self.api.service(service).and_then(|service| service.hosts.get(kind));
        template
            .map(|template| template.replace("{region}", region))
            .unwrap_or_default()
    }
}
