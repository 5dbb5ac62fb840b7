//! Figures about what was served, kept as it happens and written in the text format of Prometheus.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::store::Store;

/// Upper ends of the histogram's classes, in microseconds.
const BOUNDS: [u64; 12] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000, 30_000_000,
];
/// What requests are counted under that no operation was found for.
const UNKNOWN: &str = "unknown";

/// The counters of an emulator.
#[derive(Debug)]
pub(crate) struct Metrics {
    started: Instant,
    operations: RwLock<BTreeMap<String, Arc<Series>>>,
    faults: Mutex<BTreeMap<&'static str, u64>>,
    in_flight: AtomicU64,
}

/// The counters of an operation.
#[derive(Debug, Default)]
struct Series {
    statuses: Mutex<BTreeMap<u16, u64>>,
    /// One more than bounds: the last is for what is slower than all.
    classes: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            operations: RwLock::default(),
            faults: Mutex::default(),
            in_flight: AtomicU64::new(0),
        }
    }
}

impl Metrics {
    pub(crate) fn begin(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a request whose answer has ended. Status 0 is a request without an answer.
    pub(crate) fn end(&self, operation: Option<&str>, status: u16, bytes_in: u64, bytes_out: u64, duration: Duration) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        let series = self.series(operation.unwrap_or(UNKNOWN));
        *series
            .statuses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(status)
            .or_default() += 1;
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let class = BOUNDS.partition_point(|bound| *bound < micros);
        for (counter, by) in [
            (&series.classes[class], 1),
            (&series.micros, micros),
            (&series.bytes_in, bytes_in),
            (&series.bytes_out, bytes_out),
        ] {
            counter.fetch_add(by, Ordering::Relaxed);
        }
    }

    /// Counts an injected fault.
    pub(crate) fn fault(&self, name: &'static str) {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        *faults.entry(name).or_default() += 1;
    }

    fn series(&self, operation: &str) -> Arc<Series> {
        let known = self.operations.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(series) = known.get(operation) {
            return Arc::clone(series);
        }
        drop(known);
        let mut operations = self.operations.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(operations.entry(operation.to_owned()).or_default())
    }

    /// All figures, with those of the store and of the process.
    pub(crate) fn text(&self, store: &Store) -> String {
        let mut text = String::new();
        self.write_requests(&mut text);
        family(
            &mut text,
            "oss_emulator_requests_in_flight",
            "gauge",
            "Requests whose answer has not ended.",
        );
        line(
            &mut text,
            "oss_emulator_requests_in_flight",
            "",
            self.in_flight.load(Ordering::Relaxed),
        );
        family(
            &mut text,
            "oss_emulator_faults_injected_total",
            "counter",
            "Requests that suffered a fault, by its kind.",
        );
        for (name, count) in self.faults.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            line(
                &mut text,
                "oss_emulator_faults_injected_total",
                &format!("{{fault=\"{name}\"}}"),
                count,
            );
        }
        write_store(&mut text, store);
        family(
            &mut text,
            "oss_emulator_uptime_seconds",
            "gauge",
            "Time since the start, whatever the emulator's clock shows.",
        );
        line(
            &mut text,
            "oss_emulator_uptime_seconds",
            "",
            self.started.elapsed().as_secs(),
        );
        if let Some(bytes) = resident_bytes() {
            family(
                &mut text,
                "process_resident_memory_bytes",
                "gauge",
                "Resident memory size in bytes.",
            );
            line(&mut text, "process_resident_memory_bytes", "", bytes);
        }
        text
    }

    fn write_requests(&self, text: &mut String) {
        let operations = self.operations.read().unwrap_or_else(PoisonError::into_inner);
        let name = "oss_emulator_requests_total";
        family(
            text,
            name,
            "counter",
            "Requests by operation and status; 0 is a connection that broke.",
        );
        for (operation, series) in operations.iter() {
            for (status, count) in series.statuses.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                let labels = format!("{{operation=\"{operation}\",status=\"{status}\"}}");
                line(text, name, &labels, count);
            }
        }
        for (name, help, counter) in [
            (
                "oss_emulator_request_bytes_total",
                "Bytes of request bodies that were read.",
                (|series| &series.bytes_in) as fn(&Series) -> &AtomicU64,
            ),
            (
                "oss_emulator_response_bytes_total",
                "Bytes of answer bodies that were sent.",
                |series| &series.bytes_out,
            ),
        ] {
            family(text, name, "counter", help);
            for (operation, series) in operations.iter() {
                let labels = format!("{{operation=\"{operation}\"}}");
                line(text, name, &labels, counter(series).load(Ordering::Relaxed));
            }
        }
        let name = "oss_emulator_request_duration_seconds";
        family(
            text,
            name,
            "histogram",
            "Time from the head of a request to the end of its answer.",
        );
        for (operation, series) in operations.iter() {
            let mut sum = 0;
            for (index, class) in series.classes.iter().enumerate() {
                sum += class.load(Ordering::Relaxed);
                let bound = BOUNDS
                    .get(index)
                    .map_or_else(|| "+Inf".to_owned(), |bound| seconds(*bound));
                let labels = format!("{{operation=\"{operation}\",le=\"{bound}\"}}");
                line(text, &format!("{name}_bucket"), &labels, sum);
            }
            let labels = format!("{{operation=\"{operation}\"}}");
            let total = seconds(series.micros.load(Ordering::Relaxed));
            line(text, &format!("{name}_sum"), &labels, total);
            line(text, &format!("{name}_count"), &labels, sum);
        }
    }
}

