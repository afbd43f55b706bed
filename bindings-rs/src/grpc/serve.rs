//! The thread that serves clients: a listening socket comes in, connections are taken, few at a
//! time, until the end is asked for. A connection that asks for nothing is cut off, one whose peer
//! does not answer too.
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::runtime::Builder;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::place::Listener;
use super::service::{Answers, answer};

/// Connections at a time, and streams of one of them.
const CONNECTIONS_MAX: usize = 64;
const STREAMS_MAX: u32 = 16;
/// A connection that has asked for nothing after this is cut off.
const SILENT: Duration = Duration::from_secs(10);
/// How often a peer is asked whether it is still there, and how long it may take to say so.
const BEAT: Duration = Duration::from_secs(30);
const BEAT_ANSWER: Duration = Duration::from_secs(20);
const HEADERS_BYTES_MAX: u32 = 8 << 10;
/// What one stream may have under way beyond what the client's window takes.
const SEND_BYTES_MAX: usize = 64 << 10;
/// After a failure to accept, such as for want of descriptors.
const AGAIN: Duration = Duration::from_millis(100);
/// What streams have for their last words.
const LAST_WORDS: Duration = Duration::from_millis(300);

#[derive(Default)]
pub struct Connections {
    pub open: AtomicUsize,
    pub accepted: AtomicU64,
    /// Turned away since there were too many.
    pub refused: AtomicU64,
    /// The thread has ended.
    pub ended: AtomicBool,
}

#[derive(Clone)]
struct Server {
    answers: Arc<Answers>,
    tls: Option<TlsAcceptor>,
    connections: Arc<Connections>,
    end: watch::Receiver<bool>,
}

/// Serves until the sender of `end` says so or is gone.
pub fn start(
    listener: Listener,
    tls: Option<TlsAcceptor>,
    answers: Arc<Answers>,
    connections: Arc<Connections>,
    end: watch::Receiver<bool>,
) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
    let server = Server { answers, tls, connections, end };
    thread::Builder::new().name("saker-grpc".into()).spawn(move || {
        let connections = Arc::clone(&server.connections);
        runtime.block_on(serve(listener, server));
        drop(runtime);
        connections.ended.store(true, Relaxed);
    })?;
    Ok(())
}

async fn serve(listener: Listener, server: Server) {
    let mut end = server.end.clone();
    let connections = Arc::clone(&server.connections);
    // The file of the socket goes when this ends.
    let accepting = async move {
        match listener {
            Listener::Tcp(listener) => {
                let Ok(listener) = TcpListener::from_std(listener) else { return };
                loop {
                    let taken = listener.accept().await.map(|(stream, _)| {
                        // Alerts are small, and somebody waits for them.
                        let _ = stream.set_nodelay(true);
                        stream
                    });
                    server.take(taken).await;
                }
            }
            Listener::Unix(listener, _file) => {
                let Ok(listener) = UnixListener::from_std(listener) else { return };
                loop {
                    server.take(listener.accept().await.map(|(stream, _)| stream)).await;
                }
            }
        }
    };
    tokio::select! {
        () = accepting => {}
        _ = end.wait_for(|ended| *ended) => {}
    }
    let _ = timeout(LAST_WORDS, async {
        while connections.open.load(Relaxed) > 0 {
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

impl Server {
    async fn take<S>(&self, accepted: io::Result<S>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Ok(stream) = accepted else { return sleep(AGAIN).await };
        if self.connections.open.load(Relaxed) >= CONNECTIONS_MAX {
            self.connections.refused.fetch_add(1, Relaxed);
            return;
        }
        self.connections.accepted.fetch_add(1, Relaxed);
        let open = Open::new(Arc::clone(&self.connections));
        let server = self.clone();
        tokio::spawn(async move {
            let _open = open;
            match &server.tls {
                None => server.connection(stream).await,
                Some(tls) => {
                    // Who shows no certificate hears so from TLS itself.
                    if let Ok(Ok(stream)) = timeout(SILENT, tls.accept(stream)).await {
                        server.connection(stream).await;
                    }
                }
            }
        });
    }

    /// One connection to its end, whatever that is.
    async fn connection<S>(&self, stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let asked = Arc::new(AtomicBool::new(false));
        let service = {
            let (asked, answers) = (Arc::clone(&asked), Arc::clone(&self.answers));
            service_fn(move |request| {
                asked.store(true, Relaxed);
                let answers = Arc::clone(&answers);
                async move { Ok::<_, Infallible>(answer(answers, request).await) }
            })
        };
        let mut http = http2::Builder::new(TokioExecutor::new());
        http.timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS_MAX)
            .max_header_list_size(HEADERS_BYTES_MAX)
            .max_send_buf_size(SEND_BYTES_MAX)
            .keep_alive_interval(BEAT)
            .keep_alive_timeout(BEAT_ANSWER);
        let connection = http.serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        let silent = async {
            sleep(SILENT).await;
            if asked.load(Relaxed) {
                std::future::pending::<()>().await;
            }
        };
        let mut end = self.end.clone();
        tokio::select! {
            _ = connection.as_mut() => return,
            () = silent => return,
            _ = end.wait_for(|ended| *ended) => {}
        }
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
}

/// Counts a connection as long as it is there.
struct Open(Arc<Connections>);

impl Open {
    fn new(connections: Arc<Connections>) -> Self {
        connections.open.fetch_add(1, Relaxed);
        Self(connections)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Relaxed);
    }
}
