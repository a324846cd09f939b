//! In: a call. Out: microseconds a call, as the outside harness measures them: samples of at least 100 µs, their median, tenth and
//! ninetieth percentile and least, and the mean CPU time, which other processes do not inflate.

use std::time::Instant;

/// Microseconds a call.
pub struct Times {
    median: f64,
    p10: f64,
    p90: f64,
    least: f64,
    cpu: f64,
    calls: usize,
}

/// CPU seconds of this process, from the kernel's own count of nanoseconds on a core; NaN where there is none.
fn cpu_seconds() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let nanos = tasks.map(|task| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<f64>().ok()
    });
    nanos.sum::<Option<f64>>().map_or(f64::NAN, |sum| sum * 1e-9)
}

fn budget() -> f64 {
    std::env::var("PEERS_BUDGET_S").ok().and_then(|text| text.parse().ok()).unwrap_or(0.4)
}

/// Times a call.
pub fn measure(mut call: impl FnMut()) -> Times {
    let budget = budget();
    let start = Instant::now();
    let mut calls = 0_u32;
    while calls < 3 || start.elapsed().as_secs_f64() < budget.min(0.15) {
        call();
        calls += 1;
    }
    let mut once = start.elapsed().as_secs_f64() / f64::from(calls);
    if once < 1e-6 {
        // Reading the clock weighs in: again without it.
        let start = Instant::now();
        (0..100_000).for_each(|_| call());
        once = start.elapsed().as_secs_f64() / 1e5;
    }
    let inner = ((100e-6 / once) as usize).max(1);
    let mut samples = Vec::new();
    let (cpu, start) = (cpu_seconds(), Instant::now());
    while (start.elapsed().as_secs_f64() < budget || samples.len() < 10) && samples.len() < 20_000 {
        let start = Instant::now();
        (0..inner).for_each(|_| call());
        samples.push(start.elapsed().as_secs_f64() * 1e6 / inner as f64);
    }
    let calls = samples.len() * inner;
    let cpu = (cpu_seconds() - cpu) * 1e6 / calls as f64;
    samples.sort_by(f64::total_cmp);
    let at = |q: f64| samples[((samples.len() - 1) as f64 * q).round() as usize];
    Times { median: at(0.5), p10: at(0.1), p90: at(0.9), least: samples[0], cpu, calls }
}

impl Times {
    /// The median.
    #[allow(dead_code, reason = "the objectives read it")]
    pub fn median(&self) -> f64 {
        self.median
    }

    /// Prints the row.
    pub fn emit(&self, workload: &str, dtype: &str, threads: usize) {
        let peer = std::env::var("PEERS_NAME").unwrap_or_else(|_| "ours".to_string());
        println!(
            "{{\"peer\": \"{peer}\", \"workload\": \"{workload}\", \"dtype\": \"{dtype}\", \"threads\": {threads}, \
             \"median_us\": {:.4}, \"p10_us\": {:.4}, \"p90_us\": {:.4}, \"n\": {}, \"min_us\": {:.4}, \"cpu_us\": {:.4}}}",
            self.median, self.p10, self.p90, self.calls, self.least, self.cpu
        );
    }
}
