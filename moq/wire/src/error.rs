use thiserror::Error;

use crate::{Draft, NameError};

/// Why bytes from the peer do not parse. The session closes with [`DecodeError::code`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The input ends inside a field. On a stream that goes on: wait for more.
    #[error("the input ends inside {0}")]
    Truncated(&'static str),
    /// A field has a value that the draft does not allow there.
    #[error("{field}: {detail}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What was expected.
        detail: &'static str,
    },
    /// A message type that the draft does not define.
    #[error("unknown message type {0:#x}")]
    UnknownMessage(u64),
    /// A message parameter that the draft does not define, or not in this message.
    #[error("parameter {parameter:#x} is not allowed in {message}")]
    UnexpectedParameter {
        /// Its type.
        parameter: u64,
        /// The message.
        message: &'static str,
    },
    /// A parameter or option that must not repeat did.
    #[error("parameter {0:#x} is repeated")]
    DuplicateParameter(u64),
    /// The message's length and its body disagree.
    #[error("{0} does not fill its length")]
    LengthMismatch(&'static str),
    /// A value exceeds a limit of the draft or of this crate.
    #[error("{what} has {got}, the limit is {limit}")]
    TooLong {
        /// What.
        what: &'static str,
        /// Its length.
        got: u64,
        /// The most it may have.
        limit: u64,
    },
    /// A key-value pair is malformed.
    #[error("malformed key-value pair of type {0:#x}")]
    KeyValueFormatting(u64),
    /// The PATH option is not UTF-8.
    #[error("the PATH option is not UTF-8")]
    MalformedPath,
    /// The AUTHORITY option is not UTF-8.
    #[error("the AUTHORITY option is not UTF-8")]
    MalformedAuthority,
    /// A name exceeds its limits.
    #[error("{0}")]
    Name(#[from] NameError),
}

impl DecodeError {
    /// The code to close the session with.
    pub const fn code(&self) -> SessionErrorCode {
        match self {
            Self::KeyValueFormatting(_) => SessionErrorCode::KeyValueFormattingError,
            Self::MalformedPath => SessionErrorCode::MalformedPath,
            Self::MalformedAuthority => SessionErrorCode::MalformedAuthority,
            _ => SessionErrorCode::ProtocolViolation,
        }
    }
}

/// Why a value has no encoding. Always the caller's mistake; nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EncodeError {
    /// The draft of the session has no such thing.
    #[error("draft {} has no {what}", draft.number())]
    NotInDraft {
        /// What.
        what: &'static str,
        /// The draft.
        draft: Draft,
    },
    /// A parameter that this message may not carry in this draft.
    #[error("parameter {parameter:#x} is not allowed in {message}")]
    UnexpectedParameter {
        /// Its type.
        parameter: u64,
        /// The message.
        message: &'static str,
    },
    /// A value exceeds a limit of the draft or of this crate.
    #[error("{what} has {got}, the limit is {limit}")]
    TooLong {
        /// What.
        what: &'static str,
        /// Its length.
        got: u64,
        /// The most it may have.
        limit: u64,
    },
    /// Fields that contradict each other.
    #[error("{field}: {detail}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What was expected.
        detail: &'static str,
    },
}

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $value:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)*
            /// A code without a name here.
            Other(u64),
        }

        impl $name {
            /// Every code that has a name.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The number on the wire.
            pub const fn to_u64(self) -> u64 {
                match self {
                    $(Self::$variant => $value,)*
                    Self::Other(code) => code,
                }
            }

            /// The code for a number on the wire.
            pub const fn from_u64(code: u64) -> Self {
                match code {
                    $($value => Self::$variant,)*
                    code => Self::Other(code),
                }
            }
        }
    };
}

