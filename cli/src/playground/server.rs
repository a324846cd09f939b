//! The network side of the playground: HTTP on the loopback interface.
//!
//! What stays true: a request is bounded in size, in time, and in how many are worked on at once. What it asks for is worked out by
//! another process, which is killed when its time is over: a program that is slow, or finds a mistake of ours, is one answer
//! and hurts no other. What was worked out once is remembered, and the gallery is worked out before it is asked for. Only pages of this server are answered: the `Host` must be the loopback interface, and programs must
//! come as JSON, which other sites cannot send.

use super::answer::{self, MAX_BODY, QUESTIONS};
use super::memory::Memory;
use super::workers::Workers;
use super::{FILES, GALLERY};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use axum::middleware::{self, Next};
use chainrule_core::render::report;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// How long the sending of a request may take, the waiting for a worker, and the work.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// How many requests may wait for a worker.
const WAITING: usize = 64;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; \
     connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Answers until the process ends. `program` is the command itself, which does the work when called with `serve --answer`;
/// `patience` is what each part of an answer may take.
///
/// # Errors
/// Where the system gives no socket.
pub fn run(
    listener: std::net::TcpListener,
    program: PathBuf,
    patience: Duration,
) -> std::io::Result<()> {
    listener.set_nonblocking(true)?;
    let workers = std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 8);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let office = Office {
            workers: Arc::new(Workers::new(program)),
            memory: Arc::default(),
            patience,
            busy: Arc::new(Semaphore::new(workers)),
            all: Arc::new(Semaphore::new(workers + WAITING)),
        };
        tokio::spawn(gallery_ahead(office.clone()));
        axum::serve(listener, router(office)).await
    })
}

#[derive(Clone)]
struct Office {
    /// Those who work.
    workers: Arc<Workers>,
    /// What they have said.
    memory: Arc<Mutex<Memory>>,
    patience: Duration,
    /// Places of requests that are worked on.
    busy: Arc<Semaphore>,
    /// Places of requests that are worked on or wait.
    all: Arc<Semaphore>,
}

impl Office {
    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn router(office: Office) -> Router {
    let mut router = Router::new();
    for (path, kind, bytes) in FILES {
        let file = move || async move { answered(StatusCode::OK, kind, Body::from(*bytes)) };
        router = router.route(path, axum::routing::get(file));
    }
    let parts = || async {
        answered(StatusCode::OK, "text/css; charset=utf-8", Body::from(report::parts_style()))
    };
    router
        .route("/parts.css", axum::routing::get(parts))
        .route(
            "/api/gallery",
            axum::routing::get(|| async { json_answer(StatusCode::OK, &answer::gallery()) }),
        )
        .route("/api/{what}", axum::routing::post(work))
        .fallback(|| async { problem(StatusCode::NOT_FOUND, "there is nothing here") })
        .layer(middleware::from_fn(guarded))
        .with_state(office)
}

/// Refuses what does not come from this machine's own page, and gives every answer its headers.
async fn guarded(request: Request, next: Next) -> Response<Body> {
    let mut response = match is_own(request.method(), request.headers()) {
        true => next.run(request).await,
        false => problem(StatusCode::FORBIDDEN, "only pages of this server are answered"),
    };
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        response = problem(
            StatusCode::METHOD_NOT_ALLOWED,
            "programs are sent with POST, all else is read with GET",
        );
    }
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Whether the host is the loopback interface (another name would be a page of elsewhere that resolves to here), the origin of a
/// page is that host, and what is sent is JSON.
fn is_own(method: &Method, headers: &HeaderMap) -> bool {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(host) = text(header::HOST) else { return false };
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if !matches!(name, "127.0.0.1" | "localhost") {
        return false;
    }
    if text(header::ORIGIN).is_some_and(|origin| origin != format!("http://{host}")) {
        return false;
    }
    let is_json =
        text(header::CONTENT_TYPE).is_some_and(|kind| kind.starts_with("application/json"));
    method != Method::POST || is_json
}

/// A program's turn.
async fn work(
    State(office): State<Office>,
    Path(what): Path<String>,
    request: Request,
) -> Response<Body> {
    let Some(what) = QUESTIONS.iter().find(|known| **known == what) else {
        return problem(StatusCode::NOT_FOUND, "there is no such question");
    };
    let Ok(_place) = office.all.try_acquire() else {
        return problem(StatusCode::SERVICE_UNAVAILABLE, "too many requests at once; try again");
    };
    let body = match timeout(office.patience, to_bytes(request.into_body(), MAX_BODY)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => {
            let text = format!("a request may have at most {} kilobytes", MAX_BODY >> 10);
            return problem(StatusCode::PAYLOAD_TOO_LARGE, &text);
        }
        Err(_) => {
            return problem(StatusCode::REQUEST_TIMEOUT, "the request did not arrive in time");
        }
    };
    let question = match answer::question(what, &body) {
        Ok(question) => question,
        Err(text) => return problem(StatusCode::BAD_REQUEST, &text),
    };
    match answer_to(&office, &question).await {
        Ok(answer) => respond(&answer),
        Err(refused) => refused,
    }
}

/// What was said before, or what a worker says now.
async fn answer_to(office: &Office, question: &str) -> Result<Arc<[u8]>, Response<Body>> {
    if let Some(answer) = office.memory().recall(question) {
        return Ok(answer);
    }
    let Ok(Ok(_place)) = timeout(office.patience, office.busy.acquire()).await else {
        return Err(problem(StatusCode::SERVICE_UNAVAILABLE, "all workers are busy; try again"));
    };
    let answer: Arc<[u8]> = match timeout(office.patience, office.workers.ask(question)).await {
        Ok(Ok(answer)) => answer.into(),
        Ok(Err(_)) => {
            return Err(problem(
                StatusCode::INTERNAL_SERVER_ERROR,
                "this program makes chainrule fail, which is a mistake of chainrule: please report it",
            ));
        }
        Err(_) => {
            return Err(problem(
                StatusCode::GATEWAY_TIMEOUT,
                "this program takes too long for the playground; use the command line",
            ));
        }
    };
    office.memory().learn(question, answer.clone());
    Ok(answer)
}

/// Works out the gallery, one program at a time, so that the page's examples are there as soon as they are chosen.
async fn gallery_ahead(office: Office) {
    for (name, program) in GALLERY {
        let request = json!({ "program": program, "syntax": answer::syntax(name) }).to_string();
        if let Ok(question) = answer::question("derive", request.as_bytes()) {
            let _ = answer_to(&office, &question).await;
        }
    }
}

/// An answer as it is, or a refusal with its status.
fn respond(answer: &[u8]) -> Response<Body> {
    let status = match answer.starts_with(b"{\"problem\"") {
        true => StatusCode::BAD_REQUEST,
        false => StatusCode::OK,
    };
    answered(status, "application/json", Body::from(answer.to_vec()))
}

fn problem(status: StatusCode, text: &str) -> Response<Body> {
    json_answer(status, &json!({ "problem": text }))
}

fn json_answer(status: StatusCode, value: &Value) -> Response<Body> {
    answered(status, "application/json", Body::from(value.to_string()))
}

fn answered(status: StatusCode, kind: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
