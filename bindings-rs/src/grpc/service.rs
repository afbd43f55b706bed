//! The three calls: which one a request is for comes in with it, tonic frames what goes out.
use std::future::{Ready, ready};
use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes};
use http::{Request, Response};
use hyper::body::Incoming;
use tonic::body::Body;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::{Grpc, ServerStreamingService, StreamingService, UnaryService};
use tonic::{Status, Streaming};

use super::hub::{Alerts, Hub, Kind};

/// What answers clients.
pub struct Answers {
    pub hub: Arc<Hub>,
    /// The encoded falco.version.response.
    pub version: Bytes,
}

/// Requests are empty messages.
const REQUEST_BYTES_MAX: usize = 4096;

pub async fn answer(answers: Arc<Answers>, request: Request<Incoming>) -> Response<Body> {
    let mut grpc = Grpc::new(Encoded).max_decoding_message_size(REQUEST_BYTES_MAX);
    match request.uri().path() {
        "/falco.outputs.service/sub" => grpc.streaming(Sub(answers), request).await,
        "/falco.outputs.service/get" => grpc.server_streaming(Get(answers), request).await,
        "/falco.version.service/version" => grpc.unary(Version(answers), request).await,
        _ => Status::unimplemented("falco.outputs and falco.version are served").into_http(),
    }
}

struct Sub(Arc<Answers>);

impl StreamingService<()> for Sub {
    type Response = Bytes;
    type ResponseStream = Alerts;
    type Future = Ready<Result<tonic::Response<Alerts>, Status>>;

    fn call(&mut self, request: tonic::Request<Streaming<()>>) -> Self::Future {
        // Falco's clients ask again and again, some once: alerts go out as they come in any case.
        let mut asked = request.into_inner();
        tokio::spawn(async move { while let Ok(Some(())) = asked.message().await {} });
        ready(self.0.hub.open(Kind::Follow).map(tonic::Response::new))
    }
}

struct Get(Arc<Answers>);

impl ServerStreamingService<()> for Get {
    type Response = Bytes;
    type ResponseStream = Alerts;
    type Future = Ready<Result<tonic::Response<Alerts>, Status>>;

    fn call(&mut self, _: tonic::Request<()>) -> Self::Future {
        ready(self.0.hub.open(Kind::Get).map(tonic::Response::new))
    }
}

struct Version(Arc<Answers>);

impl UnaryService<()> for Version {
    type Response = Bytes;
    type Future = Ready<Result<tonic::Response<Bytes>, Status>>;

    fn call(&mut self, _: tonic::Request<()>) -> Self::Future {
        ready(Ok(tonic::Response::new(self.0.version.clone())))
    }
}

/// Messages that are encoded already: one for all clients.
struct Encoded;

impl Codec for Encoded {
    type Encode = Bytes;
    type Decode = ();
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Encoded {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.put(message);
        Ok(())
    }

    /// What a client that is cut off was on its way to get is lost: that is little.
    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(8 << 10, 16 << 10)
    }
}

impl Decoder for Encoded {
    type Item = ();
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<()>, Status> {
        from.advance(from.remaining());
        Ok(Some(()))
    }
}
