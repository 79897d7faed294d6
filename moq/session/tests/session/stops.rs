//! A peer that stops reading a request: some do so once they have answered.

use parvis_session::{EndReason, Event, Input, Limits, RequestKey, Role, StreamId};
use parvis_wire::{
    Draft, Message, Parameters, Properties, PublishDone, PublishDoneCode, RequestError,
    RequestErrorCode, RequestId, RequestOk, SubscribeNamespace,
};

use crate::{
    by_hand::{ALIAS, ByHand},
    pair::Pair,
    support::{MS, namespace, request, track},
};

#[test]
fn a_rejection_behind_a_stop_is_told() {
    for draft in Draft::ALL {
        let (mut by_hand, id) = ByHand::new(draft, Limits::default());
        by_hand.input(Input::StopSending { id, code: 1 });
        assert_eq!(by_hand.events(), []);
        let error = RequestError {
            code: RequestErrorCode::DoesNotExist,
            retry_interval: 0,
            reason: String::new(),
            redirect: None,
        };
        by_hand.message(id, &Message::RequestError(error.clone()));
        assert_eq!(
            by_hand.events(),
            [Event::Rejected {
                key: RequestKey(id),
                error
            }]
        );
        assert_eq!(by_hand.session.open_requests(), (0, 0));
    }
}

#[test]
fn a_publish_done_behind_a_stop_is_told() {
    let (mut by_hand, id) = ByHand::new(Draft::D18, Limits::default());
    by_hand.accept(id);
    by_hand.events();
    by_hand.input(Input::StopSending { id, code: 1 });
    let (code, reason) = (PublishDoneCode::TrackEnded, "over".to_owned());
    let done = PublishDone {
        code,
        stream_count: 0,
        reason: reason.clone(),
    };
    by_hand.message(id, &Message::PublishDone(done));
    let reason = EndReason::PublishDone { code, reason };
    assert_eq!(
        by_hand.events(),
        [Event::Ended {
            key: RequestKey(id),
            reason
        }]
    );
    assert_eq!(by_hand.session.open_requests(), (0, 0));
}

#[test]
fn streams_are_waited_for_behind_a_publish_done_that_counts_too_few() {
    let (mut by_hand, id) = ByHand::new(Draft::D18, Limits::default());
    by_hand.accept(id);
    by_hand.subgroup(1, ALIAS, b"one", true);
    let (code, reason) = (PublishDoneCode::TrackEnded, "over".to_owned());
    let done = PublishDone {
        code,
        stream_count: 0,
        reason: reason.clone(),
    };
    by_hand.message(id, &Message::PublishDone(done));
    by_hand.events();
    by_hand.subgroup(2, ALIAS, b"two", true);
    let came = by_hand.events();
    let object =
        |event: &Event| matches!(event, Event::Object { raw, .. } if raw.ends_with(b"two"));
    assert!(came.iter().any(object), "{came:?}");
    by_hand
        .session
        .handle_timeout(by_hand.now + Limits::default().linger);
    let (key, reason) = (RequestKey(id), EndReason::PublishDone { code, reason });
    assert_eq!(by_hand.events(), [Event::Ended { key, reason }]);
}

#[test]
fn a_stop_without_more_ends_the_request_in_time() {
    for accepted in [true, false] {
        let (mut by_hand, id) = ByHand::new(Draft::D22, Limits::default());
        if accepted {
            by_hand.accept(id);
        }
        by_hand.events();
        by_hand.input(Input::StopSending { id, code: 7 });
        let due = by_hand.now + Limits::default().linger;
        assert_eq!(by_hand.session.poll_timeout(), Some(due));
        by_hand.session.handle_timeout(due);
        let (key, reason) = (RequestKey(id), EndReason::Cancelled(7));
        assert_eq!(by_hand.events(), [Event::Ended { key, reason }]);
        assert_eq!(by_hand.session.open_requests(), (0, 0));
        assert_eq!(by_hand.session.poll_timeout(), None);
    }
}

#[test]
fn a_stop_and_a_reset_end_the_request_at_once() {
    let (mut by_hand, id) = ByHand::new(Draft::D22, Limits::default());
    by_hand.input(Input::StopSending { id, code: 7 });
    by_hand.input(Input::StreamReset { id, code: 8 });
    let (key, reason) = (RequestKey(id), EndReason::Cancelled(8));
    assert_eq!(by_hand.events(), [Event::Ended { key, reason }]);
}

#[test]
fn a_stop_of_a_subscriber_ends_the_subscription_at_once() {
    for draft in Draft::ALL {
        let mut pair = Pair::established(draft);
        let now = pair.now;
        let client = &mut pair.client.session;
        let key = client.publish(track("a"), Parameters::default(), Properties::EMPTY, now);
        let key = key.expect("it publishes");
        pair.run(20 * MS);
        assert_eq!(request(&pair.server.events()).0, key);
        let now = pair.now;
        pair.server
            .session
            .accept_publish(key, Parameters::default(), now)
            .expect("it accepts");
        pair.run(20 * MS);
        pair.client.events();
        let now = pair.now;
        pair.client
            .input(Input::StopSending { id: key.0, code: 1 }, now);
        let reason = EndReason::Cancelled(1);
        assert_eq!(pair.client.events(), [Event::Ended { key, reason }]);
    }
}

#[test]
fn the_end_of_a_request_cancels_in_18_and_says_nothing_in_22() {
    for draft in Draft::ALL {
        let (mut by_hand, _) = ByHand::new(draft, Limits::default());
        let id = StreamId::new(Role::Server, false, 0);
        let ask = SubscribeNamespace {
            request_id: RequestId(1),
            prefix: namespace(&["x"]),
            parameters: Parameters::default(),
        };
        by_hand.message(id, &Message::SubscribeNamespace(ask));
        let key = request(&by_hand.events()).0;
        by_hand.data(id, Vec::new(), true);
        match draft {
            Draft::D18 => {
                let reason = EndReason::Finished;
                assert_eq!(by_hand.events(), [Event::Ended { key, reason }]);
            }
            Draft::D22 => {
                assert_eq!(by_hand.events(), []);
                let now = by_hand.now;
                by_hand
                    .session
                    .accept(key, Parameters::default(), now)
                    .expect("it accepts");
            }
        }
    }
}

#[test]
fn the_end_of_an_answer_without_an_answer_fails_the_request() {
    for draft in Draft::ALL {
        let (mut by_hand, id) = ByHand::new(draft, Limits::default());
        by_hand.data(id, Vec::new(), true);
        let (key, reason) = (RequestKey(id), EndReason::Finished);
        assert_eq!(by_hand.events(), [Event::Ended { key, reason }]);

        // The end behind the answer to a PUBLISH_NAMESPACE says that nothing more comes.
        let now = by_hand.now;
        let parameters = Parameters::default();
        let key = by_hand
            .session
            .publish_namespace(namespace(&["x"]), parameters, now);
        let key = key.expect("it publishes");
        by_hand.message(key.0, &Message::RequestOk(RequestOk::default()));
        by_hand.data(key.0, Vec::new(), true);
        let events = by_hand.events();
        assert!(
            matches!(events.as_slice(), [Event::Accepted { .. }]),
            "{events:?}"
        );
    }
}
