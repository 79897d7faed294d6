use std::fmt;

use parvis_wire::{NameError, TrackNamespace};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use thiserror::Error;

/// What a grant lets its holder do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// PUBLISH and `PUBLISH_NAMESPACE`.
    Publish,
    /// SUBSCRIBE, `SUBSCRIBE_TRACKS`, FETCH and `TRACK_STATUS`.
    Subscribe,
    /// `SUBSCRIBE_NAMESPACE`.
    Discover,
}

/// Where a grant holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// In this namespace and in no longer one.
    Exact(TrackNamespace),
    /// In this namespace and in every longer one.
    Prefix(TrackNamespace),
}

/// Actions that are allowed in a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    actions: Vec<Action>,
    scope: Scope,
}

/// Why a grant is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum GrantError {
    /// It allows nothing.
    #[error("a grant needs an action")]
    NoAction,
    /// Its namespace has no fields, which is every namespace.
    #[error("a grant needs a namespace or a prefix with at least one field")]
    Unbounded,
    /// It would let its holder publish as somebody else.
    #[error("publishing is granted in an exact namespace, not under a prefix")]
    PublishUnderPrefix,
    /// Its namespace is not one.
    #[error(transparent)]
    Name(#[from] NameError),
}

impl Grant {
    /// Allows the actions in that namespace only.
    pub fn exact(
        actions: impl IntoIterator<Item = Action>,
        namespace: TrackNamespace,
    ) -> Result<Self, GrantError> {
        Self::new(actions, Scope::Exact(namespace))
    }

    /// Allows publishing, and other actions, in that namespace and in every longer one. A verifier
    /// accepts that only where its rules name the namespace:
    /// [`Rules::publish_under`](crate::Rules::publish_under).
    pub fn publish_under(
        actions: impl IntoIterator<Item = Action>,
        prefix: TrackNamespace,
    ) -> Result<Self, GrantError> {
        let actions = actions.into_iter().chain([Action::Publish]);
        Self::bounded(actions, Scope::Prefix(prefix))
    }

    /// Allows the actions in that namespace and in every longer one; never publishing.
    pub fn prefix(
        actions: impl IntoIterator<Item = Action>,
        prefix: TrackNamespace,
    ) -> Result<Self, GrantError> {
        Self::new(actions, Scope::Prefix(prefix))
    }

    fn new(actions: impl IntoIterator<Item = Action>, scope: Scope) -> Result<Self, GrantError> {
        let grant = Self::bounded(actions, scope)?;
        if grant.publishes_under().is_some() {
            return Err(GrantError::PublishUnderPrefix);
        }
        Ok(grant)
    }

    fn bounded(
        actions: impl IntoIterator<Item = Action>,
        scope: Scope,
    ) -> Result<Self, GrantError> {
        let mut actions: Vec<Action> = actions.into_iter().collect();
        actions.sort_unstable();
        actions.dedup();
        if actions.is_empty() {
            return Err(GrantError::NoAction);
        }
        let (Scope::Exact(namespace) | Scope::Prefix(namespace)) = &scope;
        if namespace.fields().is_empty() {
            return Err(GrantError::Unbounded);
        }
        Ok(Self { actions, scope })
    }

    /// What it allows.
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// Where.
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The prefix that it allows to publish under, if it does.
    pub fn publishes_under(&self) -> Option<&TrackNamespace> {
        match &self.scope {
            Scope::Prefix(prefix) if self.actions.contains(&Action::Publish) => Some(prefix),
            Scope::Prefix(_) | Scope::Exact(_) => None,
        }
    }

    /// Whether it allows the action in this namespace.
    pub fn allows(&self, action: Action, namespace: &TrackNamespace) -> bool {
        self.actions.contains(&action)
            && match &self.scope {
                Scope::Exact(exact) => exact == namespace,
                Scope::Prefix(prefix) => namespace.starts_with(prefix),
            }
    }

    /// Whether it allows the action in this namespace and in every longer one.
    pub fn allows_under(&self, action: Action, prefix: &TrackNamespace) -> bool {
        self.actions.contains(&action)
            && match &self.scope {
                Scope::Exact(_) => false,
                Scope::Prefix(granted) => prefix.starts_with(granted),
            }
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (namespace, end) = match &self.scope {
            Scope::Exact(namespace) => (namespace, ""),
            Scope::Prefix(prefix) => (prefix, "/**"),
        };
        write!(f, "{:?} in {namespace}{end}", self.actions)
    }
}

/// A grant as JSON has it: `{"actions": ["publish"], "namespace": ["a", "b"]}`, or `prefix`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    actions: Vec<Action>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    namespace: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prefix: Option<Vec<String>>,
}

impl Serialize for Grant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = |namespace: &TrackNamespace| {
            let field =
                |field: &[u8]| String::from_utf8(field.to_vec()).map_err(ser::Error::custom);
            let fields = namespace.fields().iter();
            fields
                .map(|bytes| field(bytes))
                .collect::<Result<Vec<_>, S::Error>>()
                .map(Some)
        };
        let (namespace, prefix) = match &self.scope {
            Scope::Exact(namespace) => (text(namespace)?, None),
            Scope::Prefix(prefix) => (None, text(prefix)?),
        };
        Raw {
            actions: self.actions.clone(),
            namespace,
            prefix,
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Grant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Raw::deserialize(deserializer)?;
        let namespace = |fields: Vec<String>| {
            TrackNamespace::new(fields).map_err(|error| de::Error::custom(GrantError::from(error)))
        };
        let scope = match (raw.namespace, raw.prefix) {
            (Some(exact), None) => Scope::Exact(namespace(exact)?),
            (None, Some(prefix)) => Scope::Prefix(namespace(prefix)?),
            (Some(_), Some(_)) | (None, None) => {
                return Err(de::Error::custom("a grant has a namespace or a prefix"));
            }
        };
        // Whether publishing under a prefix is granted is for the verifier's rules.
        Self::bounded(raw.actions, scope).map_err(de::Error::custom)
    }
}
