//! The playground: programs in, derivations, pictures, checks and code out, for a page in a browser.
//!
//! `answer` is a function from a question to JSON and knows nothing of the network; `server` is the network and knows nothing of
//! programs: it sees to it that a request is small, comes from this machine's own page, and never hurts the next one. Between them
//! stand the processes that work (`workers`) and what they have said before (`memory`).

pub(crate) mod answer;
mod memory;
pub mod server;
pub(crate) mod workers;

/// The page, its style and its script, and the formulas' font: path, type, bytes.
pub(crate) const FILES: &[(&str, &str, &[u8])] = &[
    ("/", "text/html; charset=utf-8", include_bytes!("../../assets/playground/index.html")),
    (
        "/playground.css",
        "text/css; charset=utf-8",
        include_bytes!("../../assets/playground/playground.css"),
    ),
    (
        "/playground.js",
        "text/javascript; charset=utf-8",
        include_bytes!("../../assets/playground/playground.js"),
    ),
    ("/math.woff2", "font/woff2", include_bytes!("../../assets/math/math.woff2")),
];

/// The gallery's programs: file name and text.
pub(crate) const GALLERY: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/gallery.rs"));
