//! Public keys of identity providers, from JSON web key sets and from PEM.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey};
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::Value;
use yasna::models::ObjectIdentifier;

const RSA: &[u64] = &[1, 2, 840, 113_549, 1, 1, 1];
const ELLIPTIC: &[u64] = &[1, 2, 840, 10045, 2, 1];
const P256: &[u64] = &[1, 2, 840, 10045, 3, 1, 7];

/// How tokens are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rs256,
    Es256,
}

/// A public key and its id, if it has one.
#[derive(Debug)]
pub(super) struct Key {
    id: Option<String>,
    material: Material,
}

#[derive(Debug)]
enum Material {
    /// Modulus and exponent.
    RsaParts(Vec<u8>, Vec<u8>),
    /// PKCS #1.
    Rsa(Vec<u8>),
    /// An uncompressed point.
    P256(Vec<u8>),
}

impl Key {
    /// Whether a token may be signed by this key. A token that names its key is not tried with keys of other names.
    pub(super) fn may_be(&self, id: Option<&str>, algorithm: Algorithm) -> bool {
        let fits = match self.material {
            Material::P256(_) => algorithm == Algorithm::Es256,
            _ => algorithm == Algorithm::Rs256,
        };
        let named = match (id, self.id.as_deref()) {
            (Some(wanted), Some(own)) => wanted == own,
            _ => true,
        };
        fits && named
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::RsaParts(n, e) => RsaPublicKeyComponents { n, e }
                .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
                .is_ok(),
            Material::Rsa(key) => UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key)
                .verify(message, signature)
                .is_ok(),
            Material::P256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                .verify(message, signature)
                .is_ok(),
        }
    }
}

/// The keys of a set that can sign tokens. Keys of other kinds and for encryption are passed over, as the standard asks.
pub(super) fn of_jwks(document: &str) -> Result<Vec<Key>, String> {
    let set: Value = serde_json::from_str(document).map_err(|error| format!("the key set is not JSON: {error}"))?;
    let keys = set
        .get("keys")
        .and_then(Value::as_array)
        .ok_or("the key set has no list `keys`")?;
    let mut found = Vec::new();
    for key in keys {
        let text = |name: &str| key.get(name).and_then(Value::as_str);
        let bytes = |name: &str| {
            text(name)
                .and_then(|text| URL_SAFE_NO_PAD.decode(text).ok())
                .ok_or_else(|| format!("a key has no proper `{name}`"))
        };
        let (material, algorithm) = match (text("kty"), text("crv")) {
            (Some("RSA"), _) => {
                let modulus: Vec<u8> = bytes("n")?.into_iter().skip_while(|byte| *byte == 0).collect();
                (Material::RsaParts(modulus, bytes("e")?), "RS256")
            }
            (Some("EC"), Some("P-256")) => (Material::P256([vec![4], bytes("x")?, bytes("y")?].concat()), "ES256"),
            _ => continue,
        };
        let signs = text("use").is_none_or(|usage| usage == "sig");
        if signs && text("alg").is_none_or(|given| given == algorithm) {
            found.push(Key {
                id: text("kid").map(str::to_owned),
                material,
            });
        }
    }
    Ok(found)
}

/// The key of a PEM text.
pub(super) fn of_pem(pem: &str) -> Result<Key, String> {
    let der = SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes())
        .map_err(|_| "the text is not a public key in PEM".to_owned())?;
    let material = yasna::parse_der(&der, |reader| {
        reader.read_sequence(|reader| {
            let is_rsa = reader.next().read_sequence(|reader| {
                let kind = reader.next().read_oid()?;
                if kind == ObjectIdentifier::from_slice(RSA) {
                    reader.next().read_null()?;
                    return Ok(true);
                }
                let curve = reader.next().read_oid()?;
                if kind == ObjectIdentifier::from_slice(ELLIPTIC) && curve == ObjectIdentifier::from_slice(P256) {
                    return Ok(false);
                }
                Err(yasna::ASN1Error::new(yasna::ASN1ErrorKind::Invalid))
            })?;
            let (bits, _) = reader.next().read_bitvec_bytes()?;
            Ok(if is_rsa {
                Material::Rsa(bits)
            } else {
                Material::P256(bits)
            })
        })
    });
    let material = material.map_err(|_| "the public key is neither RSA nor on the curve P-256".to_owned())?;
    Ok(Key { id: None, material })
}
