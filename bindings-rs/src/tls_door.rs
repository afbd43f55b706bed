//! The class TlsDoor of ../index.d.ts: connections with TLS come in, and only those whose client
//! shows a certificate of the given authorities are let through, without TLS, to a socket of the
//! file system. The runtime's own TLS does not ask clients for certificates.
#![allow(clippy::needless_pass_by_value, reason = "napi hands values over")]
use std::net::{IpAddr, SocketAddr, TcpListener as StdListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use napi_derive::napi;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::async_thread;
use crate::failure::{Code, Failure, listen_reason};
use crate::grpc::GrpcPem;
use crate::tls::{Files, Pem, acceptor};

type Result<T> = std::result::Result<T, napi::Error<Code>>;

/// Connections at a time; whoever comes later is turned away.
const CONNECTIONS_MAX: u32 = 64;
/// What a client has to show who it is.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// The server behind the door has shorter times of its own.
const CONNECTION: Duration = Duration::from_secs(90);
/// After a failure to accept, such as for want of descriptors.
const AGAIN: Duration = Duration::from_millis(100);

#[napi(object)]
pub struct TlsDoorOptions {
    pub address: String,
    pub port: u16,
    pub private_key: GrpcPem,
    pub cert_chain: GrpcPem,
    pub root_certs: GrpcPem,
    pub socket_path: String,
}

#[napi(object)]
pub struct TlsDoorState {
    pub open: u32,
    pub accepted: i64,
    pub refused: i64,
    pub turned_away: i64,
    pub failed: i64,
}

#[derive(Default)]
struct Counts {
    open: AtomicU32,
    accepted: AtomicU64,
    refused: AtomicU64,
    turned_away: AtomicU64,
    failed: AtomicU64,
}

#[napi]
pub struct TlsDoor {
    port: u16,
    counts: Arc<Counts>,
    end: watch::Sender<bool>,
}

#[napi]
impl TlsDoor {
    #[napi(factory)]
    pub fn make(options: TlsDoorOptions) -> Result<Self> {
        let invalid = |reason: String| napi::Error::from(Failure::new(Code::Invalid, reason));
        let failed = |error: std::io::Error| {
            napi::Error::from(Failure::new(Code::Io, listen_reason(&error)))
        };
        let address: IpAddr = options
            .address
            .parse()
            .map_err(|_| invalid(format!("{} is no address", options.address)))?;
        let pem = |GrpcPem { name, text }: GrpcPem| Pem { name, text };
        let files = Files {
            private_key: pem(options.private_key),
            cert_chain: pem(options.cert_chain),
            root_certs: pem(options.root_certs),
        };
        let tls = acceptor(&files, b"http/1.1").map_err(invalid)?;
        let listener = StdListener::bind(SocketAddr::new(address, options.port)).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        let counts = Arc::new(Counts::default());
        let (end, ended) = watch::channel(false);
        let door = Door { tls, socket: options.socket_path.into(), counts: Arc::clone(&counts) };
        async_thread::run("saker-tls", move || door.serve(listener, ended)).map_err(failed)?;
        Ok(Self { port, counts, end })
    }

    #[napi]
    pub fn port(&self) -> u16 {
        self.port
    }

    #[napi]
    pub fn state(&self) -> TlsDoorState {
        let Counts { open, accepted, refused, turned_away, failed } = &*self.counts;
        TlsDoorState {
            open: open.load(Relaxed),
            accepted: accepted.load(Relaxed) as i64,
            refused: refused.load(Relaxed) as i64,
            turned_away: turned_away.load(Relaxed) as i64,
            failed: failed.load(Relaxed) as i64,
        }
    }

    /// Ends all connections.
    #[napi]
    pub fn close(&self) {
        self.end.send_replace(true);
    }
}

#[derive(Clone)]
struct Door {
    tls: TlsAcceptor,
    socket: PathBuf,
    counts: Arc<Counts>,
}

impl Door {
    /// Ends with the sender too. What is under way then goes with the runtime.
    async fn serve(self, listener: StdListener, mut ended: watch::Receiver<bool>) {
        let Ok(listener) = TcpListener::from_std(listener) else { return };
        let accepting = async {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => self.take(stream),
                    Err(_) => sleep(AGAIN).await,
                }
            }
        };
        tokio::select! {
            () = accepting => {}
            _ = ended.wait_for(|ended| *ended) => {}
        }
    }

    fn take(&self, stream: TcpStream) {
        self.counts.accepted.fetch_add(1, Relaxed);
        if self.counts.open.load(Relaxed) >= CONNECTIONS_MAX {
            self.counts.turned_away.fetch_add(1, Relaxed);
            return;
        }
        self.counts.open.fetch_add(1, Relaxed);
        let door = self.clone();
        tokio::spawn(async move {
            let _ = timeout(CONNECTION, door.connection(stream)).await;
            door.counts.open.fetch_sub(1, Relaxed);
        });
    }

    async fn connection(&self, stream: TcpStream) {
        let Ok(Ok(mut client)) = timeout(HANDSHAKE, self.tls.accept(stream)).await else {
            self.counts.refused.fetch_add(1, Relaxed);
            return;
        };
        let Ok(mut server) = UnixStream::connect(&self.socket).await else {
            self.counts.failed.fetch_add(1, Relaxed);
            return;
        };
        // Either side may go at any time: there is nobody to be told.
        let _ = copy_bidirectional(&mut client, &mut server).await;
    }
}
