//! TLS with certificates of both sides: PEM texts come in, what takes connections goes out. Whoever
//! shows no certificate of the given authorities is refused while shaking hands.
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{Error, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

/// A file of certificates or keys: what to call it where it is of no use, and what is in it.
pub struct Pem {
    pub name: String,
    pub text: String,
}

pub struct Files {
    pub private_key: Pem,
    pub cert_chain: Pem,
    pub root_certs: Pem,
}

/// `protocol` is what clients are offered to speak. The error is a sentence that names the file.
pub fn acceptor(files: &Files, protocol: &[u8]) -> Result<TlsAcceptor, String> {
    let Files { private_key, cert_chain, root_certs } = files;
    let mut roots = RootCertStore::empty();
    for certificate in certificates(root_certs)? {
        roots.add(certificate).map_err(|error| told(root_certs, &error))?;
    }
    let provider = Arc::new(ring::default_provider());
    let clients =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .map_err(|error| told(root_certs, &error))?;
    let key = PrivateKeyDer::from_pem_slice(private_key.text.as_bytes())
        .map_err(|error| told(private_key, &absent(&error, "private key")))?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_client_cert_verifier(clients)
        .with_single_cert(certificates(cert_chain)?, key)
        .map_err(|error| format!("{}, {}: {error}", cert_chain.name, private_key.name))?;
    config.alpn_protocols = vec![protocol.to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn certificates(file: &Pem) -> Result<Vec<CertificateDer<'static>>, String> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(file.text.as_bytes()).collect();
    let found = read.map_err(|error| told(file, &absent(&error, "certificate")))?;
    if found.is_empty() {
        return Err(told(file, &"expected a certificate (PEM), found none"));
    }
    Ok(found)
}

fn absent(error: &Error, what: &str) -> String {
    match error {
        Error::NoItemsFound => format!("expected a {what} (PEM), found none"),
        other => format!("expected a {what} (PEM): {other}"),
    }
}

fn told(file: &Pem, error: &impl std::fmt::Display) -> String {
    format!("{}: {error}", file.name)
}
