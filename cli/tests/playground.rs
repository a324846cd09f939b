//! The playground from outside, over the loopback interface: what it answers, what it refuses, and that nothing hurts what follows.
#![cfg(feature = "serve")]

use chainrule_cli::playground::server;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::OnceLock;
use std::time::Duration;

/// A server of its own.
fn served(patience: Duration) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let address = listener.local_addr().expect("an address");
    let program = env!("CARGO_BIN_EXE_chainrule").into();
    std::thread::spawn(move || server::run(listener, program, patience));
    address
}

/// One server for all tests of this file.
fn address() -> SocketAddr {
    static ADDRESS: OnceLock<SocketAddr> = OnceLock::new();
    *ADDRESS.get_or_init(|| served(Duration::from_secs(60)))
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    fn problem(&self) -> String {
        self.json()["problem"].as_str().unwrap_or_default().to_string()
    }
}

/// Sends bytes as they are.
fn raw(request: &[u8]) -> Answer {
    raw_to(address(), request)
}

fn raw_to(server: SocketAddr, request: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(server).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(120))).expect("a limit");
    // A server that refuses may close before it has read all.
    let _ = stream.write_all(request);
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_ascii_lowercase(), body: body.to_string() }
}

fn get(path: &str) -> Answer {
    raw(format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", address())
        .as_bytes())
}

