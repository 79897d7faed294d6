//! Random messages that have an encoding.

use parvis_wire::{
    Draft, Fetch, FetchOk, FetchRange, GoAway, GroupId, LocationFilter, Message, MessageType,
    Namespace, NamespaceDone, ObjectId, Parameters, Property, Publish, PublishDone,
    PublishDoneCode, PublishNamespace, PublishSkipped, PublishStateNotify, Redirect, RequestError,
    RequestErrorCode, RequestId, RequestOk, RequestUpdate, Setup, Subscribe, SubscribeNamespace,
    SubscribeOk, SubscribeTracks, TrackAlias, TrackStatus,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::strategies::{
    bytes, int, location, namespace, parameters, properties, text, token, track,
};

fn setup(draft: Draft) -> BoxedStrategy<Setup> {
    let unknown = (0_u64..u64::MAX - 200, int(), bytes(20)).prop_map(|(kind, integer, bytes)| {
        let kind = 100 + kind;
        match kind % 2 {
            0 => Property::integer(kind, integer),
            _ => Property::bytes(kind, bytes),
        }
    });
    let fields = (
        (
            option::of(text(20)),
            option::of(text(20)),
            option::of(text(20)),
        ),
        (option::of(int()), option::of(int()), option::of(int())),
        vec(token(), 0..3),
        vec(unknown, 0..3),
    );
    fields
        .prop_map(move |(texts, integers, auth_tokens, mut unknown)| {
            unknown.sort_by_key(|option| option.kind);
            unknown.dedup_by_key(|option| option.kind);
            let in_22 = draft == Draft::D22;
            Setup {
                path: texts.0,
                authority: texts.1,
                implementation: texts.2,
                max_auth_token_cache_size: integers.0,
                max_filter_ranges: integers.1.filter(|_| in_22),
                max_request_updates: integers.2.filter(|_| in_22),
                auth_tokens,
                relay_hops: None,
                unknown,
            }
        })
        .boxed()
}

fn fetch(draft: Draft) -> BoxedStrategy<Fetch> {
    let standalone =
        (track(), location(), int(), option::of(int())).prop_map(|(track, start, more, object)| {
            let group = start.group.0.saturating_add(more);
            let first = if group == start.group.0 {
                start.object.0
            } else {
                0
            };
            // The largest object id has no encoding as an end in draft 18.
            let object = object.map(|object| object.max(first).min(u64::MAX - 1));
            let object = object.filter(|object| *object >= first).map(ObjectId);
            FetchRange::Standalone {
                track,
                start,
                end: (GroupId(group), object),
            }
        });
    let range = match draft {
        Draft::D18 => prop_oneof![
            standalone,
            (int(), int()).prop_map(|(id, groups)| FetchRange::RelativeJoining {
                request_id: RequestId(id),
                groups
            }),
            (int(), int()).prop_map(|(id, group)| FetchRange::AbsoluteJoining {
                request_id: RequestId(id),
                group: GroupId(group)
            }),
        ]
        .boxed(),
        Draft::D22 => prop_oneof![
            standalone,
            track().prop_map(|track| FetchRange::Filtered { track })
        ]
        .boxed(),
    };
    (int(), range, parameters(MessageType::Fetch, draft))
        .prop_map(|(id, range, mut parameters)| {
            let is_absolute = matches!(
                parameters.filter,
                Some(LocationFilter::AbsoluteRange { .. } | LocationFilter::AbsoluteGroups { .. })
            );
            if is_absolute || !matches!(range, FetchRange::Filtered { .. }) {
                parameters.filter = None;
            }
            Fetch {
                request_id: RequestId(id),
                range,
                parameters,
            }
        })
        .boxed()
}

fn request_error() -> BoxedStrategy<RequestError> {
    let redirect = (text(30), track()).prop_map(|(connect_uri, track)| Redirect {
        connect_uri,
        namespace: track.namespace().clone(),
        name: track.name().clone(),
    });
    let code = prop_oneof![int(), 0_u64..0x40, Just(0x34)];
    (code, int(), text(200), redirect)
        .prop_map(|(code, retry_interval, reason, redirect)| {
            let code = RequestErrorCode::from_u64(code);
            let redirect = Some(redirect).filter(|_| code == RequestErrorCode::Redirect);
            RequestError {
                code,
                retry_interval,
                reason,
                redirect,
            }
        })
        .boxed()
}

pub fn message(draft: Draft) -> BoxedStrategy<Message> {
    let kinds: Vec<_> = MessageType::ALL
        .into_iter()
        .filter(|kind| kind.is_in(draft))
        .collect();
    proptest::sample::select(kinds)
        .prop_flat_map(move |kind| message_of(kind, draft))
        .boxed()
}

pub fn message_of(kind: MessageType, draft: Draft) -> BoxedStrategy<Message> {
    let id = || int().prop_map(RequestId);
    let parameters = || parameters(kind, draft);
    match kind {
        MessageType::Setup => setup(draft).prop_map(Message::Setup).boxed(),
        MessageType::GoAway => (text(40), int(), option::of(id()))
            .prop_map(move |(new_session_uri, timeout_ms, request_id)| {
                let request_id = request_id.filter(|_| draft == Draft::D18);
                Message::GoAway(GoAway {
                    new_session_uri,
                    timeout_ms,
                    request_id,
                })
            })
            .boxed(),
        MessageType::RequestOk => (parameters(), properties())
            .prop_map(|(parameters, track_properties)| {
                Message::RequestOk(RequestOk {
                    parameters,
                    track_properties,
                })
            })
            .boxed(),
        MessageType::RequestError => request_error().prop_map(Message::RequestError).boxed(),
        MessageType::Subscribe => (id(), track(), parameters())
            .prop_map(|(request_id, track, parameters)| {
                Message::Subscribe(Subscribe {
                    request_id,
                    track,
                    parameters,
                })
            })
            .boxed(),
        MessageType::SubscribeOk => (int(), parameters(), properties())
            .prop_map(|(alias, parameters, track_properties)| {
                let track_alias = TrackAlias(alias);
                Message::SubscribeOk(SubscribeOk {
                    track_alias,
                    parameters,
                    track_properties,
                })
            })
            .boxed(),
        MessageType::RequestUpdate => (id(), parameters())
            .prop_map(|(request_id, parameters)| {
                Message::RequestUpdate(RequestUpdate {
                    request_id,
                    parameters,
                })
            })
            .boxed(),
        MessageType::Publish => (id(), track(), int(), parameters(), properties())
            .prop_map(|(request_id, track, alias, parameters, track_properties)| {
                let track_alias = TrackAlias(alias);
                Message::Publish(Publish {
                    request_id,
                    track,
                    track_alias,
                    parameters,
                    track_properties,
                })
            })
            .boxed(),
        MessageType::PublishStateNotify => parameters()
            .prop_map(|parameters| Message::PublishStateNotify(PublishStateNotify { parameters }))
            .boxed(),
        MessageType::PublishDone => (int(), int(), text(200))
            .prop_map(|(code, stream_count, reason)| {
                let code = PublishDoneCode::from_u64(code);
                Message::PublishDone(PublishDone {
                    code,
                    stream_count,
                    reason,
                })
            })
            .boxed(),
        MessageType::PublishNamespace => (id(), namespace(), parameters())
            .prop_map(|(request_id, namespace, parameters)| {
                Message::PublishNamespace(PublishNamespace {
                    request_id,
                    namespace,
                    parameters,
                })
            })
            .boxed(),
        MessageType::Namespace => namespace()
            .prop_map(|suffix| {
                Message::Namespace(Namespace {
                    suffix,
                    parameters: Parameters::default(),
                })
            })
            .boxed(),
        MessageType::NamespaceDone => namespace()
            .prop_map(|suffix| Message::NamespaceDone(NamespaceDone { suffix }))
            .boxed(),
        MessageType::SubscribeNamespace => (id(), namespace(), parameters())
            .prop_map(|(request_id, prefix, parameters)| {
                Message::SubscribeNamespace(SubscribeNamespace {
                    request_id,
                    prefix,
                    parameters,
                })
            })
            .boxed(),
        MessageType::SubscribeTracks => (id(), namespace(), parameters())
            .prop_map(|(request_id, prefix, parameters)| {
                Message::SubscribeTracks(SubscribeTracks {
                    request_id,
                    prefix,
                    parameters,
                })
            })
            .boxed(),
        MessageType::TrackStatus => (id(), track(), parameters())
            .prop_map(|(request_id, track, parameters)| {
                Message::TrackStatus(TrackStatus {
                    request_id,
                    track,
                    parameters,
                })
            })
            .boxed(),
        MessageType::Fetch => fetch(draft).prop_map(Message::Fetch).boxed(),
        MessageType::FetchOk => (any::<bool>(), location(), properties())
            .prop_map(|(end_of_track, end, track_properties)| {
                let parameters = Parameters::default();
                Message::FetchOk(FetchOk {
                    end_of_track,
                    end,
                    parameters,
                    track_properties,
                })
            })
            .boxed(),
        MessageType::PublishSkipped => track()
            .prop_map(|track| {
                let (suffix, name) = (track.namespace().clone(), track.name().clone());
                Message::PublishSkipped(PublishSkipped { suffix, name })
            })
            .boxed(),
    }
}
