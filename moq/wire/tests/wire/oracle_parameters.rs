//! Parameters, properties and setup options as moqtap-codec has them, written without our codec.

use moqtap_codec::auth_token::{AuthorizationToken, TokenAliasType};
use moqtap_codec::kvp::{KeyValuePair, KvpValue};
use moqtap_codec::subscription_filter::{FilterEnd, SubscriptionFilter};
use moqtap_codec::types::{FilterType, Location as TheirLocation};
use moqtap_codec::varint::Moqt18;
use moqtap_codec::{draft18, draft22};
use parvis_wire::{
    AuthToken, Draft, GroupOrder, Location, LocationFilter, MessageType, Parameters, Properties,
    PropertyValue, Setup,
};

use crate::frame;
use crate::oracle::{integer, namespace};

#[test]
fn every_message_allows_the_parameters_that_the_oracle_allows() {
    for draft in Draft::ALL {
        for kind in MessageType::ALL
            .into_iter()
            .filter(|kind| kind.is_in(draft))
        {
            let Some(before) = fields_before_parameters(kind, draft) else {
                continue;
            };
            for parameter in 0..0x40_u8 {
                let mut body = before.clone();
                body.extend([1, parameter]);
                body.extend(value_of(u64::from(parameter), draft));
                let bytes = frame(kind.code(), &body);
                let ours = parvis_wire::Message::decode(draft, &bytes).is_ok();
                let mut input = &bytes[..];
                let theirs = match draft {
                    Draft::D18 => draft18::message::ControlMessage::decode(&mut input).is_ok(),
                    Draft::D22 => draft22::message::ControlMessage::decode(&mut input).is_ok(),
                };
                let name = kind.name();
                assert_eq!(
                    ours, theirs,
                    "parameter {parameter:#x} in {name} of {draft:?}"
                );
                assert_eq!(ours, kind.allows(u64::from(parameter), draft));
            }
        }
    }
}

/// The fields of a smallest message up to its parameters, if it has any.
fn fields_before_parameters(kind: MessageType, draft: Draft) -> Option<Vec<u8>> {
    Some(match kind {
        MessageType::RequestOk | MessageType::PublishStateNotify => vec![],
        MessageType::RequestUpdate | MessageType::SubscribeOk => vec![1],
        MessageType::PublishNamespace
        | MessageType::SubscribeNamespace
        | MessageType::SubscribeTracks => vec![1, 0],
        MessageType::Subscribe | MessageType::TrackStatus => vec![1, 0, 0],
        MessageType::Publish => vec![1, 0, 0, 1],
        MessageType::FetchOk => vec![1, 2, 2],
        MessageType::Fetch => match draft {
            Draft::D18 => vec![1, 2, 0, 0],
            Draft::D22 => vec![1, 0, 0],
        },
        MessageType::Setup
        | MessageType::GoAway
        | MessageType::RequestError
        | MessageType::PublishDone
        | MessageType::Namespace
        | MessageType::NamespaceDone
        | MessageType::PublishSkipped => return None,
    })
}

fn value_of(parameter: u64, draft: Draft) -> Vec<u8> {
    match (parameter, draft) {
        (0x03, _) => vec![2, 2, 7],
        (0x09, _) | (0x21, Draft::D18) => vec![1, 1],
        (0x23, _) => vec![1, 0],
        (0x25..=0x29 | 0x34, _) => vec![0],
        (0x21, Draft::D22) => vec![5],
        _ => vec![1],
    }
}

pub fn parameters(parameters: &Parameters, draft: Draft) -> Vec<KeyValuePair> {
    let mut pairs = Vec::new();
    let mut number = |kind: u64, value: Option<u64>| {
        pairs.extend(value.map(|value| (kind, KvpValue::Varint(integer(value)))));
    };
    number(0x02, parameters.object_delivery_timeout);
    number(0x04, parameters.rendezvous_timeout);
    number(0x06, parameters.subgroup_delivery_timeout);
    number(0x08, parameters.expires);
    number(0x0A, parameters.fill_timeout);
    number(0x10, parameters.forward.map(u64::from));
    number(
        0x20,
        parameters
            .subscriber_priority
            .map(|priority| u64::from(priority.0)),
    );
    number(
        0x22,
        parameters.group_order.map(|order| match order {
            GroupOrder::Ascending => 1,
            GroupOrder::Descending => 2,
        }),
    );
    number(0x32, parameters.new_group_request);
    number(0x35, parameters.include_properties.map(u64::from));
    let mut bytes = |kind: u64, value: Vec<u8>| pairs.push((kind, KvpValue::Bytes(value)));
    for auth in &parameters.auth_tokens {
        bytes(0x03, token(auth));
    }
    if let Some(largest) = parameters.largest {
        bytes(0x09, integers(&[largest.group.0, largest.object.0]));
    }
    if let Some(filter) = &parameters.filter {
        bytes(
            0x21,
            match draft {
                Draft::D18 => filter_18(filter),
                Draft::D22 => filter_22(filter),
            },
        );
    }
    if let Some(fill) = &parameters.fill {
        bytes(0x23, block(fill));
    }
    for (kind, filter) in &parameters.range_filters {
        bytes(*kind, filter.to_vec());
    }
    if let Some(prefix) = &parameters.namespace_prefix {
        let mut encoded = Vec::new();
        namespace(prefix).encode_moqt::<Moqt18>(&mut encoded);
        bytes(0x34, encoded);
    }
    pairs.sort_by_key(|(kind, _)| *kind);
    pairs
        .into_iter()
        .map(|(kind, value)| KeyValuePair {
            key: integer(kind),
            value,
        })
        .collect()
}

