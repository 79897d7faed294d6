use bytes::Bytes;

use crate::varint::{Reader, encode_varint, when_complete};
use crate::{
    DecodeError, Draft, EncodeError, Fetch, FetchOk, GoAway, Message, MessageType, Namespace,
    NamespaceDone, Parameters, Properties, Publish, PublishDone, PublishNamespace, PublishSkipped,
    PublishStateNotify, RequestError, RequestId, RequestOk, RequestUpdate, Setup, Subscribe,
    SubscribeNamespace, SubscribeOk, SubscribeTracks, TrackNamespace, TrackStatus,
};

impl Message {
    /// The most bytes of a message after its type and length.
    pub const MAX_BYTES: usize = 65535;
    /// The most bytes of a reason.
    pub const MAX_REASON_BYTES: usize = 1024;
    /// The most bytes of a URI.
    pub const MAX_URI_BYTES: usize = 8192;

    /// The kind of this message.
    pub const fn message_type(&self) -> MessageType {
        match self {
            Self::Setup(_) => MessageType::Setup,
            Self::GoAway(_) => MessageType::GoAway,
            Self::RequestOk(_) => MessageType::RequestOk,
            Self::RequestError(_) => MessageType::RequestError,
            Self::Subscribe(_) => MessageType::Subscribe,
            Self::SubscribeOk(_) => MessageType::SubscribeOk,
            Self::RequestUpdate(_) => MessageType::RequestUpdate,
            Self::Publish(_) => MessageType::Publish,
            Self::PublishStateNotify(_) => MessageType::PublishStateNotify,
            Self::PublishDone(_) => MessageType::PublishDone,
            Self::PublishNamespace(_) => MessageType::PublishNamespace,
            Self::Namespace(_) => MessageType::Namespace,
            Self::NamespaceDone(_) => MessageType::NamespaceDone,
            Self::SubscribeNamespace(_) => MessageType::SubscribeNamespace,
            Self::SubscribeTracks(_) => MessageType::SubscribeTracks,
            Self::TrackStatus(_) => MessageType::TrackStatus,
            Self::Fetch(_) => MessageType::Fetch,
            Self::FetchOk(_) => MessageType::FetchOk,
            Self::PublishSkipped(_) => MessageType::PublishSkipped,
        }
    }

    /// Appends the message with its type and length; appends nothing on error.
    pub fn encode(&self, draft: Draft, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let kind = self.message_type();
        if !kind.is_in(draft) {
            return Err(EncodeError::NotInDraft {
                what: kind.name(),
                draft,
            });
        }
        let start = out.len();
        encode_varint(kind.code(), out);
        let length = out.len();
        out.extend_from_slice(&[0, 0]);
        let body = length + 2;
        let result = self.encode_body(draft, out).and_then(|()| {
            let got = out.len() - body;
            u16::try_from(got).map_err(|_| EncodeError::TooLong {
                what: kind.name(),
                got: got as u64,
                limit: Self::MAX_BYTES as u64,
            })
        });
        match result {
            Ok(len) => out[length..body].copy_from_slice(&len.to_be_bytes()),
            Err(_) => out.truncate(start),
        }
        result.map(drop)
    }

    /// Decodes the message at the start of `buf` and says how many bytes it has; `None`: there
    /// are fewer than that yet.
    pub fn decode(draft: Draft, buf: &Bytes) -> Result<Option<(Self, usize)>, DecodeError> {
        let mut reader = Reader::new(buf, "a message");
        let Some(code) = when_complete(reader.varint())? else {
            return Ok(None);
        };
        let kind = MessageType::from_code(code, draft).ok_or(DecodeError::UnknownMessage(code))?;
        let Some(len) = when_complete(reader.u16())? else {
            return Ok(None);
        };
        let body = when_complete(reader.bytes(usize::from(len)))?;
        let Some(body) = body else { return Ok(None) };
        let mut fields = Reader::new(&body, kind.name());
        match Self::decode_body(kind, draft, &mut fields) {
            Ok(message) if fields.is_empty() => Ok(Some((message, reader.position()))),
            // All of the body is here: a field that ends outside it will never be complete.
            Ok(_) | Err(DecodeError::Truncated(_)) => Err(DecodeError::LengthMismatch(kind.name())),
            Err(error) => Err(error),
        }
    }

