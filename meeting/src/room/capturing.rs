use crate::{
    Act, Capture, CaptureId, CaptureKind, CaptureOrder, CaptureStatus, Change, Done, ErrorKind,
    Identity, Language, Notice, Output, ParticipantId, Progress, Service,
};

use super::{
    Room,
    answering::{Answer, too_soon},
};

impl Room {
    pub(super) fn request_capture(&mut self, who: &ParticipantId, kind: CaptureKind) -> Answer {
        if self.is_running(kind) {
            return Err(ErrorKind::AlreadyRecording.into());
        }
        let (now, pause) = (self.memory.now, self.settings.request_pause);
        let Some(person) = self.memory.people.get_mut(who) else {
            return Err(ErrorKind::NotPresent.into());
        };
        let asked = &mut person.asked[match kind {
            CaptureKind::Recording => 0,
            CaptureKind::Transcription => 1,
        }];
        if let Some(last) = *asked {
            let wait = last.plus(pause).since(now);
            if !wait.is_zero() {
                return Err(too_soon(wait));
            }
        }
        *asked = Some(now);
        let by = who.clone();
        self.notify_hosts(&Notice::CaptureRequested { kind, by });
        Ok(Done::default())
    }

    pub(super) fn start_recording(&mut self, who: &ParticipantId) -> Answer {
        self.check_startable(CaptureKind::Recording)?;
        Ok(self.start(who, CaptureKind::Recording, None))
    }

    pub(super) fn start_transcription(
        &mut self,
        who: &ParticipantId,
        language: Language,
        record: bool,
    ) -> Answer {
        self.check_startable(CaptureKind::Transcription)?;
        if record && !self.is_running(CaptureKind::Recording) {
            self.start(who, CaptureKind::Recording, None);
        }
        Ok(self.start(who, CaptureKind::Transcription, Some(language)))
    }

    fn check_startable(&self, kind: CaptureKind) -> Result<(), ErrorKind> {
        if self.memory.view.policy().encrypted {
            Err(ErrorKind::NeedsKey)
        } else if self.is_running(kind) {
            Err(ErrorKind::AlreadyRecording)
        } else {
            Ok(())
        }
    }

    fn start(&mut self, by: &ParticipantId, kind: CaptureKind, language: Option<Language>) -> Done {
        let id = CaptureId(self.memory.next_capture);
        self.memory.next_capture += 1;
        self.audit(by, Act::StartedCapture { kind });
        self.show(
            kind,
            Capture {
                id,
                status: CaptureStatus::Starting,
                since: self.memory.now,
                by: by.clone(),
                language,
                failure: None,
            },
        );
        self.outputs.push_back(Output::Capture(CaptureOrder::Start {
            kind,
            id,
            by: by.clone(),
            language,
        }));
        Done {
            capture: Some(id),
            ..Done::default()
        }
    }

    pub(super) fn stop_capture(&mut self, who: &ParticipantId, kind: CaptureKind) -> Answer {
        if !self.is_running(kind) {
            return Err(ErrorKind::NotRecording.into());
        }
        self.audit(who, Act::StoppedCapture { kind });
        self.stop_running(kind);
        Ok(Done::default())
    }

    /// Stops a recording or transcription that does not stop already.
    pub(super) fn stop_running(&mut self, kind: CaptureKind) {
        let Some(capture) = self.capture(kind) else {
            return;
        };
        if !capture.status.leads_to(CaptureStatus::Stopping) {
            return;
        }
        let id = capture.id;
        self.outputs
            .push_back(Output::Capture(CaptureOrder::Stop { kind, id }));
        let status = CaptureStatus::Stopping;
        self.progress(Progress {
            kind,
            id,
            status,
            failure: None,
        });
    }

    /// What a service that is in says of its own work.
    pub(super) fn report_progress(&mut self, who: &ParticipantId, progress: Progress) -> Answer {
        let kind = match self.memory.people.get(who).map(|p| &p.identity) {
            Some(Identity::Service {
                service: Service::Recorder,
                ..
            }) => CaptureKind::Recording,
            Some(Identity::Service {
                service: Service::Transcriber,
                ..
            }) => CaptureKind::Transcription,
            Some(Identity::Agent { .. } | Identity::Guest { .. }) | None => {
                return Err(ErrorKind::Forbidden.into());
            }
        };
        if kind != progress.kind {
            Err(ErrorKind::Forbidden.into())
        } else if self.progress(progress) {
            Ok(Done::default())
        } else {
            Err(ErrorKind::NotRecording.into())
        }
    }

    /// Goes on if that is the next step of this one; whether it is.
    pub(super) fn progress(&mut self, progress: Progress) -> bool {
        let Some(capture) = self.capture(progress.kind) else {
            return false;
        };
        if capture.id != progress.id || !capture.status.leads_to(progress.status) {
            return false;
        }
        let mut capture = capture.clone();
        capture.status = progress.status;
        capture.failure = progress.failure;
        capture.since = self.memory.now;
        self.show(progress.kind, capture);
        true
    }

    fn show(&mut self, kind: CaptureKind, capture: Capture) {
        self.change(match kind {
            CaptureKind::Recording => Change::Recording { capture },
            CaptureKind::Transcription => Change::Transcription { capture },
        });
    }

    fn is_running(&self, kind: CaptureKind) -> bool {
        self.capture(kind).is_some_and(|c| c.status.is_running())
    }

    fn capture(&self, kind: CaptureKind) -> Option<&Capture> {
        match kind {
            CaptureKind::Recording => self.memory.view.recording(),
            CaptureKind::Transcription => self.memory.view.transcription(),
        }
    }
}
