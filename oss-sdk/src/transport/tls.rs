//! TLS settings: rustls with ring and the platform's certificates, without touching any process-wide default.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme, SupportedProtocolVersion, version,
};

use super::{TlsVersion, TransportOptions};

/// The certificates in PEM texts; an error is the rest of a sentence.
pub(super) fn roots(texts: &[Vec<u8>]) -> Result<Vec<CertificateDer<'static>>, &'static str> {
    let mut roots = Vec::new();
    // Only to find out what rustls makes of them: it is not shown twice what is no certificate.
    let mut store = RootCertStore::empty();
    for text in texts {
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(text) {
            let certificate = certificate.map_err(|_| "must hold certificates in PEM that can be read")?;
            store
                .add(certificate.clone())
                .map_err(|_| "must hold certificates in PEM that can be read")?;
            roots.push(certificate);
        }
        if roots.len() == before {
            return Err("must hold a certificate in PEM");
        }
    }
    Ok(roots)
}

/// The newest first.
static VERSIONS: [&SupportedProtocolVersion; 2] = [&version::TLS13, &version::TLS12];

fn versions(minimum: TlsVersion) -> &'static [&'static SupportedProtocolVersion] {
    match minimum {
        TlsVersion::V1_2 => &VERSIONS,
        TlsVersion::V1_3 => &VERSIONS[..1],
    }
}

/// Checks certificates by what the platform trusts, and by `roots`.
fn platform(
    roots: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, Error> {
    if roots.is_empty() {
        return Ok(Arc::new(rustls_platform_verifier::Verifier::new(provider)?));
    }
    #[cfg(not(target_os = "android"))]
    return Ok(Arc::new(rustls_platform_verifier::Verifier::new_with_extra_roots(
        roots, provider,
    )?));
    #[cfg(target_os = "android")]
    return Err(Error::General(
        "Android takes no certificates beside its own".to_owned(),
    ));
}

/// Settings for connections to servers that the platform trusts or the options do, or to any server where they say so.
///
/// Reading the platform's certificates takes tens of milliseconds, so this is called for the first `https` request.
pub(super) fn config(options: &TransportOptions) -> Result<ClientConfig, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = if options.danger_accept_invalid_certificates {
        Arc::new(AcceptAny(provider.signature_verification_algorithms))
    } else {
        let roots = roots(&options.root_certificates).map_err(|rule| Error::General(rule.to_owned()))?;
        platform(roots, Arc::clone(&provider))?
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions(options.tls_minimum))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Settings that trust nobody, for clients that never use TLS: building a client demands some.
pub(super) fn unused() -> Result<ClientConfig, Error> {
    let provider: Arc<CryptoProvider> = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth())
}

/// Accepts every certificate, but still checks that the server holds its key.
#[derive(Debug)]
struct AcceptAny(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for AcceptAny {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
