//! Which thread takes the next client.

use std::{
    io,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
};

/// A thread that is busier than this, percent of its time, takes clients only if all are.
const BUSY: u8 = 50;

/// Fills threads one after another: people of one meeting, and most relays most of the time, fit
/// one thread, where an object needs no way to another and one system call sends it to everybody.
#[derive(Debug)]
pub(crate) struct Placement {
    threads: Vec<Load>,
    /// Clients that a thread takes before the next one has its turn.
    fill: usize,
    next: Mutex<u8>,
}

#[derive(Debug, Default)]
struct Load {
    sessions: AtomicUsize,
    /// Percent of its time.
    busy: AtomicU8,
}

impl Placement {
    /// threads: at most 256.
    pub(crate) fn new(threads: usize, fill: usize) -> Self {
        Self {
            threads: (0..threads).map(|_| Load::default()).collect(),
            fill: fill.max(1),
            next: Mutex::new(0),
        }
    }

    /// Takes a thread's load. Where newcomers should go to another thread from now on, `steer` is
    /// told which; if it fails they stay where they are.
    pub(crate) fn report(
        &self,
        thread: usize,
        sessions: usize,
        busy: u8,
        steer: impl FnOnce(u8) -> io::Result<()>,
    ) -> io::Result<()> {
        let load = &self.threads[thread];
        load.sessions.store(sessions, Ordering::Relaxed);
        load.busy.store(busy, Ordering::Relaxed);
        // Held while steering, so that the last choice is the one that counts.
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let chosen = self.choose();
        if *next != chosen {
            steer(chosen)?;
            *next = chosen;
        }
        Ok(())
    }

    fn choose(&self) -> u8 {
        let order = |load: &Load| {
            let busy = load.busy.load(Ordering::Relaxed);
            let round = load.sessions.load(Ordering::Relaxed) / self.fill;
            if busy > BUSY {
                (true, usize::from(busy))
            } else {
                (false, round)
            }
        };
        let best = (0..self.threads.len()).min_by_key(|index| order(&self.threads[*index]));
        best.unwrap_or_default() as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The thread that newcomers are sent to by this report, if it says so.
    fn report(placement: &Placement, thread: usize, sessions: usize, busy: u8) -> Option<u8> {
        let mut told = None;
        let steered = placement.report(thread, sessions, busy, |next| {
            told = Some(next);
            Ok(())
        });
        steered.map(|()| told).unwrap()
    }

    #[test]
    fn threads_are_filled_one_after_another() {
        let placement = Placement::new(3, 2);
        let mut sessions = [0; 3];
        let mut next = 0;
        let mut order = Vec::new();
        for _ in 0..8 {
            order.push(next);
            sessions[next] += 1;
            if let Some(told) = report(&placement, next, sessions[next], 0) {
                next = told.into();
            }
        }
        assert_eq!(order, [0, 0, 1, 1, 2, 2, 0, 0]);
    }

    #[test]
    fn a_busy_thread_is_passed_over() {
        let placement = Placement::new(2, 100);
        assert_eq!(report(&placement, 0, 10, 60), Some(1));
        assert_eq!(report(&placement, 1, 1, 10), None);
        assert_eq!(report(&placement, 0, 10, 40), Some(0));
    }

    #[test]
    fn of_busy_threads_the_least_busy_is_taken() {
        let placement = Placement::new(2, 100);
        assert_eq!(report(&placement, 0, 10, 90), Some(1));
        assert_eq!(report(&placement, 1, 10, 95), Some(0));
    }

    #[test]
    fn a_thread_that_empties_is_filled_again() {
        let placement = Placement::new(2, 2);
        assert_eq!(report(&placement, 0, 2, 0), Some(1));
        assert_eq!(report(&placement, 0, 1, 0), Some(0));
    }

    #[test]
    fn a_choice_that_cannot_be_carried_out_is_made_again() {
        let placement = Placement::new(2, 1);
        let failed = placement.report(0, 1, 0, |_| Err(io::ErrorKind::Other.into()));
        assert!(failed.is_err());
        assert_eq!(report(&placement, 0, 1, 0), Some(1));
    }
}
