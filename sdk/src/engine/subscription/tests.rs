use bytes::Bytes;
use parvis_session::{Config, StreamId};
use parvis_wire::ObjectId;

use super::*;

/// A subscription to video, and who takes its frames.
struct Watcher {
    subscription: Subscription,
    session: Session,
    frames: mpsc::Receiver<RemoteFrame>,
    counters: Arc<RemoteCounters>,
    now: Instant,
}

impl Watcher {
    fn new() -> Self {
        let (sink, frames) = mpsc::channel(FRAMES);
        let counters = Arc::new(RemoteCounters::default());
        let now = Instant::now();
        Self {
            subscription: Subscription::new(MediaKind::Video, sink, Arc::clone(&counters)),
            session: Session::new(Config::default(), now),
            frames,
            counters,
            now,
        }
    }

    /// Brings frames of a group at once.
    fn bring(&mut self, group: u64, ids: std::ops::Range<u64>) {
        for id in ids {
            let object = Object {
                priority: None,
                location: Location {
                    group: GroupId(group),
                    object: ObjectId(id),
                },
                properties: Properties::default(),
                status: ObjectStatus::Normal,
                payload: Bytes::from_static(b"picture"),
            };
            self.subscription.handle_object(object, self.now);
            let key = RequestKey(StreamId(0));
            self.subscription.deliver(key, &mut self.session, self.now);
        }
    }

    fn take(&mut self, most: usize) -> usize {
        (0..most).map_while(|_| self.frames.try_recv().ok()).count()
    }
}

#[test]
fn the_past_of_a_long_group_comes_whole() {
    let mut watcher = Watcher::new();
    watcher.bring(0, 0..300);
    assert_eq!(watcher.take(1000), 300);
    assert_eq!(watcher.counters.stats().skipped, 0);
}

#[test]
fn who_stays_behind_goes_on_with_the_next_key_frame() {
    let mut watcher = Watcher::new();
    watcher.bring(0, 0..300);
    watcher.now += CATCH_UP;
    watcher.bring(0, 300..310);
    assert_eq!(
        watcher.take(1000),
        300,
        "nothing is queued behind the backlog"
    );
    watcher.bring(0, 310..311);
    let now = watcher.now;
    watcher.subscription.handle_group_end(GroupId(0), true, now);
    watcher.bring(1, 0..2);
    assert_eq!(watcher.take(1000), 2);
    assert_eq!(watcher.counters.stats().skipped, 11);
}

#[test]
fn who_catches_up_in_time_misses_nothing() {
    let mut watcher = Watcher::new();
    watcher.bring(0, 0..300);
    watcher.now += CATCH_UP / 2;
    assert_eq!(watcher.take(280), 280);
    watcher.bring(0, 300..301);
    watcher.now += CATCH_UP;
    watcher.bring(0, 301..340);
    assert_eq!(watcher.take(1000), 60);
    assert_eq!(watcher.counters.stats().skipped, 0);
}
