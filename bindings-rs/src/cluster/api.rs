//! Questions to a Kubernetes API server: a path comes in, JSON or lines of it go out. What it
//! refuses is told in its own words, without the token.
use std::sync::Arc;
use std::time::Duration;

use hyper::client::conn::http1::SendRequest;
use hyper::{Request, Response, body::Incoming};
use serde_json::Value;

use crate::runtimes::http::{ANSWER, Lines, Trouble, speak, told, whole, within};
use crate::runtimes::info::text;

use super::desk::Desk;
use super::door::Door;

/// Of one page of a list, and of one object.
const PAGE_BYTES_MAX: usize = 16 << 20;
/// etcd takes none above 1.5 million.
const LINE_BYTES_MAX: usize = 4 << 20;
const REASON_CHARS_MAX: usize = 200;
const RETRY_AFTER_MAX: u64 = 60;

pub const JSON: &str = "application/json";
/// Name, uid and labels alone, of a list and of one object.
pub const META_LIST: &str =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";
pub const META: &str =
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";

/// What went wrong.
#[derive(Debug, Default)]
pub struct Fault {
    pub trouble: Trouble,
    /// The version that was asked for is too old: to be listed anew.
    pub gone: bool,
    /// It is not there.
    pub absent: bool,
    /// The server asked to be left alone for so long.
    pub pause: Duration,
}

impl From<Trouble> for Fault {
    fn from(trouble: Trouble) -> Self {
        Self { trouble, ..Self::default() }
    }
}

impl From<&str> for Fault {
    fn from(trouble: &str) -> Self {
        trouble.to_owned().into()
    }
}

#[derive(Clone)]
pub struct Api {
    pub door: Door,
    /// In front of every path; "" but behind some proxies.
    pub prefix: String,
    pub desk: Arc<Desk>,
}

/// A connection that is kept for the next question.
#[derive(Default)]
pub struct Kept(Option<SendRequest<String>>);

impl Api {
    /// Asks, and takes the whole answer.
    pub async fn get(&self, kept: &mut Kept, path: &str, accept: &str) -> Result<Value, Fault> {
        let asked = async {
            let mut sender = match kept.0.take() {
                Some(sender) if !sender.is_closed() => sender,
                _ => self.connect().await?,
            };
            let response = self.send(&mut sender, path, accept).await?;
            let body = whole(response.into_body(), PAGE_BYTES_MAX).await?;
            if sender.ready().await.is_ok() {
                kept.0 = Some(sender);
            }
            Ok::<_, Fault>(body)
        };
        let body = match tokio::time::timeout(ANSWER, asked).await {
            Ok(body) => body?,
            Err(_) => return Err(late().into()),
        };
        self.desk.change(|state| state.answers += 1);
        // A list of megabytes: other answers need not wait for it.
        tokio::task::yield_now().await;
        serde_json::from_slice(&body)
            .map_err(|error| format!("answered with something else than JSON: {error}").into())
    }

    /// The lines of an answer that goes on and on.
    pub async fn follow(&self, path: &str, accept: &str) -> Result<Lines, Fault> {
        let asked = async {
            let mut sender = self.connect().await?;
            self.send(&mut sender, path, accept).await
        };
        match tokio::time::timeout(ANSWER, asked).await {
            Ok(response) => Ok(Lines::of(response?.into_body(), LINE_BYTES_MAX)),
            Err(_) => Err(late().into()),
        }
    }

    async fn connect(&self) -> Result<SendRequest<String>, Fault> {
        self.desk.change(|state| state.connects += 1);
        let stream = self.door.connect(b"http/1.1").await?;
        Ok(speak(stream).await?)
    }

    async fn send(
        &self,
        sender: &mut SendRequest<String>,
        path: &str,
        accept: &str,
    ) -> Result<Response<Incoming>, Fault> {
        let Door { host, port, .. } = &self.door;
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        let token = self.door.token().await?;
        let mut request = Request::get(format!("{}{path}", self.prefix))
            .header("host", format!("{host}:{port}"))
            .header("user-agent", "saker")
            .header("accept", accept);
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        // The error would show the token.
        let request =
            request.body(String::new()).map_err(|_| "cannot be asked: a path or token is amiss")?;
        let response = sender.send_request(request).await.map_err(|error| told(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(refusal(response, &token).await)
    }
}

/// What the server says of it, as the API's `Status` has it.
async fn refusal(response: Response<Incoming>, token: &str) -> Fault {
    let status = response.status().as_u16();
    let pause = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
    let pause = pause.and_then(|value| value.parse().ok()).unwrap_or(0).min(RETRY_AFTER_MAX);
    let body = within(ANSWER, whole(response.into_body(), LINE_BYTES_MAX)).await;
    let body: Value = serde_json::from_slice(&body.unwrap_or_default()).unwrap_or_default();
    Fault {
        trouble: refused(status, &text(&body, &["message"]), token),
        gone: status == 410,
        absent: status == 404,
        pause: Duration::from_secs(pause),
    }
}

/// A server may repeat what it was sent.
fn refused(status: u16, message: &str, token: &str) -> Trouble {
    let message = if token.is_empty() { message.into() } else { message.replace(token, "…") };
    let message: String = message.chars().take(REASON_CHARS_MAX).collect();
    if message.is_empty() {
        return format!("answered {status}");
    }
    format!("answered {status}: {message}")
}

/// An `ERROR` in a stream of changes.
pub fn status_fault(status: &Value) -> Fault {
    let code = status.get("code").and_then(Value::as_u64).unwrap_or(0);
    Fault {
        trouble: refused(u16::try_from(code).unwrap_or(0), &text(status, &["message"]), ""),
        gone: code == 410,
        ..Fault::default()
    }
}

fn late() -> Trouble {
    format!("did not answer within {} ms", ANSWER.as_millis())
}

#[cfg(test)]
#[test]
fn a_refusal_is_told_without_the_token() {
    let told = refused(403, "user with s3cret is forbidden", "s3cret");
    assert_eq!(told, "answered 403: user with … is forbidden");
    assert_eq!(refused(500, "", ""), "answered 500");
}
