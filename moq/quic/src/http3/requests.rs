use bytes::Bytes;
use parvis_session::{Role, StreamId};
use parvis_wire::Draft;
use web_transport_proto::{Frame, error_from_http3, http::StatusCode};

use super::{
    Code, Http3, Output, RequestTarget,
    capsules::Capsules,
    frame_reader::{FrameReader, Piece},
    machine::{REQUEST, Reader, Stage, is_forbidden},
    request::{self, Answer, Verdict},
};

/// Requests that are answered without opening a session.
const MAX_REFUSED: u32 = 8;

/// Requests, and the one that becomes the session.
impl Http3 {
    pub(super) fn sort_request(&mut self, id: StreamId, header: &[u8]) {
        if self.role == Role::Client {
            return self.fail(Code::STREAM_CREATION_ERROR, "a request from the server");
        }
        let reading = |reader: &Reader| matches!(reader, Reader::Request(_));
        if !matches!(self.stage, Stage::Idle) || self.streams.values().any(reading) {
            return self.refuse(id, StatusCode::TOO_MANY_REQUESTS);
        }
        let mut frames = FrameReader::default();
        frames.push(header);
        self.streams.insert(id, Reader::Request(frames));
    }

    pub(super) fn on_request(&mut self, id: StreamId, piece: Piece) {
        match (piece, &mut self.stage) {
            (Piece::Begin(Frame::DATA), Stage::Open { .. } | Stage::Asked { .. }) => {}
            (Piece::Begin(frame), _) if frame != Frame::DATA && !is_forbidden(frame) => {}
            (Piece::Whole(Frame::HEADERS, headers), Stage::Idle) => {
                if self.settings {
                    self.decide(id, &headers);
                } else {
                    self.stage = Stage::Asked { id, headers };
                }
            }
            (Piece::Whole(Frame::HEADERS, headers), Stage::Asking { .. }) => {
                self.on_answer(&headers);
            }
            (Piece::Data(data), Stage::Open { capsules, .. }) => match capsules.push(&data) {
                Ok(None) => {}
                Ok(Some(closing)) => self.close_by_peer(closing.code, closing.reason),
                Err(reason) => self.break_off(id, reason),
            },
            (Piece::Data(_), Stage::Asked { .. }) => {
                self.fail(Code::EXCESSIVE_LOAD, "capsules before SETTINGS");
            }
            _ => self.fail(
                Code::FRAME_UNEXPECTED,
                "a frame that a request cannot have here",
            ),
        }
    }

    pub(super) fn decide(&mut self, id: StreamId, headers: &[u8]) {
        match request::judge(headers, &self.options) {
            Verdict::Accept {
                draft,
                target,
                response,
            } => {
                self.write(id, response, false);
                self.open(id, draft, target);
            }
            Verdict::Refuse(status) => self.refuse(id, status),
            Verdict::Fail(code, reason) => self.fail(code, reason),
        }
    }

    fn on_answer(&mut self, headers: &[u8]) {
        match request::answer(headers, &self.options) {
            Answer::Accepted(draft) => {
                let Stage::Asking { target } = std::mem::replace(&mut self.stage, Stage::Idle)
                else {
                    return;
                };
                self.open(REQUEST, draft, target);
            }
            Answer::Refused(status) => {
                self.stage = Stage::Over;
                self.streams.clear();
                self.outputs.push_back(Output::Refused { status });
            }
            Answer::Fail(code, reason) => self.fail(code, &reason),
        }
    }

    fn open(&mut self, id: StreamId, draft: Draft, target: RequestTarget) {
        let capsules = Capsules::default();
        self.stage = Stage::Open { id, capsules };
        self.outputs.push_back(Output::Open { id, draft, target });
        for (stream, session) in std::mem::take(&mut self.early) {
            self.sort_session_stream(stream, session);
        }
    }

    pub(super) fn request_ended(&mut self, id: StreamId, reset: Option<u64>, frames: &FrameReader) {
        match (&self.stage, reset) {
            (Stage::Open { capsules, .. }, None) => {
                if frames.is_between_frames() && capsules.is_empty() {
                    self.close_by_peer(0, String::new());
                } else {
                    self.break_off(id, "the session's stream ended inside a capsule");
                }
            }
            (Stage::Open { .. }, Some(code)) => {
                let code = error_from_http3(code).unwrap_or_default();
                self.close_by_peer(code, "the session's stream was reset".to_owned());
            }
            (Stage::Asking { .. }, _) => {
                self.fail(
                    Code::MESSAGE_ERROR,
                    "the server ended the request unanswered",
                );
            }
            (Stage::Asked { .. } | Stage::Idle, _) => {
                self.stage = Stage::Idle;
                self.reset(id, Code::REQUEST_INCOMPLETE);
            }
            (Stage::Over, _) => {}
        }
    }

    pub(super) fn close_by_peer(&mut self, code: u32, reason: String) {
        let Stage::Open { id, .. } = std::mem::replace(&mut self.stage, Stage::Over) else {
            return;
        };
        self.streams.remove(&id);
        self.write(id, Bytes::new(), true);
        self.outputs.push_back(Output::Closed { code, reason });
    }

    /// Ends the session because of its malformed stream.
    fn break_off(&mut self, id: StreamId, reason: &str) {
        self.reset(id, Code::MESSAGE_ERROR);
        self.stop(id, Code::MESSAGE_ERROR);
        self.fail(Code::MESSAGE_ERROR, reason);
    }

    pub(super) fn refuse(&mut self, id: StreamId, status: StatusCode) {
        self.streams.remove(&id);
        self.refused += 1;
        if self.refused > MAX_REFUSED {
            return self.fail(Code::EXCESSIVE_LOAD, "one request after another");
        }
        self.write(id, request::refusal(status), true);
        self.stop(id, Code::NO_ERROR);
    }
}
