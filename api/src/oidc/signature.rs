//! How signatures are checked: by the library that is here for TLS already.
use jsonwebtoken::{
    Algorithm, DecodingKey, DecodingKeyKind,
    crypto::{CryptoProvider, JwtVerifier, KeyUtils},
    errors::{ErrorKind, Result},
    signature::{Error, Verifier},
};
use ring::signature::{self as by, RsaParameters, RsaPublicKeyComponents, VerificationAlgorithm};

static RING: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(ErrorKind::UnsupportedAlgorithm.into()),
    verifier_factory: |algorithm, key| {
        let key = key.clone();
        Ok(Box::new(Check { algorithm: *algorithm, way: way(*algorithm)?, key }))
    },
    // Nothing here makes or describes keys.
    key_utils: KeyUtils::new_unimplemented(),
};

/// Has signatures checked in that way.
pub(super) fn install() {
    // Another provider of identities may have come before.
    let _ = RING.install_default();
}

#[derive(Clone, Copy)]
enum Way {
    Rsa(&'static RsaParameters),
    Curve(&'static dyn VerificationAlgorithm),
}

fn way(algorithm: Algorithm) -> Result<Way> {
    Ok(match algorithm {
        Algorithm::RS256 => Way::Rsa(&by::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::RS384 => Way::Rsa(&by::RSA_PKCS1_2048_8192_SHA384),
        Algorithm::RS512 => Way::Rsa(&by::RSA_PKCS1_2048_8192_SHA512),
        Algorithm::PS256 => Way::Rsa(&by::RSA_PSS_2048_8192_SHA256),
        Algorithm::PS384 => Way::Rsa(&by::RSA_PSS_2048_8192_SHA384),
        Algorithm::PS512 => Way::Rsa(&by::RSA_PSS_2048_8192_SHA512),
        Algorithm::ES256 => Way::Curve(&by::ECDSA_P256_SHA256_FIXED),
        Algorithm::ES384 => Way::Curve(&by::ECDSA_P384_SHA384_FIXED),
        Algorithm::EdDSA => Way::Curve(&by::ED25519),
        _ => return Err(ErrorKind::UnsupportedAlgorithm.into()),
    })
}

struct Check {
    algorithm: Algorithm,
    way: Way,
    key: DecodingKey,
}

impl Verifier<Vec<u8>> for Check {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        let checked = match (self.key.kind(), self.way) {
            (DecodingKeyKind::RsaModulusExponent { n, e }, Way::Rsa(way)) => {
                RsaPublicKeyComponents { n, e }.verify(way, message, signature)
            }
            (DecodingKeyKind::SecretOrDer(key), Way::Curve(way)) => {
                by::UnparsedPublicKey::new(way, key).verify(message, signature)
            }
            _ => return Err(Error::new()),
        };
        checked.map_err(|_| Error::new())
    }
}

impl JwtVerifier for Check {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}
