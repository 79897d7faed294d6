use bytes::Bytes;
use parvis_session::StreamId;
use parvis_wire::{ObjectId, TrackNamespace};

use super::*;

/// A subscription to video, and who takes its frames.
struct Watcher {
    subscription: Subscription,
    frames: mpsc::Receiver<RemoteFrame>,
    counters: Arc<RemoteCounters>,
    now: Instant,
}

impl Watcher {
    fn new() -> Self {
        let (sink, frames) = mpsc::channel(FRAMES);
        let counters = Arc::new(RemoteCounters::default());
        let now = Instant::now();
        let namespace = TrackNamespace::new(["room", "zoe"]).unwrap();
        let (reply, _) = oneshot::channel();
        let new = NewSubscription {
            name: FullTrackName::new(namespace, "camera".into()).unwrap(),
            kind: MediaKind::Video,
            sink,
            counters: Arc::clone(&counters),
            reply,
        };
        Self {
            subscription: Subscription::new(new),
            frames,
            counters,
            now,
        }
    }

    /// Brings frames of a group at once.
    fn bring(&mut self, group: u64, ids: std::ops::Range<u64>) {
        self.bring_on(LinkId(0), group, ids);
    }

    fn bring_on(&mut self, link: LinkId, group: u64, ids: std::ops::Range<u64>) {
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
            self.subscription.handle_object(link, object, self.now);
            self.subscription.deliver(self.now);
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

#[test]
fn what_two_connections_bring_is_taken_once() {
    let mut watcher = Watcher::new();
    watcher.bring(0, 0..10);
    watcher.bring(0, 0..20);
    assert_eq!(watcher.take(1000), 20);
    let stats = watcher.counters.stats();
    assert_eq!((stats.duplicate, stats.late, stats.missing), (10, 0, 0));
}

#[test]
fn an_old_connection_goes_when_the_new_one_has_begun_a_group_for_a_while() {
    let mut watcher = Watcher::new();
    let (old, new) = (LinkId(0), LinkId(1));
    watcher.subscription.asked(old, RequestKey(StreamId(0)));
    watcher.bring(0, 0..3);
    watcher.subscription.asked(new, RequestKey(StreamId(0)));
    let later = watcher.now + Duration::from_secs(10);
    assert!(!watcher.subscription.has_moved(old, later));
    let due = |watcher: &Watcher| watcher.subscription.poll_timeout(old, Some(new));
    assert_eq!(due(&watcher), None);

    let now = watcher.now;
    watcher.subscription.handle_group_end(GroupId(0), true, now);
    watcher.bring_on(new, 1, 0..1);
    assert!(!watcher.subscription.has_moved(old, watcher.now));
    let end = due(&watcher).expect("the old one is due to go");
    assert!(watcher.subscription.has_moved(old, end));
    assert!(!watcher.subscription.has_moved(new, end), "it stays");
}
