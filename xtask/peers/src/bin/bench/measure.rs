//! Time on a processor, taken in turns.

use core::hint::black_box;
use std::time::Duration;

/// Rounds of which the median counts.
const ROUNDS: usize = 9;

/// One batch of one contender takes about this long.
const BATCH: Duration = Duration::from_millis(8);

/// Does the work the given number of times and says how long that took, without the preparation.
pub type Case<'c> = Box<dyn FnMut(usize) -> Duration + 'c>;

/// How long this thread has run so far. Not wall-clock time, which swings several-fold on a shared machine.
pub fn thread_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a valid clock and a place to write to.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(result, 0, "the thread has no clock");
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Times `work` alone, on each of the prepared inputs once, with the dropping of what comes out.
pub fn on_each<T, R>(inputs: impl IntoIterator<Item = T>, mut work: impl FnMut(T) -> R) -> Duration {
    let inputs: Vec<T> = inputs.into_iter().collect();
    let start = thread_time();
    for input in inputs {
        drop(black_box(work(black_box(input))));
    }
    thread_time() - start
}

/// As [`on_each`], but what comes out, such as the session that was an input, is dropped after the clock was read.
pub fn on_each_kept<T, R>(inputs: impl IntoIterator<Item = T>, mut work: impl FnMut(T) -> R) -> Duration {
    let inputs: Vec<T> = inputs.into_iter().collect();
    let mut results = Vec::with_capacity(inputs.len());
    let start = thread_time();
    for input in inputs {
        results.push(black_box(work(black_box(input))));
    }
    thread_time() - start
}

/// Seconds per piece of work: the median of several rounds in which the contenders take turns.
pub fn seconds(contenders: &mut [Case<'_>]) -> Vec<f64> {
    let counts: Vec<usize> = contenders.iter_mut().map(calibrate).collect();
    let mut times = vec![Vec::with_capacity(ROUNDS); contenders.len()];
    for _ in 0..ROUNDS {
        for ((case, count), times) in contenders.iter_mut().zip(&counts).zip(&mut times) {
            times.push(case(*count).as_secs_f64() / *count as f64);
        }
    }
    times.into_iter().map(median).collect()
}

/// How many pieces of work make a batch.
fn calibrate(case: &mut Case<'_>) -> usize {
    let mut count = 1;
    loop {
        let time = case(count);
        if time >= BATCH / 4 || count >= 1 << 16 {
            let wanted = BATCH.as_secs_f64() / time.as_secs_f64() * count as f64;
            return (wanted as usize).clamp(1, 1 << 17);
        }
        count *= 4;
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
