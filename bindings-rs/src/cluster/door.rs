//! How the cluster's side is reached: a place and the files that say who it and saker are come in,
//! connections go out. Files are read at every connection: tokens expire, authorities change.
use std::fs::File;
use std::io::Read;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::runtimes::http::{ANSWER, Trouble, within};
use crate::tls::{Pem, connector};

/// Of a token or certificates.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// A file may lie on a mount that hangs.
const READ: Duration = Duration::from_secs(2);
/// A peer that is gone without a word is noticed: seconds of silence, between questions, and how
/// many.
const KEEP_IDLE: u32 = 20;
const KEEP_BETWEEN: u32 = 5;
const KEEP_TRIES: u32 = 4;

/// A text, or the file that it stands in.
#[derive(Clone, Default)]
pub struct Source {
    pub file: String,
    pub text: String,
}

impl Source {
    pub fn is_given(&self) -> bool {
        !self.file.is_empty() || !self.text.is_empty()
    }

    async fn read(&self, what: &str) -> Result<Pem, Trouble> {
        if self.file.is_empty() {
            return Ok(Pem { name: what.into(), text: self.text.clone() });
        }
        let name = self.file.clone();
        let reading = timeout(READ, spawn_blocking(move || read_file(&name))).await;
        let text = match reading {
            Ok(Ok(Ok(text))) => text,
            Ok(Ok(Err(error))) => return Err(format!("needs {what} {}: {error}", self.file)),
            _ => return Err(format!("needs {what} {}, which cannot be read in time", self.file)),
        };
        Ok(Pem { name: format!("{what} {}", self.file), text })
    }
}

fn read_file(name: &str) -> std::io::Result<String> {
    let mut text = String::new();
    File::open(name)?.take(FILE_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}

#[derive(Clone, Default)]
pub struct Door {
    pub host: String,
    pub port: u16,
    /// Over TLS, as nearly everywhere.
    pub secure: bool,
    /// As its certificate has it; "": the host.
    pub server_name: String,
    pub authorities: Source,
    pub token: Source,
    pub certificate: Source,
    pub key: Source,
}

pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Door {
    pub async fn connect(&self, protocol: &[u8]) -> Result<Box<dyn Stream>, Trouble> {
        within(ANSWER, async {
            let stream = TcpStream::connect((self.host.as_str(), self.port))
                .await
                .map_err(|error| format!("cannot connect: {error}"))?;
            keep_alive(&stream).map_err(|error| error.to_string())?;
            if !self.secure {
                return Ok(Box::new(stream) as Box<dyn Stream>);
            }
            let authorities = self.authorities.read("the authorities' certificates").await?;
            let own = if self.certificate.is_given() {
                let certificate = self.certificate.read("the client certificate").await?;
                Some((certificate, self.key.read("the client's key").await?))
            } else {
                None
            };
            let own = own.as_ref().map(|(certificate, key)| (certificate, key));
            let connector = connector(&authorities, own, protocol)?;
            let name = if self.server_name.is_empty() { &self.host } else { &self.server_name };
            let name = ServerName::try_from(name.clone())
                .map_err(|_| format!("has a name that no certificate can have: {name:?}"))?;
            let stream = connector
                .connect(name, stream)
                .await
                .map_err(|error| format!("did not agree on TLS: {error}"))?;
            Ok(Box::new(stream) as Box<dyn Stream>)
        })
        .await
    }

    /// "" where none is given.
    pub async fn token(&self) -> Result<String, Trouble> {
        if !self.token.is_given() {
            return Ok(String::new());
        }
        Ok(self.token.read("the token").await?.text.trim().to_owned())
    }
}

fn keep_alive(stream: &TcpStream) -> Result<(), rustix::io::Errno> {
    use rustix::net::sockopt;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, Duration::from_secs(KEEP_IDLE.into()))?;
    sockopt::set_tcp_keepintvl(stream, Duration::from_secs(KEEP_BETWEEN.into()))?;
    sockopt::set_tcp_keepcnt(stream, KEEP_TRIES)?;
    sockopt::set_tcp_nodelay(stream, true)
}
