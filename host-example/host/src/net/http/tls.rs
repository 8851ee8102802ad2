//! TLS as git has it: which certificates of servers are trusted, and which one is shown to them.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as STANDARD;
use pkcs8::EncryptedPrivateKeyInfoRef;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};
use rustls_platform_verifier::Verifier;

use super::options::{ClientCertificate, Way};
use crate::contract::failure::failed;
use crate::contract::types::{Failed, Failure};
use crate::net::login::certificate_password;

/// Bytes of a file of certificates or of a key at most.
const PEM_BYTES_MAX: u64 = 4 << 20;
/// Files that are read of a folder of certificates.
const FOLDER_FILES_MAX: usize = 4096;
/// What is spoken behind TLS, the best first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The settings of connections on this way, with this certificate of ours. Reads files, and may ask git, and through it
/// the user, for a password.
pub(super) fn config(
    way: &Way,
    certificate: Option<&ClientCertificate>,
    work_dir: Option<&Path>,
) -> Result<ClientConfig, Failed> {
    let broken = |error: Error| failed(Failure::Io, &format!("TLS cannot be set up: {error}"));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Named::new(authorities(way)?, Arc::clone(&provider)).map_err(broken)?;
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(broken)?;
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match certificate {
        None => builder.with_no_client_auth(),
        Some(own) => {
            let chain = certificates(&own.chain).ok().filter(|chain| !chain.is_empty());
            let chain = chain.ok_or_else(|| failed(Failure::Io, "the file of http.sslCert holds no certificate"))?;
            let unfit =
                |_| failed(Failure::Io, "the key of http.sslKey does not belong to the certificate of http.sslCert");
            builder.with_client_auth_cert(chain, key(own, work_dir)?).map_err(unfit)?
        }
    };
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    Ok(config)
}

/// The settings of connections without TLS: no certificate is trusted, because none is ever asked for.
pub(super) fn none() -> Result<ClientConfig, Failed> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| failed(Failure::Io, &error.to_string()))?;
    Ok(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

/// Trusts what the system trusts, and besides that the certificates that the user named. A named certificate may be
/// the server's own, and its own authority, as `openssl req -x509` makes it: OpenSSL, and so git, takes that.
#[derive(Debug)]
struct Named {
    system: Verifier,
    certificates: Vec<CertificateDer<'static>>,
}

impl Named {
    fn new(certificates: Vec<CertificateDer<'static>>, provider: Arc<CryptoProvider>) -> Result<Self, Error> {
        let system = match certificates.as_slice() {
            [] => Verifier::new(provider)?,
            named => Verifier::new_with_extra_roots(named.iter().cloned(), provider)?,
        };
        Ok(Self { system, certificates })
    }
}

impl ServerCertVerifier for Named {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let judged = self.system.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        let Err(Error::InvalidCertificate(why)) = &judged else { return judged };
        // These are found after the times and the purpose of the certificate were found right.
        let only_unsigned = match why {
            CertificateError::UnknownIssuer => true,
            CertificateError::Other(OtherError(why)) => {
                why.downcast_ref::<webpki::Error>() == Some(&webpki::Error::CaUsedAsEndEntity)
            }
            _ => false,
        };
        if !only_unsigned || !self.certificates.iter().any(|named| named.as_ref() == end_entity.as_ref()) {
            return judged;
        }
        verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.system.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.system.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.system.supported_verify_schemes()
    }
}

/// The certificates of the files and folders that the user named.
fn authorities(way: &Way) -> Result<Vec<CertificateDer<'static>>, Failed> {
    let unusable = |what: &str| failed(Failure::Io, &format!("the configured certificate {what} cannot be read"));
    let mut named = Vec::new();
    for file in &way.ca_files {
        let found = certificates(file).ok().filter(|found| !found.is_empty());
        named.extend(found.ok_or_else(|| unusable("file"))?);
    }
    for folder in &way.ca_folders {
        let entries = fs::read_dir(folder).map_err(|_| unusable("folder"))?;
        let mut files: Vec<PathBuf> =
            entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
        files.sort_unstable();
        // Such folders hold other files as well.
        named.extend(files.iter().take(FOLDER_FILES_MAX).filter_map(|file| certificates(file).ok()).flatten());
    }
    Ok(named)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, ()> {
    CertificateDer::pem_slice_iter(&read(file)?).collect::<Result<_, _>>().map_err(drop)
}

