//! What a process uses, as `/proc` tells it.

use std::fs;
use std::time::Duration;

/// How many of `/proc`'s ticks a second has, on every Linux there is.
const TICKS: u64 = 100;

/// The memory it has resident, in MiB.
pub(crate) struct Resident {
    pub(crate) all: f64,
    /// Pages of its executable, which the kernel can drop and read again.
    pub(crate) executable: f64,
}

impl Resident {
    pub(crate) fn of(pid: u32) -> Self {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
        let mebibytes = |field: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(field)).expect("it is told");
            let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
            kibibytes / 1024.0
        };
        Self { all: mebibytes("VmRSS:"), executable: mebibytes("RssFile:") }
    }
}

/// The time that processors have spent on it.
pub(crate) fn busy(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    // What stands in parentheses may hold anything.
    let (_, rest) = stat.rsplit_once(')').expect("a name");
    let field = |number: usize| -> u64 {
        rest.split_whitespace().nth(number).and_then(|text| text.parse().ok()).expect("a number")
    };
    let (user, system) = (field(11), field(12));
    Duration::from_millis((user + system) * 1000 / TICKS)
}
