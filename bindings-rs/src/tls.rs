//! TLS with certificates of both sides: PEM texts come in, what takes connections, or makes them,
//! goes out. Whoever shows no certificate of the given authorities is refused while shaking hands.
use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{Error, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

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
    let roots = authorities(root_certs)?;
    let provider = Arc::new(ring::default_provider());
    let clients =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .map_err(|error| told(root_certs, &error))?;
    let key = key(private_key)?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_client_cert_verifier(clients)
        .with_single_cert(certificates(cert_chain)?, key)
        .map_err(|error| format!("{}, {}: {error}", cert_chain.name, private_key.name))?;
    config.alpn_protocols = vec![protocol.to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// What connects to a server of one of the authorities; `own`: certificate and key that it shows.
pub fn connector(
    root_certs: &Pem,
    own: Option<(&Pem, &Pem)>,
    protocol: &[u8],
) -> Result<TlsConnector, String> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(authorities(root_certs)?);
    let mut config = match own {
        None => builder.with_no_client_auth(),
        Some((chain, private_key)) => builder
            .with_client_auth_cert(certificates(chain)?, key(private_key)?)
            .map_err(|error| format!("{}, {}: {error}", chain.name, private_key.name))?,
    };
    config.alpn_protocols = vec![protocol.to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

fn authorities(file: &Pem) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots.add(certificate).map_err(|error| told(file, &error))?;
    }
    Ok(roots)
}

fn key(file: &Pem) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_slice(file.text.as_bytes())
        .map_err(|error| told(file, &absent(&error, "private key")))
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