fn write_store(text: &mut String, store: &Store) {
    let buckets = store.list_buckets("", "", usize::MAX).buckets;
    // A bucket that is deleted in between is left out.
    let stats: Vec<_> = buckets
        .iter()
        .filter_map(|bucket| store.bucket_stat(&bucket.name).ok())
        .collect();
    for (name, help, value) in [
        (
            "oss_emulator_buckets",
            "Buckets.",
            u64::try_from(stats.len()).unwrap_or(u64::MAX),
        ),
        (
            "oss_emulator_objects",
            "Keys whose latest version is an object.",
            stats.iter().map(|stat| stat.objects).sum(),
        ),
        (
            "oss_emulator_object_versions",
            "Versions of objects.",
            stats.iter().map(|stat| stat.versions).sum(),
        ),
        (
            "oss_emulator_uploads",
            "Unfinished multipart uploads.",
            stats.iter().map(|stat| stat.uploads).sum(),
        ),
        (
            "oss_emulator_stored_bytes",
            "Bytes of all versions and parts, counted as often as they are used.",
            stats.iter().map(|stat| stat.storage).sum(),
        ),
    ] {
        family(text, name, "gauge", help);
        line(text, name, "", value);
    }
}

fn family(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn line(text: &mut String, name: &str, labels: &str, value: impl std::fmt::Display) {
    let _ = writeln!(text, "{name}{labels} {value}");
}

/// Microseconds as seconds, exactly.
fn seconds(micros: u64) -> String {
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Memory of the process, where the system tells it in a file.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_stand_in_their_class_and_in_all_above() {
        let metrics = Metrics::default();
        for millis in [1, 3, 700, 60_000] {
            metrics.begin();
            metrics.end(Some("GetObject"), 200, 1, 10, Duration::from_millis(millis));
        }
        let mut text = String::new();
        metrics.write_requests(&mut text);
        for expected in [
            "oss_emulator_requests_total{operation=\"GetObject\",status=\"200\"} 4",
            "oss_emulator_request_bytes_total{operation=\"GetObject\"} 4",
            "oss_emulator_response_bytes_total{operation=\"GetObject\"} 40",
            "le=\"0.0005\"} 0",
            "le=\"0.001\"} 1",
            "le=\"0.005\"} 2",
            "le=\"1\"} 3",
            "le=\"30\"} 3",
            "le=\"+Inf\"} 4",
            "_sum{operation=\"GetObject\"} 60.704",
            "_count{operation=\"GetObject\"} 4",
        ] {
            assert!(text.contains(expected), "{expected} in\n{text}");
        }
    }
}
