//! The class GrpcServer of ../index.d.ts: alerts for clients that speak Falco's protocol. Alerts go
//! in and wait for nobody; clients are served by a thread of its own.
#![allow(clippy::needless_pass_by_value, reason = "napi hands values over")]
mod hub;
mod line;
mod messages;
mod place;
mod serve;
mod service;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use napi_derive::napi;
use prost::Message;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::failure::{Code, Failure};
use crate::tls;
use hub::Hub;
use line::{Entry, Limits};
use messages::{OutputsResponse, Timestamp, VersionResponse, source_number};
use place::{Address, Listener};
use serve::Connections;
use service::Answers;

type Result<T> = std::result::Result<T, napi::Error<Code>>;

#[napi(object)]
pub struct GrpcPem {
    pub name: String,
    pub text: String,
}

#[napi(object)]
pub struct GrpcTls {
    pub private_key: GrpcPem,
    pub cert_chain: GrpcPem,
    pub root_certs: GrpcPem,
}

#[napi(object)]
pub struct GrpcVersion {
    pub version: String,
    pub parts: Vec<u32>,
    pub build: String,
    pub engine_version: u32,
}

#[napi(object)]
pub struct GrpcOptions {
    pub unix_path: Option<String>,
    pub address: Option<String>,
    pub port: Option<u16>,
    pub tls: Option<GrpcTls>,
    pub version: GrpcVersion,
    pub alerts_max: u32,
    pub bytes_max: u32,
}

#[napi(object)]
pub struct GrpcAlert {
    pub seconds: i64,
    pub nanos: i32,
    pub priority: u32,
    pub source: String,
    pub rule: String,
    pub output: String,
    pub fields: Vec<String>,
    pub hostname: String,
    pub tags: Vec<String>,
}

#[napi(object)]
pub struct GrpcState {
    pub clients: u32,
    pub opened: i64,
    pub refused: i64,
    pub connections: u32,
    pub connections_accepted: i64,
    pub connections_refused: i64,
    pub sent: i64,
    pub waiting: u32,
    pub dropped: Vec<i64>,
    pub missed: i64,
    pub ended: bool,
}

#[napi]
pub struct GrpcServer {
    hub: Arc<Hub>,
    answers: Arc<Answers>,
    connections: Arc<Connections>,
    address: Address,
    tls: Option<TlsAcceptor>,
    /// Once it listens.
    end: Option<watch::Sender<bool>>,
}

#[napi]
impl GrpcServer {
    #[napi(factory)]
    pub fn make(options: GrpcOptions) -> Result<Self> {
        let address = address_of(&options).map_err(|reason| invalid(&reason))?;
        let tls = options.tls.map(|files| tls::acceptor(&files.into(), b"h2")).transpose();
        let limits =
            Limits { entries: options.alerts_max as usize, bytes: options.bytes_max as usize };
        let hub = Arc::new(Hub::new(limits));
        let version = version_of(options.version).encode_to_vec().into();
        Ok(Self {
            answers: Arc::new(Answers { hub: Arc::clone(&hub), version }),
            hub,
            connections: Arc::new(Connections::default()),
            address,
            tls: tls.map_err(|reason| invalid(&reason))?,
            end: None,
        })
    }

    /// Begins to listen; returns the port, 0 for a socket of the file system.
    #[napi]
    pub fn listen(&mut self) -> Result<u16> {
        let failed = |reason: String| napi::Error::from(Failure::new(Code::Io, reason));
        let listener = place::listen(&self.address).map_err(failed)?;
        let port = match &listener {
            Listener::Tcp(tcp) => tcp.local_addr().map_or(0, |address| address.port()),
            Listener::Unix(..) => 0,
        };
        let (sender, receiver) = watch::channel(false);
        let (answers, connections) = (Arc::clone(&self.answers), Arc::clone(&self.connections));
        serve::start(listener, self.tls.clone(), answers, connections, receiver)
            .map_err(|error| failed(format!("cannot start its thread: {error}")))?;
        self.end = Some(sender);
        Ok(port)
    }

    /// Gives the alerts to all who follow, or keeps them for the next client.
    #[napi]
    pub fn push(&self, alerts: Vec<GrpcAlert>) {
        self.hub.push(alerts.into_iter().map(entry_of).collect());
    }

    /// Whether no alert waits for a client, but for such that took none for so long.
    #[napi]
    pub fn settled(&self, patience_ms: u32) -> bool {
        self.hub.settled(Duration::from_millis(u64::from(patience_ms)))
    }

    #[napi]
    pub fn state(&self) -> GrpcState {
        let hub = self.hub.state();
        let connections = &self.connections;
        GrpcState {
            clients: hub.clients as u32,
            opened: hub.opened as i64,
            refused: hub.refused as i64,
            connections: connections.open.load(Relaxed) as u32,
            connections_accepted: connections.accepted.load(Relaxed) as i64,
            connections_refused: connections.refused.load(Relaxed) as i64,
            sent: hub.sent as i64,
            waiting: u32::try_from(hub.waiting).unwrap_or(u32::MAX),
            dropped: hub.dropped.iter().map(|&count| count as i64).collect(),
            missed: hub.missed as i64,
            ended: self.end.is_none() || connections.ended.load(Relaxed),
        }
    }

    /// Ends all streams; whether they have ended shows in the state.
    #[napi]
    pub fn close(&self) {
        self.hub.close();
        if let Some(end) = &self.end {
            end.send_replace(true);
        }
    }
}

fn invalid(reason: &str) -> napi::Error<Code> {
    Failure::new(Code::Invalid, reason).into()
}

fn address_of(options: &GrpcOptions) -> std::result::Result<Address, String> {
    if let Some(path) = &options.unix_path {
        return Ok(Address::Unix(path.into()));
    }
    let text = options.address.as_deref().unwrap_or_default();
    let address: IpAddr = text.parse().map_err(|_| format!("{text} is no address"))?;
    Ok(Address::Tcp(SocketAddr::new(address, options.port.unwrap_or_default())))
}

fn version_of(given: GrpcVersion) -> VersionResponse {
    let part = |at: usize| given.parts.get(at).copied().unwrap_or_default();
    VersionResponse {
        major: part(0),
        minor: part(1),
        patch: part(2),
        version: given.version,
        prerelease: String::new(),
        build: given.build,
        engine_version: given.engine_version,
        engine_fields_checksum: String::new(),
    }
}

fn entry_of(alert: GrpcAlert) -> Entry {
    let fields = alert.fields.chunks_exact(2);
    let message = OutputsResponse {
        time: Some(Timestamp { seconds: alert.seconds, nanos: alert.nanos }),
        priority: alert.priority as i32,
        source_deprecated: source_number(&alert.source),
        rule: alert.rule,
        output: alert.output,
        output_fields: fields.map(|pair| (pair[0].clone(), pair[1].clone())).collect(),
        hostname: alert.hostname,
        tags: alert.tags,
        source: alert.source,
    };
    Entry { bytes: message.encode_to_vec().into(), priority: alert.priority as u8 }
}

impl From<GrpcTls> for tls::Files {
    fn from(given: GrpcTls) -> Self {
        let pem = |GrpcPem { name, text }: GrpcPem| tls::Pem { name, text };
        Self {
            private_key: pem(given.private_key),
            cert_chain: pem(given.cert_chain),
            root_certs: pem(given.root_certs),
        }
    }
}

#[cfg(test)]
mod tests;
