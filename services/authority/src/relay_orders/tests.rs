use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
};

use super::*;

/// A relay that remembers what is stopped, and how often it was told what.
#[derive(Debug, Default)]
struct Relay {
    stopped: BTreeSet<String>,
    denied: BTreeSet<String>,
    orders: usize,
}

impl Relay {
    fn obey(&mut self, path: &str, body: &Value) {
        self.orders += 1;
        let track = body.to_string();
        match path {
            "/v1/tracks/stop" => {
                self.stopped.insert(track);
            }
            "/v1/tracks/allow" => {
                let who = body["namespace"][2].as_str().unwrap();
                assert!(self.denied.contains(who), "it may still speak");
                self.stopped.remove(&track);
            }
            "/v1/deny" => {
                let who = body["sub"].as_str().unwrap();
                self.denied.insert(who.to_owned());
            }
            other => panic!("{other}"),
        }
    }
}

fn serve(listener: TcpListener, relay: Arc<Mutex<Relay>>) {
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let (mut path, mut length) = (String::new(), 0);
            for line in stream.by_ref().lines() {
                let line = line.unwrap().to_lowercase();
                if let Some(rest) = line.strip_prefix("post ") {
                    path = rest.split(' ').next().unwrap().to_owned();
                } else if let Some(bytes) = line.strip_prefix("content-length: ") {
                    length = bytes.parse().unwrap();
                } else if line.is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            let body = serde_json::from_slice(&body).unwrap();
            relay.lock().unwrap().obey(&path, &body);
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            stream.get_mut().write_all(answer).unwrap();
        }
    });
}

#[tokio::test]
async fn whoever_is_removed_muted_leaves_nothing_at_the_relay() {
    const PEOPLE: usize = 100;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let control = RelayControl::new(listener.local_addr().unwrap(), "secret");
    let relay = Arc::new(Mutex::new(Relay::default()));
    serve(listener, Arc::clone(&relay));
    let orders = RelayOrders::new(control);
    let running = orders.clone();
    let running = tokio::spawn(async move { running.run().await });
    let code = RoomCode::parse("abc-defg-hij").unwrap();
    let until = UnixMillis(2_000_000_000_000);
    for n in 0..PEOPLE {
        let who = ParticipantId::new(&format!("p{n}")).unwrap();
        let sources = [Source::Microphone, Source::Screen];
        let stopped = sources.map(|source| {
            let who = who.clone();
            RelayOrder::Stop(OneSource { code, who, source })
        });
        let mut subjects: Vec<Subject> = stopped.iter().map(RelayOrder::subject).collect();
        for order in stopped {
            orders.give(order, Duration::ZERO);
        }
        orders.obeyed(&subjects).await;
        let farewell = Duration::from_millis(1);
        orders.give(RelayOrder::Deny(who.clone(), until), farewell);
        subjects.push(Subject::Participant(who));
        orders.obeyed(&subjects).await;
    }
    let relay = relay.lock().unwrap();
    assert_eq!(relay.stopped, BTreeSet::new());
    assert_eq!((relay.denied.len(), relay.orders), (PEOPLE, 5 * PEOPLE));
    assert!(orders.state().stopped.is_empty());
    running.abort();
}
