//! Encrypted transport: a certificate that its user gives, or one from an authority of the emulator's own.
//!
//! The own authority signs a certificate for each name that clients ask for. A single one with wildcards would not do: common
//! TLS libraries refuse `*.localhost`, and names can be bound to buckets at any time.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;

use crate::address::Names;

/// Certificates that are kept. Beyond that the oldest is signed again when it is asked for.
const MAX_KEPT: usize = 1024;

/// Where the certificate of an HTTPS listener comes from.
#[derive(Clone)]
pub struct Tls(Source);

#[derive(Clone)]
enum Source {
    Generated,
    Pem { chain: Vec<u8>, key: Vec<u8> },
}

impl Tls {
    /// Certificates from an authority of the emulator's own, which clients are told to trust:
    /// [`Emulator::ca_certificate_pem`](crate::Emulator::ca_certificate_pem). With a data directory the authority stays the same
    /// across restarts and stands there as `tls/ca.pem`.
    #[must_use]
    pub fn generated() -> Self {
        Self(Source::Generated)
    }

    /// A certificate chain, the server's own first, and its private key, both in PEM.
    #[must_use]
    pub fn from_pem(chain: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        Self(Source::Pem {
            chain: chain.into(),
            key: key.into(),
        })
    }

    /// Makes ready to accept connections. `names` are in the certificate of clients that do not say whom they want, or want somebody
    /// whom the emulator is not, by the names that it is `known` by.
    pub(crate) fn prepare(
        &self,
        names: &[String],
        known: Arc<RwLock<Names>>,
        data_dir: Option<&Path>,
    ) -> Result<Prepared, String> {
        let provider = Arc::new(ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_no_client_auth();
        let (mut config, authority) = match &self.0 {
            Source::Generated => {
                let (minter, pem) = Minter::new(names, known, data_dir)?;
                (config.with_cert_resolver(Arc::new(minter)), Some(pem))
            }
            Source::Pem { chain, key } => {
                let chain = CertificateDer::pem_slice_iter(chain)
                    .collect::<Result<Vec<_>, _>>()
                    .map_err(|error| format!("the certificates are not PEM: {error}"))?;
                if chain.is_empty() {
                    return Err("there is no certificate in the PEM text".to_owned());
                }
                let key = PrivateKeyDer::from_pem_slice(key)
                    .map_err(|_| "there is no private key in the PEM text of the key".to_owned())?;
                let config = config
                    .with_single_cert(chain, key)
                    .map_err(|error| format!("the certificate and the key cannot be used: {error}"))?;
                (config, None)
            }
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Prepared {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            authority,
        })
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::Generated => "Tls::generated",
            Source::Pem { .. } => "Tls::from_pem",
        })
    }
}

/// What a listener needs, and what its clients need.
pub(crate) struct Prepared {
    pub(crate) acceptor: TlsAcceptor,
    /// Certificate of the emulator's own authority in PEM.
    pub(crate) authority: Option<String>,
}

/// Signs certificates for the names that clients ask for.
struct Minter {
    issuer: Issuer<'static, KeyPair>,
    /// All certificates are for this key.
    key: KeyPair,
    default: Arc<CertifiedKey>,
    /// Names under which the emulator is reached. It vouches for no others.
    known: Arc<RwLock<Names>>,
    kept: Mutex<Kept>,
}

/// The certificates that were signed, by name.
#[derive(Debug, Default)]
struct Kept {
    by_name: HashMap<String, Arc<CertifiedKey>>,
    /// The names, oldest first.
    order: VecDeque<String>,
}

impl Kept {
    fn add(&mut self, name: String, signed: Arc<CertifiedKey>) {
        if self.by_name.insert(name.clone(), signed).is_some() {
            return;
        }
        self.order.push_back(name);
        if self.order.len() > MAX_KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_name.remove(&oldest);
        }
    }
}

impl fmt::Debug for Minter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Minter").finish_non_exhaustive()
    }
}

impl Minter {
    fn new(names: &[String], known: Arc<RwLock<Names>>, data_dir: Option<&Path>) -> Result<(Self, String), String> {
        let directory = data_dir.map(|directory| directory.join("tls"));
        let (issuer, pem) = authority(directory.as_deref())?;
        let key = KeyPair::generate().map_err(|error| error.to_string())?;
        let default = Arc::new(sign(&issuer, &key, names.to_vec())?);
        let minter = Self {
            issuer,
            key,
            default,
            known,
            kept: Mutex::default(),
        };
        Ok((minter, pem))
    }

    /// The certificate for a name in lower case.
    fn certificate(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        let is_known = {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            known.resolve(name, "/").is_ok()
        };
        if !is_known {
            return Some(Arc::clone(&self.default));
        }
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(signed) = kept().by_name.get(name) {
            return Some(Arc::clone(signed));
        }
        let signed = Arc::new(sign(&self.issuer, &self.key, vec![name.to_owned()]).ok()?);
        kept().add(name.to_owned(), Arc::clone(&signed));
        Some(signed)
    }
}

impl ResolvesServerCert for Minter {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        match hello.server_name() {
            Some(name) => self.certificate(&name.to_ascii_lowercase()),
            None => Some(Arc::clone(&self.default)),
        }
    }
}

