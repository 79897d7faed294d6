use std::{
    io::{self, PipeReader, PipeWriter, Read, Write},
    os::fd::{AsFd, BorrowedFd},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// Wakes a thread that waits for its socket. Waking one that is woken already costs nothing.
#[derive(Debug, Clone)]
pub(crate) struct Waker {
    pipe: Arc<PipeWriter>,
    woken: Arc<AtomicBool>,
}

/// The thread's end of its [`Waker`].
#[derive(Debug)]
pub(crate) struct Wakeups {
    pipe: PipeReader,
    woken: Arc<AtomicBool>,
}

pub(crate) fn waker() -> io::Result<(Waker, Wakeups)> {
    let (reader, writer) = io::pipe()?;
    let woken = Arc::new(AtomicBool::new(false));
    let waker = Waker {
        pipe: Arc::new(writer),
        woken: woken.clone(),
    };
    Ok((
        waker,
        Wakeups {
            pipe: reader,
            woken,
        },
    ))
}

impl Waker {
    pub(crate) fn wake(&self) {
        if !self.woken.swap(true, Ordering::AcqRel) {
            // An error says that the thread is gone. At most one byte is in the pipe, so that
            // this does not block.
            let _ = (&*self.pipe).write(&[1]);
        }
    }
}

impl Wakeups {
    /// Takes the wake-up that made the pipe readable; then look at what others have sent.
    pub(crate) fn clear(&mut self) {
        let mut byte = [0];
        let _ = self.pipe.read(&mut byte);
        // After the read, so that the next wake-up writes again.
        self.woken.swap(false, Ordering::AcqRel);
    }
}

impl AsFd for Wakeups {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }
}
