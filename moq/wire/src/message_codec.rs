use bytes::Bytes;

use crate::varint::{Reader, encode_prefixed, encode_varint};
use crate::{
    DecodeError, Draft, EncodeError, FullTrackName, GoAway, Message, MessageType, Namespace,
    NamespaceDone, Parameters, Properties, PublishDone, PublishDoneCode, PublishNamespace,
    PublishSkipped, PublishStateNotify, Redirect, RequestError, RequestErrorCode, RequestId,
    RequestOk, RequestUpdate, Setup, SubscribeNamespace, SubscribeTracks, TrackName,
    TrackNamespace,
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
        let Some(code) = crate::varint::when_complete(reader.varint())? else {
            return Ok(None);
        };
        let kind = MessageType::from_code(code, draft).ok_or(DecodeError::UnknownMessage(code))?;
        let Some(len) = crate::varint::when_complete(reader.u16())? else {
            return Ok(None);
        };
        let body = crate::varint::when_complete(reader.bytes(usize::from(len)))?;
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
                encode_track_properties(&message.track_properties, out)
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
                encode_varint(message.code.to_u64(), out);
                encode_varint(message.stream_count, out);
                encode_reason(&message.reason, out);
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
            Self::Namespace(Namespace { suffix })
            | Self::NamespaceDone(NamespaceDone { suffix }) => {
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
                track_properties: decode_track_properties(reader)?,
            }),
            MessageType::RequestError => Self::RequestError(RequestError::decode(reader)?),
            MessageType::Subscribe => Self::Subscribe(crate::Subscribe::decode(draft, reader)?),
            MessageType::SubscribeOk => {
                Self::SubscribeOk(crate::SubscribeOk::decode(draft, reader)?)
            }
            MessageType::RequestUpdate => Self::RequestUpdate(RequestUpdate {
                request_id: RequestId(reader.varint()?),
                parameters: Parameters::decode(draft, kind, reader)?,
            }),
            MessageType::Publish => Self::Publish(crate::Publish::decode(draft, reader)?),
            MessageType::PublishStateNotify => Self::PublishStateNotify(PublishStateNotify {
                parameters: Parameters::decode(draft, kind, reader)?,
            }),
            MessageType::PublishDone => Self::PublishDone(PublishDone {
                code: PublishDoneCode::from_u64(reader.varint()?),
                stream_count: reader.varint()?,
                reason: decode_reason(reader)?,
            }),
            MessageType::PublishNamespace => Self::PublishNamespace(PublishNamespace {
                request_id: RequestId(reader.varint()?),
                namespace: TrackNamespace::decode(reader)?,
                parameters: Parameters::decode(draft, kind, reader)?,
            }),
            MessageType::Namespace => Self::Namespace(Namespace {
                suffix: TrackNamespace::decode(reader)?,
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
            MessageType::TrackStatus => {
                Self::TrackStatus(crate::TrackStatus::decode(draft, reader)?)
            }
            MessageType::Fetch => Self::Fetch(crate::Fetch::decode(draft, reader)?),
            MessageType::FetchOk => Self::FetchOk(crate::FetchOk::decode(draft, reader)?),
            MessageType::PublishSkipped => Self::PublishSkipped(PublishSkipped::decode(reader)?),
        })
    }
}

impl GoAway {
    fn encode(&self, draft: Draft, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        encode_uri(&self.new_session_uri, out)?;
        encode_varint(self.timeout_ms, out);
        match (draft, self.request_id) {
            (_, None) => Ok(()),
            (Draft::D18, Some(id)) => {
                encode_varint(id.0, out);
                Ok(())
            }
            (Draft::D22, Some(_)) => Err(EncodeError::NotInDraft {
                what: "request id in GOAWAY",
                draft,
            }),
        }
    }

