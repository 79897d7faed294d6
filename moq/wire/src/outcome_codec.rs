use crate::varint::{Reader, encode_prefixed, encode_varint};
use crate::{
    DecodeError, Draft, EncodeError, FullTrackName, GoAway, Message, PublishDone, PublishDoneCode,
    PublishSkipped, Redirect, RequestError, RequestErrorCode, RequestId, TrackName, TrackNamespace,
};

impl GoAway {
    pub(crate) fn encode(&self, draft: Draft, out: &mut Vec<u8>) -> Result<(), EncodeError> {
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

    pub(crate) fn decode(draft: Draft, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
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
    pub(crate) fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
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

    pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
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

impl PublishDone {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        encode_varint(self.code.to_u64(), out);
        encode_varint(self.stream_count, out);
        encode_reason(&self.reason, out);
    }

    pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            code: PublishDoneCode::from_u64(reader.varint()?),
            stream_count: reader.varint()?,
            reason: decode_reason(reader)?,
        })
    }
}

impl PublishSkipped {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        encode_name(&self.suffix, &self.name, out)
    }

    pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
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
