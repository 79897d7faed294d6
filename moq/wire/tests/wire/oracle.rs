//! Every message against the crate moqtap-codec: what we encode it decodes to the same fields,
//! and what it encodes are the same bytes.

use moqtap_codec::types::TrackNamespace as TheirNamespace;
use moqtap_codec::varint::VarInt;
use moqtap_codec::{draft18, draft22};
use parvis_wire::{
    Draft, Fetch, FetchOk, FetchRange, GoAway, Location, LocationFilter, Message, Parameters,
    TrackNamespace,
};
use proptest::prelude::*;

use crate::message_strategies::message;
use crate::oracle_parameters::{parameters, properties, setup_options};
use crate::{at_least, decode, encode};

proptest! {
    #![proptest_config(at_least(2000))]

    #[test]
    fn messages_of_draft_18_agree_with_the_oracle(message in message(Draft::D18)) {
        let ours = encode(Draft::D18, &message);
        let theirs = messages_18::convert(&message);
        let decoded = draft18::message::ControlMessage::decode(&mut &ours[..]);
        prop_assert_eq!(decoded, Ok(theirs.clone()));
        let mut bytes = Vec::new();
        theirs.encode(&mut bytes).expect("the oracle encodes it");
        prop_assert_eq!(&bytes, &ours);
        prop_assert_eq!(decode(Draft::D18, &bytes.into()), Ok(message));
    }

    #[test]
    fn messages_of_draft_22_agree_with_the_oracle(message in message(Draft::D22)) {
        let ours = encode(Draft::D22, &message);
        let theirs = messages_22::convert(&message);
        let decoded = draft22::message::ControlMessage::decode(&mut &ours[..]);
        prop_assert_eq!(decoded, Ok(theirs.clone()));
        let mut bytes = Vec::new();
        theirs.encode(&mut bytes).expect("the oracle encodes it");
        prop_assert_eq!(&bytes, &ours);
        prop_assert_eq!(decode(Draft::D22, &bytes.into()), Ok(message));
    }
}

pub fn integer(value: u64) -> VarInt {
    VarInt::from_u64_moqt(value)
}

pub fn namespace(namespace: &TrackNamespace) -> TheirNamespace {
    TheirNamespace(
        namespace
            .fields()
            .iter()
            .map(|field| field.to_vec())
            .collect(),
    )
}