    fn encode_body(&self, draft: Draft, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let kind = self.message_type();
        match self {
            Self::Setup(message) => message.encode(draft, out),
            Self::GoAway(message) => message.encode(draft, out),
            Self::RequestOk(message) => {
                message.parameters.encode(draft, kind, out)?;
                message.track_properties.encode_track(out)
            }
            Self::RequestError(message) => message.encode(out),
            Self::Subscribe(message) => message.encode(draft, out),
            Self::SubscribeOk(message) => message.encode(draft, out),
            Self::RequestUpdate(message) => {
                encode_varint(message.request_id.0, out);
                message.parameters.encode(draft, kind, out)
            }
            Self::Publish(message) => message.encode(draft, out),
            Self::PublishStateNotify(message) => message.parameters.encode(draft, kind, out),
            Self::PublishDone(message) => {
                message.encode(out);
                Ok(())
            }
            Self::PublishNamespace(PublishNamespace {
                request_id,
                namespace,
                parameters,
            })
            | Self::SubscribeNamespace(SubscribeNamespace {
                request_id,
                prefix: namespace,
                parameters,
            })
            | Self::SubscribeTracks(SubscribeTracks {
                request_id,
                prefix: namespace,
                parameters,
            }) => {
                encode_varint(request_id.0, out);
                namespace.encode(out);
                parameters.encode(draft, kind, out)
            }
            Self::Namespace(Namespace { suffix, parameters }) => {
                suffix.encode(out);
                if parameters.hop_path.is_none() && parameters.route_cost.is_none() {
                    return Ok(());
                }
                parameters.encode(draft, kind, out)
            }
            Self::NamespaceDone(NamespaceDone { suffix }) => {
                suffix.encode(out);
                Ok(())
            }
            Self::TrackStatus(message) => message.encode(draft, out),
            Self::Fetch(message) => message.encode(draft, out),
            Self::FetchOk(message) => message.encode(draft, out),
            Self::PublishSkipped(message) => message.encode(out),
        }
    }

    fn decode_body(
        kind: MessageType,
        draft: Draft,
        reader: &mut Reader<'_>,
    ) -> Result<Self, DecodeError> {
        Ok(match kind {
            MessageType::Setup => Self::Setup(Setup::decode(draft, reader)?),
            MessageType::GoAway => Self::GoAway(GoAway::decode(draft, reader)?),
            MessageType::RequestOk => Self::RequestOk(RequestOk {
                parameters: Parameters::decode(draft, kind, reader)?,
                track_properties: Properties::decode_track(reader)?,
            }),
            MessageType::RequestError => Self::RequestError(RequestError::decode(reader)?),
            MessageType::Subscribe => Self::Subscribe(Subscribe::decode(draft, reader)?),
            MessageType::SubscribeOk => Self::SubscribeOk(SubscribeOk::decode(draft, reader)?),
            MessageType::RequestUpdate => Self::RequestUpdate(RequestUpdate {
                request_id: RequestId(reader.varint()?),
                parameters: Parameters::decode(draft, kind, reader)?,
            }),
            MessageType::Publish => Self::Publish(Publish::decode(draft, reader)?),
            MessageType::PublishStateNotify => Self::PublishStateNotify(PublishStateNotify {
                parameters: Parameters::decode(draft, kind, reader)?,
            }),
            MessageType::PublishDone => Self::PublishDone(PublishDone::decode(reader)?),
            MessageType::PublishNamespace => Self::PublishNamespace(PublishNamespace {
                request_id: RequestId(reader.varint()?),
                namespace: TrackNamespace::decode(reader)?,
                parameters: Parameters::decode(draft, kind, reader)?,
            }),
            MessageType::Namespace => Self::Namespace(Namespace {
                suffix: TrackNamespace::decode(reader)?,
                parameters: if reader.is_empty() {
                    Parameters::default()
                } else {
                    Parameters::decode(draft, kind, reader)?
                },
            }),
            MessageType::NamespaceDone => Self::NamespaceDone(NamespaceDone {
                suffix: TrackNamespace::decode(reader)?,
            }),
            MessageType::SubscribeNamespace => Self::SubscribeNamespace(SubscribeNamespace {
                request_id: RequestId(reader.varint()?),
                prefix: TrackNamespace::decode(reader)?,
                parameters: Parameters::decode(draft, kind, reader)?,
            }),
            MessageType::SubscribeTracks => Self::SubscribeTracks(SubscribeTracks {
                request_id: RequestId(reader.varint()?),
                prefix: TrackNamespace::decode(reader)?,
                parameters: Parameters::decode(draft, kind, reader)?,
            }),
            MessageType::TrackStatus => Self::TrackStatus(TrackStatus::decode(draft, reader)?),
            MessageType::Fetch => Self::Fetch(Fetch::decode(draft, reader)?),
            MessageType::FetchOk => Self::FetchOk(FetchOk::decode(draft, reader)?),
            MessageType::PublishSkipped => Self::PublishSkipped(PublishSkipped::decode(reader)?),
        })
    }
}
