use bytes::Bytes;
use parvis_wire::Draft;
use url::Url;
use web_transport_proto::{ConnectError, ConnectRequest, ConnectResponse, http::StatusCode};

use super::{Code, Options, RequestTarget};

/// What comes of a request.
pub(super) enum Verdict {
    /// The session is opened; the response is sent.
    Accept {
        draft: Draft,
        target: RequestTarget,
        response: Bytes,
    },
    /// The request is answered with this status.
    Refuse(StatusCode),
    /// The connection cannot go on.
    Fail(Code, &'static str),
}

/// Judges the HEADERS frame of a request.
pub(super) fn judge(frame: &[u8], options: &Options) -> Verdict {
    let request = match ConnectRequest::decode(&mut &frame[..]) {
        Ok(request) => request,
        Err(error) => return judge_error(&error),
    };
    let offered = &request.protocols;
    let chosen = options
        .drafts
        .iter()
        .find(|draft| offered.iter().any(|name| name.as_bytes() == draft.alpn()));
    let (draft, response) = match chosen {
        Some(draft) => (*draft, ConnectResponse::OK.with_protocol(protocol(*draft))),
        None if offered.is_empty() && options.drafts.contains(&options.default_draft) => {
            (options.default_draft, ConnectResponse::OK)
        }
        None => return Verdict::Refuse(StatusCode::NOT_ACCEPTABLE),
    };
    let mut path = request.url.path().to_owned();
    if let Some(query) = request.url.query() {
        path.push('?');
        path.push_str(query);
    }
    let target = RequestTarget {
        authority: request.url.authority().to_owned(),
        path,
    };
    match encode(&response) {
        Some(response) => Verdict::Accept {
            draft,
            target,
            response,
        },
        None => Verdict::Refuse(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

fn judge_error(error: &ConnectError) -> Verdict {
    match error {
        ConnectError::QpackError(_) => Verdict::Fail(
            Code::QPACK_DECOMPRESSION_FAILED,
            "a field section does not decompress",
        ),
        ConnectError::FieldSectionTooLarge | ConnectError::FrameTooLarge => {
            Verdict::Refuse(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)
        }
        ConnectError::WrongMethod(_) => Verdict::Refuse(StatusCode::METHOD_NOT_ALLOWED),
        ConnectError::WrongProtocol(_) => Verdict::Refuse(StatusCode::NOT_IMPLEMENTED),
        _ => Verdict::Refuse(StatusCode::BAD_REQUEST),
    }
}

/// A response without a session.
pub(super) fn refusal(status: StatusCode) -> Bytes {
    encode(&ConnectResponse::new(status)).unwrap_or_default()
}

fn encode(response: &ConnectResponse) -> Option<Bytes> {
    let mut out = Vec::new();
    response.encode(&mut out).ok()?;
    Some(out.into())
}

/// A client's HEADERS frame.
pub(super) fn request(target: &RequestTarget, drafts: &[Draft]) -> Result<Bytes, String> {
    let url = format!("https://{}{}", target.authority, target.path);
    let url: Url = url.parse().map_err(|error| format!("{url}: {error}"))?;
    let request = ConnectRequest::new(url).with_protocols(drafts.iter().map(|d| protocol(*d)));
    let mut out = Vec::new();
    request
        .encode(&mut out)
        .map_err(|error| error.to_string())?;
    Ok(out.into())
}

/// What a server's answer says.
pub(super) enum Answer {
    Accepted(Draft),
    Refused(u16),
    Fail(Code, String),
}

/// Reads the HEADERS frame of a response.
pub(super) fn answer(frame: &[u8], options: &Options) -> Answer {
    let response = match ConnectResponse::decode(&mut &frame[..]) {
        Ok(response) => response,
        Err(ConnectError::WrongStatus(Some(status))) => return Answer::Refused(status.as_u16()),
        Err(ConnectError::QpackError(error)) => {
            return Answer::Fail(Code::QPACK_DECOMPRESSION_FAILED, error.to_string());
        }
        Err(error) => return Answer::Fail(Code::MESSAGE_ERROR, error.to_string()),
    };
    let named = response
        .protocol
        .map_or(Some(options.default_draft), |name| {
            Draft::from_alpn(name.as_bytes())
        });
    match named.filter(|draft| options.drafts.contains(draft)) {
        Some(draft) => Answer::Accepted(draft),
        None => Answer::Fail(
            Code::MESSAGE_ERROR,
            "a protocol that was not offered".to_owned(),
        ),
    }
}

fn protocol(draft: Draft) -> String {
    String::from_utf8_lossy(draft.alpn()).into_owned()
}
