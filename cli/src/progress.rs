//! How far long work has come, on one line of a terminal that is wiped when the work is done. Nothing else ever sees it.

use std::io::Write;
use std::time::{Duration, Instant};

/// Work shorter than this says nothing.
const QUIET: Duration = Duration::from_millis(400);

/// One piece of long work.
pub(crate) struct Progress<'w> {
    out: Option<&'w mut dyn Write>,
    what: &'static str,
    since: Instant,
    shown: bool,
}

impl<'w> Progress<'w> {
    /// Shown on `out` only where that is a terminal.
    pub fn new(what: &'static str, out: &'w mut dyn Write, terminal: bool) -> Progress<'w> {
        Progress { out: terminal.then_some(out), what, since: Instant::now(), shown: false }
    }

    /// So many of all are done.
    pub fn tell(&mut self, done: usize, all: usize) {
        if self.since.elapsed() < QUIET {
            return;
        }
        if let Some(out) = &mut self.out {
            let _ = write!(out, "\r{} {done} of {all}", self.what);
            let _ = out.flush();
            self.shown = true;
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if let Some(out) = self.out.as_mut().filter(|_| self.shown) {
            let _ = write!(out, "\r\x1b[K");
            let _ = out.flush();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_long_work_on_a_terminal_is_told_and_wiped() {
        let mut written = Vec::new();
        for terminal in [true, false] {
            let mut progress = Progress::new("checking", &mut written, terminal);
            progress.tell(0, 2);
            progress.since -= QUIET;
            progress.tell(1, 2);
        }
        assert_eq!(String::from_utf8_lossy(&written), "\rchecking 1 of 2\r\x1b[K");
    }
}