/// The messages whose shape is the same in both drafts.
macro_rules! common_messages {
    ($module:ident, $draft:expr, $oracle:ident) => {
        mod $module {
            use $oracle::message as theirs;

            use super::*;

            pub(super) fn convert(message: &Message) -> theirs::ControlMessage {
                use theirs::ControlMessage as Their;
                let name = |track: &parvis_wire::FullTrackName| {
                    (namespace(track.namespace()), track.name().0.to_vec())
                };
                match message {
                    Message::Setup(setup) => Their::Setup(theirs::Setup {
                        options: setup_options(setup),
                    }),
                    Message::RequestOk(ok) => Their::RequestOk(theirs::RequestOk {
                        parameters: parameters(&ok.parameters, $draft),
                        track_properties: properties(&ok.track_properties),
                    }),
                    Message::RequestError(error) => Their::RequestError(theirs::RequestError {
                        error_code: integer(error.code.to_u64()),
                        retry_interval: integer(error.retry_interval),
                        reason_phrase: error.reason.clone().into_bytes(),
                        redirect: error.redirect.as_ref().map(|redirect| theirs::Redirect {
                            connect_uri: redirect.connect_uri.clone().into_bytes(),
                            track_namespace: namespace(&redirect.namespace),
                            track_name: redirect.name.0.to_vec(),
                        }),
                    }),
                    Message::Subscribe(subscribe) => {
                        let (track_namespace, track_name) = name(&subscribe.track);
                        Their::Subscribe(theirs::Subscribe {
                            request_id: integer(subscribe.request_id.0),
                            track_namespace,
                            track_name,
                            parameters: parameters(&subscribe.parameters, $draft),
                        })
                    }
                    Message::SubscribeOk(ok) => Their::SubscribeOk(theirs::SubscribeOk {
                        track_alias: integer(ok.track_alias.0),
                        parameters: parameters(&ok.parameters, $draft),
                        track_properties: properties(&ok.track_properties),
                    }),
                    Message::RequestUpdate(update) => Their::RequestUpdate(theirs::RequestUpdate {
                        request_id: integer(update.request_id.0),
                        parameters: parameters(&update.parameters, $draft),
                    }),
                    Message::Publish(publish) => {
                        let (track_namespace, track_name) = name(&publish.track);
                        Their::Publish(theirs::Publish {
                            request_id: integer(publish.request_id.0),
                            track_namespace,
                            track_name,
                            track_alias: integer(publish.track_alias.0),
                            parameters: parameters(&publish.parameters, $draft),
                            track_properties: properties(&publish.track_properties),
                        })
                    }
                    Message::PublishDone(done) => Their::PublishDone(theirs::PublishDone {
                        status_code: integer(done.code.to_u64()),
                        stream_count: integer(done.stream_count),
                        reason_phrase: done.reason.clone().into_bytes(),
                    }),
                    Message::PublishNamespace(publish) => {
                        Their::PublishNamespace(theirs::PublishNamespace {
                            request_id: integer(publish.request_id.0),
                            track_namespace: namespace(&publish.namespace),
                            parameters: parameters(&publish.parameters, $draft),
                        })
                    }
                    Message::Namespace(message) => Their::Namespace(theirs::Namespace {
                        namespace_suffix: namespace(&message.suffix),
                    }),
                    Message::NamespaceDone(message) => {
                        Their::NamespaceDone(theirs::NamespaceDone {
                            namespace_suffix: namespace(&message.suffix),
                        })
                    }
                    Message::SubscribeNamespace(subscribe) => {
                        Their::SubscribeNamespace(theirs::SubscribeNamespace {
                            request_id: integer(subscribe.request_id.0),
                            namespace_prefix: namespace(&subscribe.prefix),
                            parameters: parameters(&subscribe.parameters, $draft),
                        })
                    }
                    Message::SubscribeTracks(subscribe) => {
                        Their::SubscribeTracks(theirs::SubscribeTracks {
                            request_id: integer(subscribe.request_id.0),
                            namespace_prefix: namespace(&subscribe.prefix),
                            parameters: parameters(&subscribe.parameters, $draft),
                        })
                    }
                    Message::TrackStatus(status) => {
                        let (track_namespace, track_name) = name(&status.track);
                        Their::TrackStatus(theirs::TrackStatus {
                            request_id: integer(status.request_id.0),
                            track_namespace,
                            track_name,
                            parameters: parameters(&status.parameters, $draft),
                        })
                    }
                    Message::FetchOk(ok) => {
                        let end = fetch_ok_end(ok, $draft);
                        Their::FetchOk(theirs::FetchOk {
                            end_of_track: u8::from(ok.end_of_track),
                            end_group: integer(end.group.0),
                            end_object: integer(end.object.0),
                            parameters: parameters(&ok.parameters, $draft),
                            track_properties: properties(&ok.track_properties),
                        })
                    }
                    Message::GoAway(goaway) => Their::GoAway(convert_goaway(goaway)),
                    Message::Fetch(fetch) => Their::Fetch(convert_fetch(fetch)),
                    Message::PublishStateNotify(_) | Message::PublishSkipped(_) => {
                        convert_own(message)
                    }
                }
            }

            own_messages!($module);
        }
    };
}

