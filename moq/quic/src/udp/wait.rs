use std::{
    io,
    os::fd::{AsFd, BorrowedFd},
    time::Duration,
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags},
};

use super::BatchSocket;

/// A full kernel buffer is looked at again after this, should the system not tell.
const BLOCKED: Duration = Duration::from_millis(5);

impl BatchSocket {
    /// Sleeps until something came, the socket takes packets again, `wake` is readable, or
    /// `timeout` has passed (`None`: for ever). Returns whether `wake` is readable.
    pub fn wait(
        &self,
        timeout: Option<Duration>,
        wake: Option<BorrowedFd<'_>>,
    ) -> io::Result<bool> {
        let mut interest = PollFlags::POLLIN;
        let mut timeout = timeout;
        if self.is_blocked() {
            interest |= PollFlags::POLLOUT;
            timeout = timeout.map(|timeout| timeout.max(BLOCKED));
        }
        let mut fds = vec![PollFd::new(self.as_fd(), interest)];
        fds.extend(wake.map(|wake| PollFd::new(wake, PollFlags::POLLIN)));
        let peers = self.peers.iter().map(|peer| peer.socket.as_fd());
        fds.extend(peers.map(|peer| PollFd::new(peer, PollFlags::POLLIN)));
        match poll_until(&mut fds, timeout) {
            Ok(_) => {}
            Err(Errno::EINTR) => return Ok(false),
            Err(errno) => return Err(errno.into()),
        }
        Ok(wake.is_some() && fds[1].any().unwrap_or(true))
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn poll_until(fds: &mut [PollFd<'_>], timeout: Option<Duration>) -> nix::Result<i32> {
    nix::poll::ppoll(fds, timeout.map(Into::into), None)
}

/// In whole milliseconds, rounded up so that the thread does not wake before its time.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn poll_until(fds: &mut [PollFd<'_>], timeout: Option<Duration>) -> nix::Result<i32> {
    use nix::poll::{PollTimeout, poll};
    let timeout = timeout.map_or(PollTimeout::NONE, |timeout| {
        PollTimeout::try_from(timeout.as_micros().div_ceil(1000)).unwrap_or(PollTimeout::MAX)
    });
    poll(fds, timeout)
}
