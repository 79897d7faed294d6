use web_transport_proto::{Frame, VarInt};

use super::{
    Code, Http3,
    frame_reader::{GOAWAY, Piece},
    machine::{REQUEST, Stage, is_forbidden},
    request, settings,
};

/// The peer's control stream.
impl Http3 {
    pub(super) fn on_control(&mut self, piece: Piece) {
        match piece {
            Piece::Whole(Frame::SETTINGS, _) if self.settings => {
                self.fail(Code::FRAME_UNEXPECTED, "SETTINGS for a second time");
            }
            Piece::Whole(Frame::SETTINGS, frame) => self.on_settings(&frame),
            _ if !self.settings => self.fail(Code::MISSING_SETTINGS, "SETTINGS do not come first"),
            Piece::Whole(GOAWAY, frame) => {
                let mut payload = &frame[1..];
                let sound = VarInt::decode(&mut payload).is_ok()
                    && VarInt::decode(&mut payload).is_ok()
                    && payload.is_empty();
                // There is one session, which MoQ's own GOAWAY moves.
                if !sound {
                    self.fail(Code::FRAME_ERROR, "a malformed GOAWAY");
                }
            }
            Piece::Begin(frame) if frame != Frame::DATA && !is_forbidden(frame) => {}
            Piece::Whole(..) | Piece::Begin(_) | Piece::Data(_) => {
                self.fail(
                    Code::FRAME_UNEXPECTED,
                    "a frame that a control stream cannot have",
                );
            }
        }
    }

    fn on_settings(&mut self, frame: &[u8]) {
        self.settings = true;
        let supported = match settings::read(frame) {
            Ok(supported) => supported,
            Err(reason) => return self.fail(Code::SETTINGS_ERROR, &reason),
        };
        match std::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Asked { id, headers } => self.decide(id, &headers),
            Stage::Asking { .. } if !supported => {
                self.fail(Code::NO_ERROR, "the server does not speak WebTransport");
            }
            Stage::Asking { target } => {
                match request::request(&target, &self.options.drafts) {
                    Ok(request) => self.write(REQUEST, request, false),
                    Err(reason) => return self.fail(Code::NO_ERROR, &reason),
                }
                self.stage = Stage::Asking { target };
            }
            stage @ (Stage::Idle | Stage::Open { .. } | Stage::Over) => self.stage = stage,
        }
    }
}
