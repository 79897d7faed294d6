//! Short forms of what sessions say.

use parvis_forwarding::{RequestRef, Signal};
use parvis_wire::{
    FullTrackName, Location, Parameters, Properties, RequestError, RequestErrorCode, TrackNamespace,
};

pub fn namespace(path: &str) -> TrackNamespace {
    let fields = path.split('/').filter(|f| !f.is_empty()).map(str::to_owned);
    TrackNamespace::new(fields).expect("a short namespace")
}

/// A track from "namespace/parts/name".
pub fn track(path: &str) -> FullTrackName {
    let (path, name) = path.rsplit_once('/').expect("namespace and name");
    FullTrackName::new(namespace(path), name.to_owned().into()).expect("a short name")
}

pub fn theirs(number: u64) -> RequestRef {
    RequestRef::Theirs(number)
}

pub fn subscribe(path: &str) -> Signal {
    subscribe_with(path, Parameters::default())
}

pub fn subscribe_with(path: &str, parameters: Parameters) -> Signal {
    Signal::Subscribe {
        track: track(path),
        parameters,
    }
}

pub fn publish(path: &str) -> Signal {
    let (parameters, properties) = (Parameters::default(), Properties::EMPTY);
    Signal::Publish {
        track: track(path),
        parameters,
        properties,
    }
}

pub fn subscribe_ok(largest: Option<Location>) -> Signal {
    let parameters = Parameters {
        largest,
        ..Parameters::default()
    };
    Signal::SubscribeOk {
        parameters,
        properties: Properties::EMPTY,
    }
}

pub fn rejected(code: RequestErrorCode) -> Signal {
    Signal::Reject(RequestError {
        code,
        retry_interval: 0,
        reason: "no".to_owned(),
        redirect: None,
    })
}

pub fn at(group: u64, object: u64) -> Location {
    Location::new(group, object)
}
