//! In: the folder that the outside harness has written: `manifest.txt`, a line an array (workload, name, role, shape, offset), and
//! for each workload a file of little-endian `f64`. Out: the arrays, and whether a result agrees with its reference.

use chainrule::rt::Real;
use std::path::PathBuf;

struct Entry {
    name: String,
    role: String,
    data: Vec<f64>,
}

/// The arrays of one workload.
pub struct Refs {
    workload: String,
    entries: Vec<Entry>,
}

impl Refs {
    /// Reads a workload's arrays.
    pub fn load(workload: &str) -> Refs {
        let folder = PathBuf::from(std::env::var_os("PEERS_REFS").expect("PEERS_REFS is set"));
        let raw = std::fs::read(folder.join(format!("{workload}.bin"))).expect("a file of numbers");
        let manifest = std::fs::read_to_string(folder.join("manifest.txt")).expect("a manifest");
        let entries = manifest.lines().filter_map(|line| {
            let [of, name, role, shape, offset] = line.split(' ').collect::<Vec<_>>()[..] else {
                panic!("a line of five words: {line}");
            };
            let len: usize =
                shape.split(',').map(|n| n.parse::<usize>().expect("a size")).product();
            let from: usize = offset.parse().expect("an offset");
            (of == workload).then(|| Entry {
                name: name.to_string(),
                role: role.to_string(),
                data: raw[from * 8..][..len * 8]
                    .as_chunks()
                    .0
                    .iter()
                    .map(|b| f64::from_le_bytes(*b))
                    .collect(),
            })
        });
        Refs { workload: workload.to_string(), entries: entries.collect() }
    }

    /// The numbers of an array.
    pub fn get<F: Real>(&self, role: &str, name: &str) -> Vec<F> {
        let found = self.entries.iter().find(|entry| entry.role == role && entry.name == name);
        let entry = found.unwrap_or_else(|| panic!("{}: no {role} `{name}`", self.workload));
        entry.data.iter().map(|v| F::from_f64(*v)).collect()
    }

    /// Whether each result is within 1e-5 (`f64`) or 1e-3 (`f32`) of its reference, relative to its norm.
    pub fn check<F: Real>(&self, dtype: &str, loss: F, grads: &[(&str, &[F])]) -> bool {
        let tolerance = if size_of::<F>() == 4 { 1e-3 } else { 1e-5 };
        let wanted = self.get::<f64>("loss", "loss")[0];
        let mut worst = ((loss.to_f64() - wanted).abs() / wanted.abs().max(1e-12), "loss");
        assert_eq!(grads.len(), self.entries.iter().filter(|entry| entry.role == "grad").count());
        for (name, found) in grads {
            let wanted = self.get::<f64>("grad", name);
            assert_eq!(found.len(), wanted.len(), "{} {name}", self.workload);
            let off: f64 = found.iter().zip(&wanted).map(|(a, b)| (a.to_f64() - b).powi(2)).sum();
            let norm: f64 = wanted.iter().map(|b| b * b).sum();
            let error = (off / norm.max(1e-60)).sqrt();
            if error.is_nan() || error > worst.0 {
                worst = (error, name);
            }
        }
        let sound = worst.0 <= tolerance;
        let verdict = if sound { "ok" } else { "FAIL" };
        eprintln!(
            "check ours {} {dtype}: worst relative error {:.2e} ({}) {verdict}",
            self.workload, worst.0, worst.1
        );
        sound
    }
}
