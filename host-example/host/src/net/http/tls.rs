//! TLS as git has it: which certificates of servers are trusted, and which one is shown to them.

use std::fs;
use std::io::{self, ErrorKind};
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

use super::authority::is_authority;
use super::options::{ClientCertificate, Way};
use crate::contract::failure::failed;
use crate::contract::types::{Failed, Failure};
use crate::net::login::certificate_password;
use crate::net::user_file;
use crate::text::bytes_text;

/// Bytes of a file of certificates or of a key at most.
const PEM_BYTES_MAX: u64 = 4 << 20;
/// Files that are read of a folder of certificates.
const FOLDER_FILES_MAX: usize = 4096;
/// Bytes of all these files.
const FOLDER_BYTES_MAX: u64 = 64 << 20;
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
            let chain = certificates(&own.chain).map_err(|error| unread("the file of http.sslCert", &error))?;
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

/// Trusts what the system trusts, and besides that the certificates that the user named. An authority among them
/// vouches for others. A named certificate may also be the server's own, and its own authority, as `openssl req -x509`
/// makes it: OpenSSL, and so git, takes that.
#[derive(Debug)]
struct Named {
    system: Verifier,
    certificates: Vec<CertificateDer<'static>>,
}

impl Named {
    fn new(certificates: Vec<CertificateDer<'static>>, provider: Arc<CryptoProvider>) -> Result<Self, Error> {
        // Whoever holds the key of a server could otherwise sign certificates for every other.
        let authorities: Vec<_> = certificates.iter().filter(|one| is_authority(one)).cloned().collect();
        let system = match authorities.as_slice() {
            [] => Verifier::new(provider)?,
            _ => Verifier::new_with_extra_roots(authorities, provider)?,
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
        // Its times were found right before either of these. An authority's purpose is not looked at any more: the user
        // named this very certificate.
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
    let mut named = Vec::new();
    for file in &way.ca_files {
        named.extend(certificates(file).map_err(|error| unread("the file of http.sslCAInfo", &error))?);
    }
    for folder in &way.ca_folders {
        let entries = fs::read_dir(folder).map_err(|error| unread("the folder of http.sslCAPath", &error))?;
        let mut files: Vec<PathBuf> =
            entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
        files.sort_unstable();
        files.truncate(FOLDER_FILES_MAX);
        let bytes: u64 = files.iter().map(|file| file.metadata().map_or(0, |facts| facts.len())).sum();
        if bytes > FOLDER_BYTES_MAX {
            return Err(too_large("the folder of http.sslCAPath", FOLDER_BYTES_MAX));
        }
        for file in &files {
            match certificates(file) {
                Ok(found) => named.extend(found),
                Err(error) if error.kind() == ErrorKind::FileTooLarge => {
                    return Err(too_large("a file in the folder of http.sslCAPath", PEM_BYTES_MAX));
                }
                // Such folders hold other files as well.
                Err(_) => {}
            }
        }
    }
    Ok(named)
}

/// The certificates of a file, at least one.
fn certificates(file: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let found = CertificateDer::pem_slice_iter(&user_file::read(file, PEM_BYTES_MAX)?).collect::<Result<Vec<_>, _>>();
    found.ok().filter(|found| !found.is_empty()).ok_or_else(|| ErrorKind::InvalidData.into())
}

/// Why files of this setting cannot be used.
fn unread(what: &str, error: &io::Error) -> Failed {
    match error.kind() {
        ErrorKind::FileTooLarge => too_large(what, PEM_BYTES_MAX),
        ErrorKind::InvalidData => failed(Failure::Io, &format!("{what} holds no certificate")),
        _ => failed(Failure::Io, &format!("{what} cannot be read")),
    }
}

fn too_large(what: &str, bytes_max: u64) -> Failed {
    failed(Failure::Io, &format!("{what} is too large: at most {} are read", bytes_text(bytes_max)))
}

/// The key of our certificate; git is asked for its password when it is encrypted.
fn key(own: &ClientCertificate, work_dir: Option<&Path>) -> Result<PrivateKeyDer<'static>, Failed> {
    let refused = |why: &str| failed(Failure::Denied, &format!("the key of the client certificate: {why}"));
    let pem = user_file::read(&own.key, PEM_BYTES_MAX).map_err(|error| unread("the file of http.sslKey", &error))?;
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
    use std::fs;

    use super::super::options::Way;
    use super::{EncryptedPrivateKeyInfoRef, FOLDER_BYTES_MAX, PEM_BYTES_MAX, authorities, encrypted_key};
    use crate::files::scratch::Scratch;

    #[test]
    fn what_is_too_large_is_told() {
        const LARGE: &str = "is too large: at most";
        let of_file = |path| Way { ca_files: vec![path], ..Way::default() };
        let of_folder = |path| Way { ca_folders: vec![path], ..Way::default() };
        let sizes = |sizes: &[u64]| {
            let scratch = Scratch::new();
            for (at, size) in sizes.iter().enumerate() {
                let file = fs::File::create(scratch.path().join(at.to_string())).expect("a file");
                file.set_len(*size).expect("its size");
            }
            scratch
        };
        for (size, why) in [(PEM_BYTES_MAX, "holds no certificate"), (PEM_BYTES_MAX + 1, LARGE)] {
            let scratch = sizes(&[size]);
            let said = authorities(&of_file(scratch.path().join("0"))).expect_err("no certificate").detail;
            assert!(said.contains(why), "{said}");
        }
        let none = authorities(&of_file("/nowhere/at/all".into())).expect_err("no file").detail;
        assert!(none.ends_with("cannot be read"), "{none}");
        let many = vec![PEM_BYTES_MAX; usize::try_from(FOLDER_BYTES_MAX / PEM_BYTES_MAX).expect("a few") + 1];
        for (files, is_large) in [(&[1, 2][..], false), (&[1, PEM_BYTES_MAX + 1], true), (&many, true)] {
            let scratch = sizes(files);
            let said = authorities(&of_folder(scratch.path().to_owned()));
            assert_eq!(said.err().is_some_and(|failed| failed.detail.contains(LARGE)), is_large, "{}", files.len());
        }
    }

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