codes! {
    /// Why a session ends. draft-ietf-moq-transport-22, "Session Termination Error Codes".
    SessionErrorCode {
        /// No error.
        NoError = 0x0,
        /// An error of this endpoint's own.
        InternalError = 0x1,
        /// The client may not open this session.
        Unauthorized = 0x2,
        /// The peer broke the protocol.
        ProtocolViolation = 0x3,
        /// A request id was wrong or repeated.
        InvalidRequestId = 0x4,
        /// A track alias names two tracks.
        DuplicateTrackAlias = 0x5,
        /// A key-value pair is malformed.
        KeyValueFormattingError = 0x6,
        /// The PATH option is not acceptable.
        InvalidPath = 0x8,
        /// The PATH option is malformed.
        MalformedPath = 0x9,
        /// The peer stayed after a GOAWAY.
        GoawayTimeout = 0x10,
        /// The peer took too long to answer a control message.
        ControlMessageTimeout = 0x11,
        /// The peer took too long to send data it started.
        DataStreamTimeout = 0x12,
        /// Too many token aliases.
        AuthTokenCacheOverflow = 0x13,
        /// A token alias was registered twice.
        DuplicateAuthTokenAlias = 0x14,
        /// No common version.
        VersionNegotiationFailed = 0x15,
        /// A token does not parse.
        MalformedAuthToken = 0x16,
        /// A token alias is not registered.
        UnknownAuthTokenAlias = 0x17,
        /// A token has expired.
        ExpiredAuthToken = 0x18,
        /// The AUTHORITY option is not acceptable.
        InvalidAuthority = 0x19,
        /// The AUTHORITY option is malformed.
        MalformedAuthority = 0x1A,
        /// More request updates outstanding than allowed.
        TooManyRequestUpdates = 0x1B,
    }
}

codes! {
    /// Why a request is rejected. draft-ietf-moq-transport-22, "REQUEST_ERROR Codes".
    RequestErrorCode {
        /// An error of the endpoint's own.
        InternalError = 0x0,
        /// The token does not grant this.
        Unauthorized = 0x1,
        /// It took too long.
        Timeout = 0x2,
        /// The endpoint does not do this.
        NotSupported = 0x3,
        /// A token does not parse.
        MalformedAuthToken = 0x4,
        /// A token has expired.
        ExpiredAuthToken = 0x5,
        /// The session is going away.
        GoingAway = 0x6,
        /// Too much to do; try later.
        ExcessiveLoad = 0x9,
        /// No such track or namespace.
        DoesNotExist = 0x10,
        /// The range holds nothing.
        InvalidRange = 0x11,
        /// The track is malformed.
        MalformedTrack = 0x12,
        /// The subscription exists already.
        DuplicateSubscription = 0x19,
        /// Nobody wants the track.
        Uninterested = 0x20,
        /// The prefix overlaps another one.
        PrefixOverlap = 0x30,
        /// The namespace is too large.
        NamespaceTooLarge = 0x31,
        /// Draft 18: the joining fetch names no subscription.
        InvalidJoiningRequestId = 0x32,
        /// A mandatory property is not understood.
        UnsupportedExtension = 0x33,
        /// Ask elsewhere.
        Redirect = 0x34,
        /// Draft 22: the filters contradict each other.
        ConflictingFilters = 0x35,
        /// Draft 22: the filter is not acceptable.
        InvalidFilter = 0x36,
    }
}

codes! {
    /// Why a publisher ends a subscription. draft-ietf-moq-transport-22, "PUBLISH_DONE Codes".
    PublishDoneCode {
        /// An error of the publisher's own.
        InternalError = 0x0,
        /// The token no longer grants this.
        Unauthorized = 0x1,
        /// The track has ended.
        TrackEnded = 0x2,
        /// Draft 18: the end of the subscription's range was reached.
        SubscriptionEnded = 0x3,
        /// The session is going away.
        GoingAway = 0x4,
        /// The subscriber is too slow.
        TooFarBehind = 0x5,
        /// The subscription expired.
        Expired = 0x6,
        /// An update could not be applied.
        UpdateFailed = 0x8,
        /// Too much to do.
        ExcessiveLoad = 0x9,
        /// The track is malformed.
        MalformedTrack = 0x12,
    }
}

codes! {
    /// Why a data stream is reset. draft-ietf-moq-transport-22, "Stream Reset Error Codes".
    ResetCode {
        /// An error of the sender's own.
        InternalError = 0x0,
        /// The request was cancelled.
        Cancelled = 0x1,
        /// A delivery timeout passed.
        DeliveryTimeout = 0x2,
        /// The session is closing.
        SessionClosed = 0x3,
        /// The session is going away.
        GoingAway = 0x4,
        /// The reader is too slow.
        TooFarBehind = 0x5,
        /// The object's state is unknown.
        UnknownObjectStatus = 0x6,
        /// The token has expired.
        ExpiredAuthToken = 0x7,
        /// Too much to do.
        ExcessiveLoad = 0x9,
        /// The track is malformed.
        MalformedTrack = 0x12,
    }
}