fn post_with(path: &str, headers: &str, body: &str) -> Answer {
    raw(format!(
        "POST {path} HTTP/1.1\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .as_bytes())
}

fn post(path: &str, body: &str) -> Answer {
    let headers = format!("Host: {}\r\nContent-Type: application/json\r\n", address());
    post_with(path, &headers, body)
}

fn ask(what: &str, request: Value) -> Value {
    let answer = post(&format!("/api/{what}"), &request.to_string());
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

/// A program that is right is still answered.
fn is_well() {
    let answer = ask("derive", json!({ "program": "input x; param w; loss E = (w * x - 1)^2;" }));
    assert_eq!(answer["ok"], true, "{answer}");
}

#[test]
fn the_page_needs_nothing_from_elsewhere() {
    for path in ["/", "/playground.js", "/playground.css", "/parts.css"] {
        let answer = get(path);
        assert_eq!(answer.status, 200, "{path}");
        for header in [
            "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
        ] {
            assert!(answer.head.contains(header), "{path}: {}", answer.head);
        }
        for word in ["http://", "https://", "eval(", "document.write", "onclick="] {
            assert!(!answer.body.contains(word), "{path} has {word}");
        }
    }
    let font = get("/math.woff2");
    assert!(
        font.status == 200 && font.head.contains("font/woff2") && font.body.starts_with("wOF2")
    );
}

#[test]
fn every_program_of_the_gallery_is_answered() {
    let gallery = get("/api/gallery").json();
    let programs = gallery["programs"].as_array().expect("programs");
    assert!(programs.len() >= 10, "{gallery}");
    for one in programs {
        let answer = ask("derive", one.clone());
        assert_eq!(answer["ok"], true, "{}: {answer}", one["name"]);
        let html = answer["html"].as_str().expect("html");
        assert!(html.contains("<math") && html.contains("data-name="), "{}", one["name"]);
        assert_eq!(ask("graph", one.clone())["ok"], true, "{}", one["name"]);
    }
    let program = "input x: [3]; target t; param w: [3]; loss E = (sigmoid(dot(w, x)) - t)^2;";
    for format in gallery["formats"].as_array().expect("formats") {
        let answer = ask("code", json!({ "program": program, "format": format["id"] }));
        assert!(answer["code"].as_str().is_some_and(|code| code.len() > 30), "{answer}");
    }
    let answer = ask("check", json!({ "program": program }));
    assert_eq!(answer["holds"], true, "{answer}");
    assert!(answer["html"].as_str().is_some_and(|html| html.contains("✓")), "{answer}");
}

#[test]
fn switches_change_what_is_shown() {
    let program = "dim N; input x: [N]; param w: [N]; loss E = sum((w * x)^2);";
    let html = |more: Value| {
        let mut request = json!({ "program": program });
        for (key, value) in more.as_object().expect("an object") {
            request[key] = value.clone();
        }
        ask("derive", request)["html"].as_str().expect("html").to_string()
    };
    let usual = html(json!({}));
    for more in [
        json!({ "notation": "index" }),
        json!({ "steps": "none" }),
        json!({ "lang": "zh" }),
        json!({ "style": "staged", "program": "input x; param w; a = w * x; loss E = a^2;" }),
    ] {
        assert_ne!(usual, html(more.clone()), "{more}");
    }
    assert!(html(json!({ "lang": "zh" })).contains("梯度与其变量形状相同"));
    let answer = ask(
        "derive",
        json!({ "program": "dim N; param x: [N, 1]; loss E = x'*x;", "syntax": "matlab" }),
    );
    assert_eq!(answer["ok"], true, "{answer}");
    let answer = post("/api/derive", &json!({ "program": program, "steps": "some" }).to_string());
    assert!(
        answer.status == 400 && answer.problem().contains("full, brief, none"),
        "{}",
        answer.body
    );
}

#[test]
fn errors_have_places_as_browsers_count() {
    let program =
        "// 😀权\ndim N, H; input x: [N]; param W: [H, N];\nz = x @ W;\nloss E = sigmod(x[0]);";
    let answer = ask("derive", json!({ "program": program }));
    assert_eq!(answer["ok"], false);
    let units: Vec<u16> = program.encode_utf16().collect();
    let places: Vec<String> = answer["diagnostics"]
        .as_array()
        .expect("diagnostics")
        .iter()
        .map(|one| {
            let at = |key: &str| one["labels"][0][key].as_u64().expect("a place") as usize;
            String::from_utf16(&units[at("start")..at("end")]).expect("whole characters")
        })
        .collect();
    assert!(places.iter().any(|place| place.contains("x @ W") || place == "@"), "{places:?}");
    assert!(places.iter().any(|place| place.starts_with("sigmod")), "{places:?}");
    assert!(answer["diagnostics"][0]["explanation"].as_str().is_some_and(|text| !text.is_empty()));
}

/// All that the page says of every wrong program of the command line's tests: code, place and words, as they stand below the editor.
#[test]
fn wrong_programs_are_told_what_to_write() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wrong");
    let files = std::fs::read_dir(folder).expect("a folder");
    let mut paths: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    paths.sort();
    assert!(paths.len() >= 30);
    let mut page = String::new();
    for path in paths {
        let program = std::fs::read_to_string(&path).expect("a program");
        let answer = ask("derive", json!({ "program": program }));
        let found = answer["diagnostics"].as_array().expect("diagnostics");
        assert!(!found.is_empty(), "{}", path.display());
        page.push_str(&format!("{}\n", path.file_stem().unwrap_or_default().to_string_lossy()));
        for one in found {
            let word = |key: &str| one[key].as_str().unwrap_or_default();
            page.push_str(&format!("  {} {}: {}\n", word("level"), word("code"), word("message")));
            for label in one["labels"].as_array().expect("labels") {
                let (line, column) = (&label["line"], &label["column"]);
                page.push_str(&format!(
                    "    {line}:{column} {}\n",
                    label["text"].as_str().unwrap_or_default()
                ));
            }
            if one["help"].is_string() {
                page.push_str(&format!("    help: {}\n", word("help")));
            }
        }
    }
    insta::assert_snapshot!(page);
}

#[test]
fn hostile_text_stays_text() {
    let evil = "</pre></math></svg><script>alert(1)</script><img src=x onerror=alert(2)>\"'&";
    let program =
        format!("/// {evil}\ninput x; /// {evil}\nparam w; loss E = (w * x)^2; // {evil}\n");
    for what in ["derive", "graph", "check"] {
        let answer = ask(what, json!({ "program": program }));
        let text = answer.to_string();
        assert!(
            answer["ok"] == true && !text.contains("<script") && !text.contains("<img"),
            "{text}"
        );
    }
    // In strings, where an expression may have them, and where names may stand.
    for program in [
        format!("param w: [2]; loss E = einsum(\"{}\", w, w);", evil.replace('"', "")),
        format!("param {evil}; loss E = w;"),
        "param w; loss E = <svg/onload=alert(1)>;".to_string(),
    ] {
        let answer = ask("derive", json!({ "program": program }));
        assert_eq!(answer["ok"], false, "{answer}");
        assert!(answer.get("html").is_none() && answer.get("svg").is_none(), "{answer}");
    }
    let page = get("/playground.js").body;
    let sinks: Vec<&str> = page.lines().filter(|line| line.contains("innerHTML")).collect();
    assert!(
        sinks.iter().all(|line| line.contains("answer.html") || line.contains("answer.svg")),
        "{sinks:?}"
    );
}

#[test]
fn strangers_and_malformed_requests_are_refused() {
    let host = address();
    let good = json!({ "program": "param w; loss E = w^2;" }).to_string();
    let json_type = "Content-Type: application/json\r\n";
    for (headers, status) in [
        (format!("Host: evil.example:{}\r\n{json_type}", host.port()), 403),
        (format!("Host: {host}\r\n{json_type}Origin: https://evil.example\r\n"), 403),
        (format!("Host: {host}\r\nContent-Type: text/plain\r\n"), 403),
        (format!("Host: {host}\r\n"), 403),
        (format!("Host: {host}\r\n{json_type}Origin: http://{host}\r\n"), 200),
        (format!("Host: localhost:{}\r\n{json_type}", host.port()), 200),
    ] {
        assert_eq!(post_with("/api/derive", &headers, &good).status, status, "{headers}");
    }
    for (body, status) in [
        ("", 400),
        ("{", 400),
        ("[]", 400),
        ("{\"program\": 7}", 400),
        ("{\"program\": \"x\", \"notation\": \"roman\"}", 400),
        ("\u{0}\u{1}", 400),
    ] {
        let answer = post("/api/derive", body);
        assert_eq!(answer.status, status, "{body}");
        assert!(!answer.problem().is_empty());
    }
    assert_eq!(post("/api/nothing", &good).status, 404);
    assert_eq!(get("/api/derive").status, 405);
    assert_eq!(get("/../Cargo.toml").status, 404);
    assert_eq!(raw(b"nonsense\r\n\r\n").status, 400);
    is_well();
}

#[test]
fn what_is_too_large_is_refused_and_soon() {
    let long = json!({ "program": "x".repeat(100_000) }).to_string();
    let answer = post("/api/derive", &long);
    assert!(answer.status == 413 && answer.problem().contains("kilobytes"), "{}", answer.body);
    let answer = post("/api/derive", &json!({ "program": " ".repeat(30_000) }).to_string());
    assert!(answer.status == 400 && answer.problem().contains("20 kilobytes"), "{}", answer.body);
    let doubling: String = (1..400).map(|at| format!("b{at}=b{0}*b{0}+b{0};", at - 1)).collect();
    let params: String = (0..200).map(|at| format!("param p{at};")).collect();
    let uses: Vec<String> = (0..200).map(|at| format!("p{at}^2")).collect();
    for program in [
        format!("param b0; {doubling} loss E = b399;"),
        format!("{params} loss E = {};", uses.join("+")),
        format!("param w; loss E = {}w{};", "sin(".repeat(3000), ")".repeat(3000)),
        format!("param w; loss E = {}w;", "-".repeat(15_000)),
        format!("param w: [{}]; loss E = sum(w^2);", "9".repeat(10_000)),
        "param W: [9999999, 9999999]; loss E = sum(exp(W @ W)); hessian E wrt W;".to_string(),
    ] {
        let answer = post("/api/derive", &json!({ "program": program }).to_string());
        let shown: String = program.chars().take(60).collect();
        assert!(matches!(answer.status, 200 | 400), "{shown}: {} {}", answer.status, answer.body);
        assert!(answer.body.len() < 6 << 20);
    }
    is_well();
}

#[test]
fn a_slow_program_is_ended_and_leaves_its_place() {
    let server = served(Duration::from_secs(2));
    let factors: Vec<String> = (0..400).map(|at| format!("(w+{at})")).collect();
    let slow =
        json!({ "program": format!("param w; loss E = {};", factors.join("*")) }).to_string();
    let request = |body: &str| {
        format!(
            "POST /api/derive HTTP/1.1\r\nHost: {server}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    };
    // More at once than there are workers.
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let request = request(&slow);
            std::thread::spawn(move || raw_to(server, request.as_bytes()).status)
        })
        .collect();
    for thread in threads {
        let status = thread.join().expect("no thread fails");
        assert!(matches!(status, 503 | 504), "{status}");
    }
    let good = json!({ "program": "param w; loss E = w^2;" }).to_string();
    let answer = raw_to(server, request(&good).as_bytes());
    assert_eq!((answer.status, answer.json()["ok"].clone()), (200, true.into()), "{}", answer.body);
}

#[test]
fn a_worker_that_fails_is_one_answer() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let server = listener.local_addr().expect("an address");
    // No worker at all.
    std::thread::spawn(move || server::run(listener, "there/is/none".into(), server::PATIENCE));
    let body = json!({ "program": "param w; loss E = w^2;" }).to_string();
    let request = format!(
        "POST /api/derive HTTP/1.1\r\nHost: {server}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    for _ in 0..2 {
        let answer = raw_to(server, request.as_bytes());
        assert!(answer.status == 500 && answer.problem().contains("report"), "{}", answer.body);
    }
}

#[test]
fn many_at_once_do_not_mix() {
    let threads: Vec<_> = (0..12)
        .map(|at| {
            std::thread::spawn(move || {
                for round in 0..2 {
                    let name = format!("q{at}x{round}");
                    if (at + round) % 5 == 0 {
                        let program = format!("param w; loss E = {name};");
                        let answer = ask("derive", json!({ "program": program }));
                        assert!(answer.to_string().contains(&name), "{answer}");
                        continue;
                    }
                    let program = format!("param {name}; loss E = {name}^2 + {name};");
                    let answer = ask("code", json!({ "program": program, "format": "text" }));
                    let code = answer["code"].as_str().expect("text");
                    assert!(code.contains(&format!("dE/d{name}")), "{code}");
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("no thread fails");
    }
}