/// The messages whose shape or name differs between the drafts.
macro_rules! own_messages {
    (messages_18) => {
        fn convert_own(message: &Message) -> theirs::ControlMessage {
            let Message::PublishSkipped(skipped) = message else {
                panic!("draft 18 has no such message: {message:?}")
            };
            theirs::ControlMessage::PublishBlocked(theirs::PublishBlocked {
                namespace_suffix: namespace(&skipped.suffix),
                track_name: skipped.name.0.to_vec(),
            })
        }

        fn convert_goaway(goaway: &GoAway) -> theirs::GoAway {
            theirs::GoAway {
                new_session_uri: goaway.new_session_uri.clone().into_bytes(),
                timeout: integer(goaway.timeout_ms),
                request_id: goaway.request_id.map(|id| integer(id.0)),
            }
        }

        fn convert_fetch(fetch: &Fetch) -> theirs::Fetch {
            let (fetch_type, fetch_payload) = match &fetch.range {
                FetchRange::Standalone { track, start, end } => (
                    theirs::FetchType::Standalone,
                    theirs::FetchPayload::Standalone {
                        track_namespace: namespace(track.namespace()),
                        track_name: track.name().0.to_vec(),
                        start_group: integer(start.group.0),
                        start_object: integer(start.object.0),
                        end_group: integer(end.0.0),
                        end_object: integer(end.1.map_or(0, |object| object.0 + 1)),
                    },
                ),
                FetchRange::RelativeJoining { request_id, groups } => (
                    theirs::FetchType::RelativeJoining,
                    theirs::FetchPayload::Joining {
                        joining_request_id: integer(request_id.0),
                        joining_start: integer(*groups),
                    },
                ),
                FetchRange::AbsoluteJoining { request_id, group } => (
                    theirs::FetchType::AbsoluteJoining,
                    theirs::FetchPayload::Joining {
                        joining_request_id: integer(request_id.0),
                        joining_start: integer(group.0),
                    },
                ),
                FetchRange::Filtered { .. } => panic!("draft 18 has no such fetch"),
            };
            theirs::Fetch {
                request_id: integer(fetch.request_id.0),
                fetch_type,
                fetch_payload,
                parameters: parameters(&fetch.parameters, Draft::D18),
            }
        }
    };
    (messages_22) => {
        fn convert_own(message: &Message) -> theirs::ControlMessage {
            match message {
                Message::PublishStateNotify(notify) => {
                    theirs::ControlMessage::PublishStateNotify(theirs::PublishStateNotify {
                        parameters: parameters(&notify.parameters, Draft::D22),
                    })
                }
                Message::PublishSkipped(skipped) => {
                    theirs::ControlMessage::PublishSkipped(theirs::PublishSkipped {
                        namespace_suffix: namespace(&skipped.suffix),
                        track_name: skipped.name.0.to_vec(),
                    })
                }
                _ => panic!("converted elsewhere: {message:?}"),
            }
        }

        fn convert_goaway(goaway: &GoAway) -> theirs::GoAway {
            theirs::GoAway {
                new_session_uri: goaway.new_session_uri.clone().into_bytes(),
                timeout: integer(goaway.timeout_ms),
            }
        }

        fn convert_fetch(fetch: &Fetch) -> theirs::Fetch {
            let (track, range) = match &fetch.range {
                FetchRange::Standalone { track, start, end } => {
                    let range = match end.1 {
                        Some(object) => LocationFilter::AbsoluteRange {
                            start: *start,
                            end: Location {
                                group: end.0,
                                object,
                            },
                        },
                        None => LocationFilter::AbsoluteGroups {
                            start: *start,
                            end: end.0,
                        },
                    };
                    (track, Some(range))
                }
                FetchRange::Filtered { track } => (track, fetch.parameters.filter),
                other => panic!("draft 22 has no such fetch: {other:?}"),
            };
            let with_range = Parameters {
                filter: range,
                ..fetch.parameters.clone()
            };
            theirs::Fetch {
                request_id: integer(fetch.request_id.0),
                track_namespace: namespace(track.namespace()),
                track_name: track.name().0.to_vec(),
                parameters: parameters(&with_range, Draft::D22),
            }
        }
    };
}

common_messages!(messages_18, Draft::D18, draft18);
common_messages!(messages_22, Draft::D22, draft22);

fn fetch_ok_end(ok: &FetchOk, draft: Draft) -> Location {
    match draft {
        Draft::D18 => Location::new(ok.end.group.0, ok.end.object.0.wrapping_add(1)),
        Draft::D22 => ok.end,
    }
}
