//! Questions that were asked before → their answers. What stays true: it holds a bounded number of bytes, and forgets first what was
//! learnt first. An answer depends on its question alone, so one that is remembered is as good as one that is worked out again.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// The most bytes that are remembered.
const MAX_BYTES: usize = 32 << 20;

/// What is remembered.
#[derive(Default)]
pub(super) struct Memory {
    answers: HashMap<Arc<str>, Arc<[u8]>>,
    /// The questions in the order in which they were learnt.
    order: VecDeque<Arc<str>>,
    bytes: usize,
}

impl Memory {
    pub fn recall(&self, question: &str) -> Option<Arc<[u8]>> {
        self.answers.get(question).cloned()
    }

    pub fn learn(&mut self, question: &str, answer: Arc<[u8]>) {
        let size = question.len() + answer.len();
        if size > MAX_BYTES || self.answers.contains_key(question) {
            return;
        }
        while self.bytes + size > MAX_BYTES {
            let Some(first) = self.order.pop_front() else { break };
            if let Some(forgotten) = self.answers.remove(&first) {
                self.bytes -= first.len() + forgotten.len();
            }
        }
        let question: Arc<str> = question.into();
        self.order.push_back(question.clone());
        self.answers.insert(question, answer);
        self.bytes += size;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_learnt_first_is_forgotten_first() {
        let mut memory = Memory::default();
        let large: Arc<[u8]> = vec![b'x'; MAX_BYTES / 4].into();
        for question in ["a", "b", "c", "a", "d"] {
            memory.learn(question, large.clone());
        }
        assert!(memory.bytes <= MAX_BYTES && memory.recall("a").is_none());
        assert!(["b", "c", "d"].iter().all(|question| memory.recall(question).is_some()));
        memory.learn("e", vec![b'x'; MAX_BYTES].into());
        assert!(memory.recall("e").is_none() && memory.recall("d").is_some());
    }
}
