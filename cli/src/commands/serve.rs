//! `chainrule serve`: the playground on the loopback interface, until it is interrupted; or, as a worker of it, answers.

use crate::Session;
use crate::failure::{self, Failure};
use crate::playground::{server, workers};
use std::io::Write;

/// Where the playground is found unless `--port` says otherwise.
const PORT: u16 = 8017;

pub(crate) fn run(session: &mut Session<'_>) -> Result<(), Failure> {
    if session.args.has("answer") {
        let answered = workers::answer_all(session.stdin, &mut std::io::stdout());
        return answered.map_err(|error| Failure::usage(failure::reason(&error)));
    }
    let port: u16 = session.args.number("port", PORT, "a number up to 65535")?;
    let refused = |error: std::io::Error| {
        Failure::usage(format!(
            "the playground cannot be at port {port}: {}",
            failure::reason(&error)
        ))
        .help("`--port 0` takes any that is free")
    };
    let listener = std::net::TcpListener::bind(("127.0.0.1", port)).map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    let out = &mut session.reporter.out;
    let _ = writeln!(out, "The playground is at http://{address}/ (Ctrl-C ends it).");
    let _ = out.flush();
    let program = std::env::current_exe().map_err(refused)?;
    server::run(listener, program, server::PATIENCE).map_err(refused)
}
