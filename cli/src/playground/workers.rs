//! Questions → answers, by processes that each answer one question at a time, a line for a line. What stays true: a worker that is
//! slow or fails is ended, and hurts no answer but its own; one that was given much to do makes room for a fresh one.

use super::answer;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// How many questions a worker answers, and how long it may take for one, before it makes room: what it holds stays bounded so.
const QUESTIONS: usize = 500;
const LONG: Duration = Duration::from_secs(1);

/// What a worker does: answers every line.
pub(crate) fn answer_all(questions: &mut dyn Read, answers: &mut dyn Write) -> std::io::Result<()> {
    for question in BufReader::new(questions).lines() {
        writeln!(answers, "{}", answer::answer(&question?))?;
        answers.flush()?;
    }
    Ok(())
}

/// The workers that wait for a question.
pub(super) struct Workers {
    /// The command itself, which is a worker when called with `serve --answer`.
    program: PathBuf,
    idle: Mutex<Vec<Worker>>,
}

/// A process. It ends with this value.
struct Worker {
    _process: Child,
    questions: ChildStdin,
    answers: tokio::io::BufReader<ChildStdout>,
    answered: usize,
}

impl Workers {
    pub fn new(program: PathBuf) -> Workers {
        Workers { program, idle: Mutex::default() }
    }

    /// The answer to a question. The worker that was asked ends with this future if that is not waited for.
    pub async fn ask(&self, question: &str) -> std::io::Result<Vec<u8>> {
        let idle = self.idle().pop();
        let mut worker = match idle {
            Some(worker) => worker,
            None => self.started()?,
        };
        let from = Instant::now();
        let answer = worker.ask(question).await?;
        if worker.answered < QUESTIONS && from.elapsed() < LONG {
            self.idle().push(worker);
        }
        Ok(answer)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Worker>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn started(&self) -> std::io::Result<Worker> {
        let mut process = Command::new(&self.program)
            .args(["serve", "--answer"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let (Some(questions), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(std::io::Error::other("a worker without streams"));
        };
        let answers = tokio::io::BufReader::new(answers);
        Ok(Worker { _process: process, questions, answers, answered: 0 })
    }
}

impl Worker {
    async fn ask(&mut self, question: &str) -> std::io::Result<Vec<u8>> {
        self.questions.write_all(format!("{question}\n").as_bytes()).await?;
        let mut answer = Vec::new();
        self.answers.read_until(b'\n', &mut answer).await?;
        self.answered += 1;
        // A worker that fails says nothing, or not all.
        match answer.pop() {
            Some(b'\n') => Ok(answer),
            _ => Err(std::io::Error::other("a worker failed")),
        }
    }
}
