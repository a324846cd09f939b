//! Maps of the graph's own keys. In: what a key hashes. Out: a number made of it word by word.
//!
//! Keys come from one program, which nobody makes up to have them collide, and the macro is mostly run without optimisation,
//! where the standard library's hash, made against such programs, is a fair part of its time. Nothing reads the order of a map.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A map from nodes, or from what they are made of.
pub type Map<K, V> = HashMap<K, V, BuildHasherDefault<Words>>;

/// Every word turns what was there before and is multiplied in.
#[derive(Clone, Copy, Debug, Default)]
pub struct Words(u64);

/// An odd number whose bits look random: the fraction of the golden ratio.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

impl Hasher for Words {
    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..part.len()].copy_from_slice(part);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(u64::from(value));
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(5) ^ value).wrapping_mul(SPREAD);
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }

    fn write_isize(&mut self, value: isize) {
        self.write_u64(value as u64);
    }

    /// The upper bits are the best mixed ones, the map looks at the lower ones too.
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}
