//! gRPC over a socket of the file system, or any other stream: a connection on which calls are
//! made, each within a time and a bound.
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::uri::PathAndQuery;
use http::{Request, Response, Uri};
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use prost::Message;
use tokio::io::{AsyncRead, AsyncWrite};
use tonic::body::Body;
use tonic::client::Grpc;
use tonic::metadata::MetadataValue;
use tonic::{Code, Status, Streaming};
use tonic_prost::ProstCodec;
use tower_service::Service;

use super::http::{ANSWER, Trouble, connect, within};

/// Of one message; the list of a thousand containers with their specs has some ten million.
const MESSAGE_BYTES_MAX: usize = 16 << 20;
const HEADERS_BYTES_MAX: u32 = 16 << 10;
/// A peer that is gone without a word is noticed.
const BEAT: Duration = Duration::from_secs(20);
const BEAT_ANSWER: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub struct Channel {
    sender: http2::SendRequest<Body>,
}

impl Channel {
    pub async fn open(socket: &Path) -> Result<Self, Trouble> {
        within(ANSWER, async { Self::over(connect(socket).await?).await }).await
    }

    pub async fn over<S>(stream: S) -> Result<Self, Trouble>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        within(ANSWER, async {
            let mut builder = http2::Builder::new(TokioExecutor::new());
            builder
                .timer(TokioTimer::new())
                .max_header_list_size(HEADERS_BYTES_MAX)
                .keep_alive_interval(BEAT)
                .keep_alive_timeout(BEAT_ANSWER);
            let (sender, connection) = builder
                .handshake(TokioIo::new(stream))
                .await
                .map_err(|error| format!("did not speak gRPC: {error}"))?;
            tokio::spawn(async move {
                // What it ends with is what the calls end with.
                let _ = connection.await;
            });
            Ok(Self { sender })
        })
        .await
    }

    pub fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// `None` where what was asked for is not there.
    pub async fn call<Q, A>(
        &self,
        path: &'static str,
        namespace: &str,
        message: Q,
    ) -> Result<Option<A>, Trouble>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        within(ANSWER, async {
            let mut grpc = self.ready().await?;
            let codec: ProstCodec<Q, A> = ProstCodec::default();
            let asked = asked(namespace, message)?;
            match grpc.unary(asked, PathAndQuery::from_static(path), codec).await {
                Ok(answer) => Ok(Some(answer.into_inner())),
                Err(status) if status.code() == Code::NotFound => Ok(None),
                Err(status) => Err(told(&status)),
            }
        })
        .await
    }

    /// A stream of messages; `None` where the server does not have it.
    pub async fn follow<Q, A>(
        &self,
        path: &'static str,
        message: Q,
    ) -> Result<Option<Streaming<A>>, Trouble>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        let mut grpc = self.ready().await?;
        let codec: ProstCodec<Q, A> = ProstCodec::default();
        let asked = asked("", message)?;
        match grpc.server_streaming(asked, PathAndQuery::from_static(path), codec).await {
            Ok(answer) => Ok(Some(answer.into_inner())),
            Err(status) if status.code() == Code::Unimplemented => Ok(None),
            Err(status) => Err(told(&status)),
        }
    }

    async fn ready(&self) -> Result<Grpc<Self>, Trouble> {
        let origin = Uri::from_static("http://localhost");
        let mut grpc =
            Grpc::with_origin(self.clone(), origin).max_decoding_message_size(MESSAGE_BYTES_MAX);
        grpc.ready().await.map_err(|error| format!("closed the connection: {error}"))?;
        Ok(grpc)
    }
}

fn asked<Q>(namespace: &str, message: Q) -> Result<tonic::Request<Q>, Trouble> {
    let mut request = tonic::Request::new(message);
    if !namespace.is_empty() {
        let value = MetadataValue::try_from(namespace)
            .map_err(|_| format!("has a namespace that is no name: {namespace:?}"))?;
        request.metadata_mut().insert("containerd-namespace", value);
    }
    Ok(request)
}

pub fn told(status: &Status) -> Trouble {
    let mut message: String = status.message().chars().take(200).collect();
    if message.is_empty() {
        message = "no reason given".into();
    }
    format!("answered {:?}: {message}", status.code())
}

impl Service<Request<Body>> for Channel {
    type Response = Response<Incoming>;
    type Error = hyper::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.sender.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.sender.send_request(request))
    }
}