    fn decode(draft: Draft, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let new_session_uri = decode_uri(reader)?;
        let timeout_ms = reader.varint()?;
        let request_id = match draft {
            Draft::D18 if !reader.is_empty() => Some(RequestId(reader.varint()?)),
            Draft::D18 | Draft::D22 => None,
        };
        Ok(Self {
            new_session_uri,
            timeout_ms,
            request_id,
        })
    }
}

impl RequestError {
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        encode_varint(self.code.to_u64(), out);
        encode_varint(self.retry_interval, out);
        encode_reason(&self.reason, out);
        match (
            self.code.to_u64() == RequestErrorCode::Redirect.to_u64(),
            &self.redirect,
        ) {
            (true, Some(redirect)) => {
                encode_uri(&redirect.connect_uri, out)?;
                encode_name(&redirect.namespace, &redirect.name, out)
            }
            (false, None) => Ok(()),
            (true, None) | (false, Some(_)) => Err(EncodeError::Invalid {
                field: "redirect",
                detail: "it must be present exactly when the code is Redirect",
            }),
        }
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let code = RequestErrorCode::from_u64(reader.varint()?);
        let retry_interval = reader.varint()?;
        let reason = decode_reason(reader)?;
        let redirect = if code == RequestErrorCode::Redirect {
            let connect_uri = decode_uri(reader)?;
            let (namespace, name) = decode_name(reader)?;
            Some(Redirect {
                connect_uri,
                namespace,
                name,
            })
        } else {
            None
        };
        Ok(Self {
            code,
            retry_interval,
            reason,
            redirect,
        })
    }
}

impl PublishSkipped {
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        encode_name(&self.suffix, &self.name, out)
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (suffix, name) = decode_name(reader)?;
        Ok(Self { suffix, name })
    }
}

fn encode_name(
    namespace: &TrackNamespace,
    name: &TrackName,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let (got, limit) = (
        namespace.byte_len() + name.0.len(),
        FullTrackName::MAX_BYTES,
    );
    if got > limit {
        let (got, limit) = (got as u64, limit as u64);
        return Err(EncodeError::TooLong {
            what: "a full track name",
            got,
            limit,
        });
    }
    namespace.encode(out);
    name.encode(out);
    Ok(())
}

fn decode_name(reader: &mut Reader<'_>) -> Result<(TrackNamespace, TrackName), DecodeError> {
    let full = FullTrackName::decode(reader)?;
    Ok((full.namespace().clone(), full.name().clone()))
}

fn encode_uri(uri: &str, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let (got, limit) = (uri.len() as u64, Message::MAX_URI_BYTES as u64);
    if got > limit {
        return Err(EncodeError::TooLong {
            what: "a URI",
            got,
            limit,
        });
    }
    encode_prefixed(uri.as_bytes(), out);
    Ok(())
}

fn decode_uri(reader: &mut Reader<'_>) -> Result<String, DecodeError> {
    let bytes = reader.prefixed("a URI", Message::MAX_URI_BYTES)?;
    String::from_utf8(bytes.to_vec()).map_err(|_| DecodeError::Invalid {
        field: "a URI",
        detail: "UTF-8 was expected",
    })
}

fn encode_reason(reason: &str, out: &mut Vec<u8>) {
    let end = reason.floor_char_boundary(Message::MAX_REASON_BYTES);
    encode_prefixed(&reason.as_bytes()[..end], out);
}

fn decode_reason(reader: &mut Reader<'_>) -> Result<String, DecodeError> {
    let bytes = reader.prefixed("a reason phrase", Message::MAX_REASON_BYTES)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

pub(crate) fn encode_track_properties(
    properties: &Properties,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    if properties.check_track().is_err() {
        let detail = "not a valid sequence of key-value pairs";
        return Err(EncodeError::Invalid {
            field: "track_properties",
            detail,
        });
    }
    out.extend_from_slice(properties.as_bytes());
    Ok(())
}

pub(crate) fn decode_track_properties(reader: &mut Reader<'_>) -> Result<Properties, DecodeError> {
    let properties = Properties(reader.rest());
    properties.check_track()?;
    Ok(properties)
}