fn read(file: &Path) -> Result<Vec<u8>, ()> {
    let mut pem = Vec::new();
    File::open(file).and_then(|file| file.take(PEM_BYTES_MAX).read_to_end(&mut pem)).map_err(drop)?;
    Ok(pem)
}

/// The key of our certificate; git is asked for its password when it is encrypted.
fn key(own: &ClientCertificate, work_dir: Option<&Path>) -> Result<PrivateKeyDer<'static>, Failed> {
    let refused = |why: &str| failed(Failure::Denied, &format!("the key of the client certificate: {why}"));
    let pem = read(&own.key).map_err(|()| failed(Failure::Io, "the file of http.sslKey cannot be read"))?;
    if let Some(encrypted) = encrypted_key(&pem) {
        let open = |password: &[u8]| {
            let key = EncryptedPrivateKeyInfoRef::try_from(encrypted.as_slice()).ok()?.decrypt(password).ok()?;
            Some(PrivatePkcs8KeyDer::from(key.as_bytes().to_vec()).into())
        };
        return certificate_password(work_dir, &own.chain, open).map_err(|why| refused(&why));
    }
    if pem.windows(OLD_FORM.len()).any(|part| part == OLD_FORM) {
        return Err(refused("it is encrypted in an old form; `openssl pkcs8 -topk8` writes the one that is read here"));
    }
    PrivateKeyDer::from_pem_slice(&pem).map_err(|_| failed(Failure::Io, "the file of http.sslKey holds no key"))
}

/// In keys that were encrypted before PKCS #8 was usual.
const OLD_FORM: &[u8] = b"Proc-Type: 4,ENCRYPTED";

/// The bytes of a key in PEM that a password protects (PKCS #8).
fn encrypted_key(pem: &[u8]) -> Option<Vec<u8>> {
    let text = String::from_utf8_lossy(pem);
    let (_, rest) = text.split_once("-----BEGIN ENCRYPTED PRIVATE KEY-----")?;
    let (body, _) = rest.split_once("-----END")?;
    STANDARD.decode(body.split_ascii_whitespace().collect::<String>()).ok()
}

#[cfg(test)]
mod tests {
    use super::{EncryptedPrivateKeyInfoRef, encrypted_key};

    /// Made for this test by `openssl genpkey -algorithm EC -aes256 -pass pass:geheim`; it protects nothing.
    const KEY: &[u8] = b"-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhtv0EV16N8gQICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEELF8fhVBTKegCCaze+FjQBsEgZBZ
Af/3S/F8iXdtzX0XL4Vee54CwZkvQrrTZe38XA3RnkyAl3wD28FfuhLF0JloxSgD
tVqnz2RnTfL8MkB7BtFRScID4PqmLR3wZnwduOGZqefU037hrn3nIOCvUiJ3R7Nr
5amYjqAL1/zJ4IKcbx9kRfjYSk0fP7CNUH9oeAHjbj3UMx1ti+XjUIS3A+R9EvE=
-----END ENCRYPTED PRIVATE KEY-----
";

    #[test]
    fn a_password_opens_a_key() {
        let encrypted = encrypted_key(KEY).expect("an encrypted key");
        let key = EncryptedPrivateKeyInfoRef::try_from(encrypted.as_slice()).expect("its form is known");
        assert!(key.decrypt(b"geheim").is_ok());
        assert!(key.decrypt(b"Geheim").is_err() && key.decrypt(b"").is_err());
        assert!(encrypted_key(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").is_none());
    }
}