/// A block of parameters as bytes; the parameters that FILL_PARAMETERS may hold.
fn block(fill: &Parameters) -> Vec<u8> {
    let pairs = parameters(fill, Draft::D22);
    let mut out = integers(&[pairs.len() as u64]);
    let mut previous = 0;
    for pair in pairs {
        let kind = pair.key.into_inner();
        out.extend(integers(&[kind - previous]));
        previous = kind;
        match (kind, pair.value) {
            (0x20 | 0x22, KvpValue::Varint(value)) => out.push(value.into_inner() as u8),
            (_, KvpValue::Varint(value)) => out.extend(integers(&[value.into_inner()])),
            (0x21, KvpValue::Bytes(value)) => out.extend(value),
            (_, KvpValue::Bytes(value)) => {
                out.extend(integers(&[value.len() as u64]));
                out.extend(value);
            }
        }
    }
    out
}

fn token(token: &AuthToken) -> Vec<u8> {
    let (alias_type, alias, token_type, value) = match token {
        AuthToken::Delete { alias } => (TokenAliasType::Delete, Some(*alias), None, vec![]),
        AuthToken::Register { alias, kind, value } => (
            TokenAliasType::Register,
            Some(*alias),
            Some(*kind),
            value.to_vec(),
        ),
        AuthToken::UseAlias { alias } => (TokenAliasType::UseAlias, Some(*alias), None, vec![]),
        AuthToken::UseValue { kind, value } => {
            (TokenAliasType::UseValue, None, Some(*kind), value.to_vec())
        }
    };
    let mut out = Vec::new();
    AuthorizationToken {
        alias_type,
        alias,
        token_type,
        value,
    }
    .encode_moqt::<Moqt18>(&mut out);
    out
}

fn filter_18(filter: &LocationFilter) -> Vec<u8> {
    let location = |location: Location| {
        let (group, object) = (integer(location.group.0), integer(location.object.0));
        TheirLocation { group, object }
    };
    let (filter_type, start_location, end_group) = match *filter {
        LocationFilter::NextGroup => (FilterType::NextGroupStart, None, None),
        LocationFilter::NextObject => (FilterType::LargestObject, None, None),
        LocationFilter::AbsoluteStart(start) => {
            (FilterType::AbsoluteStart, Some(location(start)), None)
        }
        LocationFilter::AbsoluteGroups { start, end } => {
            let end = FilterEnd::GroupDelta(end.0 - start.group.0);
            (FilterType::AbsoluteRange, Some(location(start)), Some(end))
        }
        other => panic!("draft 18 has no such filter: {other:?}"),
    };
    let mut out = Vec::new();
    SubscriptionFilter {
        filter_type,
        start_location,
        end_group,
    }
    .encode_moqt::<Moqt18>(&mut out)
    .expect("a complete filter");
    out
}

fn filter_22(filter: &LocationFilter) -> Vec<u8> {
    use draft22::message::location_filter_types as types;
    match *filter {
        LocationFilter::Unfiltered => integers(&[types::NONE]),
        LocationFilter::NextGroup => integers(&[types::RELATIVE_START, 0]),
        LocationFilter::RelativeStart(groups) => integers(&[types::RELATIVE_START, groups]),
        LocationFilter::AbsoluteStart(start) => {
            integers(&[types::ABSOLUTE_START, start.group.0, start.object.0])
        }
        LocationFilter::AbsoluteGroups { start, end } => integers(&[
            types::ABSOLUTE_START_GROUP_END,
            start.group.0,
            start.object.0,
            end.0 - start.group.0,
        ]),
        LocationFilter::AbsoluteRange { start, end } => integers(&[
            types::ABSOLUTE_RANGE,
            start.group.0,
            start.object.0,
            end.group.0 - start.group.0,
            end.object.0,
        ]),
        LocationFilter::NextObject => integers(&[types::NEXT_OBJECT]),
    }
}

pub fn properties(properties: &Properties) -> Vec<KeyValuePair> {
    let decoded = properties.decode().expect("valid properties");
    let pair = |property: parvis_wire::Property| KeyValuePair {
        key: integer(property.kind),
        value: value(property.value),
    };
    decoded.into_iter().map(pair).collect()
}

pub fn setup_options(setup: &Setup) -> Vec<KeyValuePair> {
    let mut pairs = Vec::new();
    let mut text = |kind: u64, value: &Option<String>| {
        pairs.extend(
            value
                .clone()
                .map(|value| (kind, KvpValue::Bytes(value.into_bytes()))),
        );
    };
    text(0x01, &setup.path);
    text(0x05, &setup.authority);
    text(0x07, &setup.implementation);
    let mut number = |kind: u64, value: Option<u64>| {
        pairs.extend(value.map(|value| (kind, KvpValue::Varint(integer(value)))));
    };
    number(0x04, setup.max_auth_token_cache_size);
    number(0x06, setup.max_filter_ranges);
    number(0x08, setup.max_request_updates);
    pairs.extend(
        setup
            .auth_tokens
            .iter()
            .map(|auth| (0x03, KvpValue::Bytes(token(auth)))),
    );
    pairs.extend(
        setup
            .unknown
            .iter()
            .map(|option| (option.kind, value(option.value.clone()))),
    );
    pairs.sort_by_key(|(kind, _)| *kind);
    pairs
        .into_iter()
        .map(|(kind, value)| KeyValuePair {
            key: integer(kind),
            value,
        })
        .collect()
}

fn value(value: PropertyValue) -> KvpValue {
    match value {
        PropertyValue::Integer(value) => KvpValue::Varint(integer(value)),
        PropertyValue::Bytes(bytes) => KvpValue::Bytes(bytes.to_vec()),
    }
}

fn integers(values: &[u64]) -> Vec<u8> {
    let mut out = Vec::new();
    for value in values {
        integer(*value).encode_moqt::<Moqt18>(&mut out);
    }
    out
}
