//! When a reader of the probe's rings looks into them by itself. In: when it has read, and whether
//! what it read hurries. Out: how long it may sleep until it looks again.
//!
//! The probe does not wake it for each event (probe-rs/src/wake.rs): for none of those that do not
//! hurry so soon after it has read. So it looks again, soon after a quiet time, since what begins
//! then is told in several events; the longer it goes on, the more is read together. The first look
//! that finds nothing at least `LATEST` after it has read is the last one: whatever comes then, the
//! probe wakes it for.
use std::time::{Duration, Instant};

use aya::maps::{Array, MapData};
use probe::wake::{PATIENT_NS, WAKE_NS};

use crate::settings::EventClock;

const SOON: Duration = Duration::from_millis(8);
const HURRIED: Duration = Duration::from_nanos(WAKE_NS);
const LATEST: Duration = Duration::from_nanos(PATIENT_NS);
const LOOKS: Duration = Duration::from_millis(60);
const _: () = assert!(LOOKS.as_nanos() > LATEST.as_nanos());

pub struct Pace {
    read: Instant,
    /// So long after that it looks first.
    step: Duration,
}

impl Pace {
    pub fn new(now: Instant) -> Self {
        Self { read: now, step: SOON }
    }

    /// The reader has read something.
    pub fn has_read(&mut self, now: Instant, hurried: bool) {
        let was_quiet = now.saturating_duration_since(self.read) >= LOOKS;
        let grown = if was_quiet { SOON } else { LATEST.min(self.step * 2) };
        self.step = if hurried { HURRIED.min(grown) } else { grown };
        self.read = now;
    }

    /// Whether it is time to read what no event woke the reader for.
    pub fn is_due(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.read) >= self.step
    }

    /// How long to sleep until the next look; None: until the probe wakes the reader.
    pub fn next(&self, now: Instant) -> Option<Duration> {
        let since = now.saturating_duration_since(self.read);
        if let Some(left) = self.step.checked_sub(since).filter(|left| !left.is_zero()) {
            Some(left)
        } else if since < LOOKS {
            Some(LATEST.min(since))
        } else {
            None
        }
    }
}

/// Where the probe is told when its reader has read: it need not wake it right after.
pub struct Told {
    times: Array<MapData, u64>,
    clock: EventClock,
}

impl Told {
    /// `settings`: those of the probe.
    pub fn new(times: Array<MapData, u64>, settings: &[u8]) -> Self {
        Self { times, clock: EventClock::of(settings) }
    }

    pub fn has_read(&mut self) {
        // Where that fails, it wakes its reader more often.
        let _ = self.times.set(0, self.clock.now_ns(), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// When it looks after it has read at `read`, where it finds nothing.
    fn looks(pace: &Pace, read: Instant) -> Vec<u128> {
        let mut at = read;
        let mut looks = Vec::new();
        while let Some(time) = pace.next(at) {
            at += time;
            looks.push((at - read).as_millis());
        }
        looks
    }

    #[test]
    fn after_a_quiet_time_it_looks_soon_and_then_ever_less() {
        let begun = Instant::now();
        let mut pace = Pace::new(begun);
        pace.has_read(begun + ms(500), false);
        assert!(!pace.is_due(begun + ms(507)) && pace.is_due(begun + ms(508)));
        assert_eq!(looks(&pace, begun + ms(500)), [8, 16, 32, 62]);
    }

    #[test]
    fn while_events_come_it_reads_ever_more_together_but_not_what_hurries() {
        let mut now = Instant::now();
        let mut pace = Pace::new(now);
        now += ms(500);
        let steps: Vec<u128> = [false, false, false, false, true, false]
            .map(|hurried| {
                pace.has_read(now, hurried);
                let step = pace.next(now).expect("it looks by itself");
                now += step;
                step.as_millis()
            })
            .to_vec();
        assert_eq!(steps, [8, 16, 30, 30, 10, 20]);
        pace.has_read(now + LOOKS, false);
        assert_eq!(pace.next(now + LOOKS), Some(SOON));
    }

    #[test]
    fn whatever_the_step_it_looks_once_the_probe_wakes_it_again() {
        let mut now = Instant::now();
        let mut pace = Pace::new(now);
        for gap in [500, 1, 8, 16, 30, 30, 59, 60] {
            now += ms(gap);
            pace.has_read(now, false);
            assert!(looks(&pace, now).last() >= Some(&LATEST.as_millis()));
        }
    }
}