/// The authority of a directory, or a new one that is kept there.
fn authority(directory: Option<&Path>) -> Result<(Issuer<'static, KeyPair>, String), String> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |error: io::Error| format!("{}: {error}", path.display())
    };
    let files = directory.map(|directory| (directory.join("ca-key.pem"), directory.join("ca.pem")));
    let kept = match &files {
        Some((key, _)) if key.exists() => Some(fs::read_to_string(key).map_err(at(key))?),
        _ => None,
    };
    let key = match &kept {
        Some(pem) => KeyPair::from_pem(pem),
        None => KeyPair::generate(),
    }
    .map_err(|error| format!("the key of the authority cannot be used: {error}"))?;
    let mut params = params("oss-emulator test authority", Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let kept_pem = match &files {
        Some((_, certificate)) if kept.is_some() && certificate.exists() => {
            Some(fs::read_to_string(certificate).map_err(at(certificate))?)
        }
        _ => None,
    };
    let pem = match kept_pem {
        Some(pem) => pem,
        None => {
            let pem = params.self_signed(&key).map_err(|error| error.to_string())?.pem();
            if let (Some(directory), Some((key_file, certificate))) = (directory, &files) {
                fs::create_dir_all(directory).map_err(at(directory))?;
                if kept.is_none() {
                    write_private(key_file, &key.serialize_pem()).map_err(at(key_file))?;
                }
                fs::write(certificate, &pem).map_err(at(certificate))?;
            }
            pem
        }
    };
    Ok((Issuer::new(params, key), pem))
}

/// Signs a certificate of a server for names and addresses.
fn sign(issuer: &Issuer<'static, KeyPair>, key: &KeyPair, names: Vec<String>) -> Result<CertifiedKey, String> {
    let mut params = params("oss-emulator", names)?;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = params.signed_by(key, issuer).map_err(|error| error.to_string())?;
    let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let signing = ring::sign::any_supported_type(&private).map_err(|error| error.to_string())?;
    Ok(CertifiedKey::new(vec![certificate.der().clone()], signing))
}

/// Certificates are valid whatever time the emulator's clock shows: clients go by their own.
fn params(name: &str, names: Vec<String>) -> Result<CertificateParams, String> {
    let mut params = CertificateParams::new(names).map_err(|error| format!("a name is no host name: {error}"))?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2049, 12, 31);
    Ok(params)
}

/// Writes what only the user may read.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_refused() {
        assert!(Tls::from_pem("", "").prepare(&[], Arc::default(), None).is_err());
        assert!(
            Tls::from_pem("nonsense", "nonsense")
                .prepare(&[], Arc::default(), None)
                .is_err()
        );
        let key = KeyPair::generate().unwrap();
        let certificate = params("a", vec!["a".to_owned()]).unwrap().self_signed(&key).unwrap();
        assert!(
            Tls::from_pem(certificate.pem(), key.serialize_pem())
                .prepare(&[], Arc::default(), None)
                .is_ok()
        );
        let other = KeyPair::generate().unwrap().serialize_pem();
        assert!(
            Tls::from_pem(certificate.pem(), other)
                .prepare(&[], Arc::default(), None)
                .is_err()
        );
    }

    #[test]
    fn certificates_are_signed_for_own_names_and_not_kept_without_end() {
        let names = Names::new(
            &["own.test".to_owned()],
            &[("cname.test".to_owned(), "bucket".to_owned())].into(),
        );
        let (minter, _) = Minter::new(&["localhost".to_owned()], Arc::new(RwLock::new(names)), None).unwrap();
        let is_default = |name: &str| Arc::ptr_eq(&minter.certificate(name).unwrap(), &minter.default);
        for name in [
            "localhost",
            "own.test",
            "bucket.own.test",
            "cname.test",
            "bucket.localhost",
        ] {
            assert!(!is_default(name), "{name}");
        }
        for name in ["bank.example", "oss-login.bank.example", "a.b.own.test", "notown.test"] {
            assert!(is_default(name), "{name}");
        }
        minter.known.write().unwrap().bind("bound.test", "bucket");
        assert!(!is_default("bound.test"));
        let first = minter.certificate("own.test").unwrap();
        assert!(Arc::ptr_eq(&first, &minter.certificate("own.test").unwrap()));
        let mut kept = Kept::default();
        for number in 0..MAX_KEPT + 10 {
            kept.add(format!("b{number}"), Arc::clone(&first));
            kept.add(format!("b{number}"), Arc::clone(&first));
        }
        assert_eq!((kept.by_name.len(), kept.order.len()), (MAX_KEPT, MAX_KEPT));
        assert!(!kept.by_name.contains_key("b9") && kept.by_name.contains_key("b10"));
    }

    #[test]
    fn the_authority_of_a_directory_stays() {
        let directory = tempfile::tempdir().unwrap();
        let first = Tls::generated()
            .prepare(&[], Arc::default(), Some(directory.path()))
            .unwrap()
            .authority;
        let second = Tls::generated()
            .prepare(&[], Arc::default(), Some(directory.path()))
            .unwrap()
            .authority;
        assert!(first.is_some());
        assert_eq!(first, second);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let key = fs::metadata(directory.path().join("tls/ca-key.pem")).unwrap();
            assert_eq!(key.permissions().mode() & 0o777, 0o600);
        }
    }
}
