//! Updates of requests, and state notifications.

use parvis_session::{DropReason, EndReason, Event, SendRefused, StreamEnd};
use parvis_wire::{
    Draft, Location, Parameters, Priority, Properties, PublishDoneCode, RequestError,
    RequestErrorCode, RequestId, ResetCode,
};

use crate::{
    pair::Pair,
    support::{MS, group, namespace, open, received, request, subscribe, track, write},
};

fn forward(forward: bool) -> Parameters {
    Parameters {
        forward: Some(forward),
        ..Parameters::default()
    }
}

#[test]
fn an_update_is_told_and_accepted() {
    for draft in Draft::ALL {
        let mut pair = Pair::established(draft);
        let key = subscribe(&mut pair, "a", Parameters::default());
        let now = pair.now;
        let parameters = Parameters {
            subscriber_priority: Some(Priority(9)),
            ..Parameters::default()
        };
        pair.client
            .session
            .update(key, parameters.clone(), now)
            .expect("it updates");
        pair.run(20 * MS);
        assert_eq!(
            pair.server.events(),
            [Event::Updated {
                key,
                id: RequestId(2),
                parameters
            }]
        );
        let now = pair.now;
        let answer = Parameters {
            largest: Some(Location::new(2, 2)),
            ..Parameters::default()
        };
        pair.server
            .session
            .accept_update(key, answer.clone(), now)
            .expect("it accepts");
        pair.run(20 * MS);
        assert_eq!(
            pair.client.events(),
            [Event::UpdateAccepted {
                key,
                parameters: answer
            }]
        );
    }
}

#[test]
fn forward_off_cuts_streams_and_refuses_new_ones() {
    for draft in Draft::ALL {
        let mut pair = Pair::established(draft);
        let key = subscribe(&mut pair, "a", Parameters::default());
        let stream = open(&mut pair, key, &group(0));
        write(&mut pair, stream, 0, b"one");
        pair.run(20 * MS);
        pair.client.events();
        let now = pair.now;
        pair.client
            .session
            .update(key, forward(false), now)
            .expect("it updates");
        pair.run(20 * MS);
        let events = pair.server.events();
        let dropped = events.iter().find_map(|event| match event {
            Event::Dropped(dropped) => Some(dropped.reason),
            _ => None,
        });
        assert_eq!(dropped, Some(DropReason::NotForwarded));
        let now = pair.now;
        let refused = pair.server.session.open_subgroup(key, &group(1), now);
        assert_eq!(refused, Err(SendRefused::NotForwarded(key)));
        let code = ResetCode::Cancelled.to_u64();
        let end = StreamEnd::Reset(code);
        assert!(
            pair.client
                .events()
                .contains(&Event::SubgroupEnd { stream, end })
        );

        pair.server
            .session
            .accept_update(key, Parameters::default(), now)
            .expect("it accepts");
        pair.client
            .session
            .update(key, forward(true), now)
            .expect("it updates");
        pair.run(20 * MS);
        let stream = open(&mut pair, key, &group(1));
        write(&mut pair, stream, 0, b"two");
        pair.run(20 * MS);
        assert_eq!(
            received(&pair.client.events())[0].objects,
            [(0, b"two".to_vec())]
        );
    }
}

#[test]
fn a_rejected_update_ends_the_subscription() {
    for draft in Draft::ALL {
        let mut pair = Pair::established(draft);
        let key = subscribe(&mut pair, "a", Parameters::default());
        let now = pair.now;
        pair.client
            .session
            .update(key, forward(true), now)
            .expect("it updates");
        pair.run(20 * MS);
        let now = pair.now;
        let error = RequestError {
            code: RequestErrorCode::Unauthorized,
            retry_interval: 0,
            reason: "no".into(),
            redirect: None,
        };
        pair.server
            .session
            .reject_update(key, error.clone(), now)
            .expect("it rejects");
        pair.run(20 * MS);
        let code = PublishDoneCode::UpdateFailed;
        let reason = EndReason::PublishDone {
            code,
            reason: "no".into(),
        };
        let expected = [
            Event::UpdateRejected { key, error },
            Event::Ended { key, reason },
        ];
        assert_eq!(pair.client.events(), expected);
        assert_eq!(pair.server.session.open_requests(), (0, 0));
    }
}

#[test]
fn a_subscriber_updates_what_publish_started() {
    for draft in Draft::ALL {
        let mut pair = Pair::established(draft);
        let now = pair.now;
        let client = &mut pair.client.session;
        let key = client.publish(track("a"), forward(false), Properties::EMPTY, now);
        let key = key.expect("it publishes");
        assert_eq!(
            client.open_subgroup(key, &group(0), now),
            Err(SendRefused::NotForwarded(key))
        );
        pair.run(20 * MS);
        assert_eq!(request(&pair.server.events()).0, key);
        let now = pair.now;
        // Draft 22 sends this as an update behind the answer.
        pair.server
            .session
            .accept_publish(key, forward(true), now)
            .expect("it accepts");
        pair.run(20 * MS);
        let events = pair.client.events();
        assert!(matches!(events[0], Event::Accepted { .. }), "{events:?}");
        if draft == Draft::D22 {
            assert_eq!(
                events[1],
                Event::Updated {
                    key,
                    id: RequestId(1),
                    parameters: forward(true)
                }
            );
        }
        let now = pair.now;
        let client = &mut pair.client.session;
        assert!(client.open_subgroup(key, &group(0), now).is_ok());
        if draft == Draft::D22 {
            client
                .accept_update(key, Parameters::default(), now)
                .expect("it accepts");
            pair.run(20 * MS);
            let told = pair.server.events();
            assert!(matches!(told[0], Event::UpdateAccepted { .. }), "{told:?}");
        }
    }
}

#[test]
fn a_namespace_subscription_moves_to_another_prefix() {
    for draft in Draft::ALL {
        let mut pair = Pair::established(draft);
        let now = pair.now;
        let client = &mut pair.client.session;
        let old = namespace(&["old"]);
        let key = client
            .subscribe_namespace(old, Parameters::default(), now)
            .expect("it asks");
        pair.run(20 * MS);
        let now = pair.now;
        pair.server
            .session
            .accept(key, Parameters::default(), now)
            .expect("it accepts");
        let ann = namespace(&["ann"]);
        pair.server
            .session
            .namespace(key, ann, now)
            .expect("it announces");
        pair.run(20 * MS);
        let now = pair.now;
        let namespace_prefix = Some(namespace(&["new"]));
        let parameters = Parameters {
            namespace_prefix,
            ..Parameters::default()
        };
        pair.client
            .session
            .update(key, parameters, now)
            .expect("it updates");
        pair.run(20 * MS);
        let now = pair.now;
        let server = &mut pair.server.session;
        server
            .accept_update(key, Parameters::default(), now)
            .expect("it accepts");
        // Relative to the new prefix; the peer could not know it before.
        server
            .namespace_done(key, namespace(&["x"]), now)
            .expect("it withdraws");
        pair.run(20 * MS);
        assert_eq!(pair.client.closed, None);
    }
}

#[test]
fn a_state_notification_needs_draft_22() {
    for draft in Draft::ALL {
        let mut pair = Pair::established(draft);
        let key = subscribe(&mut pair, "a", Parameters::default());
        let now = pair.now;
        let told = pair.server.session.notify_state(key, forward(false), now);
        pair.run(20 * MS);
        match draft {
            Draft::D18 => assert!(told.is_err()),
            Draft::D22 => {
                let parameters = forward(false);
                assert_eq!(
                    pair.client.events(),
                    [Event::StateChanged { key, parameters }]
                );
            }
        }
    }
}
