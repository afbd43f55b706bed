//! HTTP over a socket of the file system, as Docker and Podman speak it, one connection a request,
//! and what any other stream needs of it. Every wait has an end and every answer a bound; what is
//! not kept is an error in words.
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::Request;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;
use tokio::time::timeout;

/// An answer comes within this, or not at all; busy machines have slow daemons.
pub const ANSWER: Duration = Duration::from_secs(10);
/// Of one answer; the list of a thousand containers has about two million.
const BODY_BYTES_MAX: usize = 8 << 20;
/// Of one line of the stream of events.
const LINE_BYTES_MAX: usize = 256 << 10;
/// Of an answer's head, and of what is read at once.
const BUFFER_BYTES_MAX: usize = 64 << 10;

/// What went wrong, in words.
pub type Trouble = String;

pub struct Reply {
    pub status: u16,
    pub body: Vec<u8>,
}

/// Asks, and takes the whole answer.
pub async fn get(socket: &Path, path: &str) -> Result<Reply, Trouble> {
    within(ANSWER, async {
        let response = request(socket, path).await?;
        let status = response.status().as_u16();
        Ok(Reply { status, body: whole(response.into_body(), BODY_BYTES_MAX).await? })
    })
    .await
}

/// All of an answer that has no more than so many bytes.
pub async fn whole(mut incoming: Incoming, bytes_max: usize) -> Result<Vec<u8>, Trouble> {
    let mut body = Vec::new();
    while let Some(data) = chunk(&mut incoming).await? {
        if body.len() + data.len() > bytes_max {
            return Err(format!("answered with more than {bytes_max} bytes"));
        }
        body.extend_from_slice(&data);
    }
    Ok(body)
}

/// The lines of an answer that goes on and on.
pub struct Lines {
    incoming: Incoming,
    held: Vec<u8>,
    /// Bytes of these in which no line ends.
    seen: usize,
    /// Of one line.
    bytes_max: usize,
}

pub async fn follow(socket: &Path, path: &str) -> Result<Lines, Trouble> {
    let response = within(ANSWER, request(socket, path)).await?;
    if !response.status().is_success() {
        return Err(format!("answered {} when asked for events", response.status()));
    }
    Ok(Lines::of(response.into_body(), LINE_BYTES_MAX))
}

impl Lines {
    pub fn of(incoming: Incoming, bytes_max: usize) -> Self {
        Self { incoming, held: Vec::new(), seen: 0, bytes_max }
    }

    /// Waits for as long as it takes; an error when the stream ends.
    pub async fn next(&mut self) -> Result<Vec<u8>, Trouble> {
        loop {
            let unseen = &self.held[self.seen..];
            if let Some(at) = unseen.iter().position(|&byte| byte == b'\n') {
                let end = self.seen + at;
                self.seen = 0;
                let rest = self.held.split_off(end + 1);
                let mut line = std::mem::replace(&mut self.held, rest);
                line.pop();
                return Ok(line);
            }
            self.seen = self.held.len();
            if self.held.len() > self.bytes_max {
                return Err(format!("sent an event of more than {} bytes", self.bytes_max));
            }
            match chunk(&mut self.incoming).await? {
                Some(data) => self.held.extend_from_slice(&data),
                None => return Err("ended its stream of events".into()),
            }
        }
    }
}

async fn request(socket: &Path, path: &str) -> Result<hyper::Response<Incoming>, Trouble> {
    let mut sender = speak(connect(socket).await?).await?;
    let request = Request::get(path)
        .header("host", "localhost")
        .header("user-agent", "saker")
        .body(String::new())
        .map_err(|error| error.to_string())?;
    sender.send_request(request).await.map_err(|error| told(&error))
}

/// Requests can be sent over the stream, one after the other.
pub async fn speak<S>(stream: S) -> Result<http1::SendRequest<String>, Trouble>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut builder = http1::Builder::new();
    builder.max_buf_size(BUFFER_BYTES_MAX);
    let (sender, connection) =
        builder.handshake(TokioIo::new(stream)).await.map_err(|error| told(&error))?;
    tokio::spawn(async move {
        // What it ends with is what the request ends with.
        let _ = connection.await;
    });
    Ok(sender)
}

pub async fn connect(socket: &Path) -> Result<UnixStream, Trouble> {
    UnixStream::connect(socket).await.map_err(|error| format!("cannot connect: {error}"))
}

async fn chunk(incoming: &mut Incoming) -> Result<Option<Bytes>, Trouble> {
    loop {
        match incoming.frame().await {
            None => return Ok(None),
            Some(Err(error)) => return Err(told(&error)),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}

pub async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, Trouble>>,
) -> Result<T, Trouble> {
    match timeout(limit, work).await {
        Ok(result) => result,
        Err(_) => Err(format!("did not answer within {} ms", limit.as_millis())),
    }
}

pub fn told(error: &hyper::Error) -> Trouble {
    format!("did not speak HTTP: {error}")
}
