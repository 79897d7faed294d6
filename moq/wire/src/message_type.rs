use crate::{
    Draft,
    parameters::kind::{HOP_PATH, ROUTE_COST},
};

/// The kinds of control messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is documented on the struct of that name")]
pub enum MessageType {
    RequestUpdate,
    Subscribe,
    SubscribeOk,
    RequestError,
    PublishNamespace,
    RequestOk,
    Namespace,
    PublishDone,
    TrackStatus,
    NamespaceDone,
    PublishSkipped,
    GoAway,
    Fetch,
    FetchOk,
    Publish,
    PublishStateNotify,
    SubscribeNamespace,
    SubscribeTracks,
    Setup,
}

impl MessageType {
    /// Every kind.
    pub const ALL: [Self; 19] = [
        Self::RequestUpdate,
        Self::Subscribe,
        Self::SubscribeOk,
        Self::RequestError,
        Self::PublishNamespace,
        Self::RequestOk,
        Self::Namespace,
        Self::PublishDone,
        Self::TrackStatus,
        Self::NamespaceDone,
        Self::PublishSkipped,
        Self::GoAway,
        Self::Fetch,
        Self::FetchOk,
        Self::Publish,
        Self::PublishStateNotify,
        Self::SubscribeNamespace,
        Self::SubscribeTracks,
        Self::Setup,
    ];

    /// The number on the wire, the same in every draft that has the message.
    pub const fn code(self) -> u64 {
        match self {
            Self::RequestUpdate => 0x02,
            Self::Subscribe => 0x03,
            Self::SubscribeOk => 0x04,
            Self::RequestError => 0x05,
            Self::PublishNamespace => 0x06,
            Self::RequestOk => 0x07,
            Self::Namespace => 0x08,
            Self::PublishDone => 0x0B,
            Self::TrackStatus => 0x0D,
            Self::NamespaceDone => 0x0E,
            Self::PublishSkipped => 0x0F,
            Self::GoAway => 0x10,
            Self::Fetch => 0x16,
            Self::FetchOk => 0x18,
            Self::Publish => 0x1D,
            Self::PublishStateNotify => 0x22,
            Self::SubscribeNamespace => 0x50,
            Self::SubscribeTracks => 0x51,
            Self::Setup => 0x2F00,
        }
    }

    /// The kind that a number on the wire names in `draft`.
    pub fn from_code(code: u64, draft: Draft) -> Option<Self> {
        // Draft 18 lists PUBLISH_OK with a number of its own and gives it REQUEST_OK's format.
        if code == PUBLISH_OK && draft == Draft::D18 {
            return Some(Self::RequestOk);
        }
        Self::ALL
            .into_iter()
            .find(|kind| kind.code() == code && kind.is_in(draft))
    }

    /// Whether `draft` has the message.
    pub const fn is_in(self, draft: Draft) -> bool {
        match self {
            Self::PublishStateNotify => matches!(draft, Draft::D22),
            _ => true,
        }
    }

    /// The name in draft 22.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RequestUpdate => "REQUEST_UPDATE",
            Self::Subscribe => "SUBSCRIBE",
            Self::SubscribeOk => "SUBSCRIBE_OK",
            Self::RequestError => "REQUEST_ERROR",
            Self::PublishNamespace => "PUBLISH_NAMESPACE",
            Self::RequestOk => "REQUEST_OK",
            Self::Namespace => "NAMESPACE",
            Self::PublishDone => "PUBLISH_DONE",
            Self::TrackStatus => "TRACK_STATUS",
            Self::NamespaceDone => "NAMESPACE_DONE",
            Self::PublishSkipped => "PUBLISH_SKIPPED",
            Self::GoAway => "GOAWAY",
            Self::Fetch => "FETCH",
            Self::FetchOk => "FETCH_OK",
            Self::Publish => "PUBLISH",
            Self::PublishStateNotify => "PUBLISH_STATE_NOTIFY",
            Self::SubscribeNamespace => "SUBSCRIBE_NAMESPACE",
            Self::SubscribeTracks => "SUBSCRIBE_TRACKS",
            Self::Setup => "SETUP",
        }
    }

    /// Whether this message may carry message parameter `parameter` in `draft`. REQUEST_OK and
    /// REQUEST_UPDATE are held to what any of the requests they belong to allows.
    pub fn allows(self, parameter: u64, draft: Draft) -> bool {
        match draft {
            Draft::D18 => self.parameters_18().contains(&parameter),
            Draft::D22 => self.parameters_22().contains(&parameter),
        }
    }

    fn parameters_18(self) -> &'static [u64] {
        match self {
            Self::Subscribe => &[0x02, 0x03, 0x04, 0x06, 0x10, 0x20, 0x21, 0x22, 0x32],
            Self::RequestUpdate => &[0x02, 0x03, 0x06, 0x10, 0x20, 0x21, 0x32, 0x34],
            Self::RequestOk => &[0x02, 0x06, 0x08, 0x09, 0x10, 0x20, 0x21, 0x22, 0x32],
            Self::SubscribeOk => &[0x08, 0x09],
            Self::Publish => &[0x03, 0x08, 0x09, 0x10],
            Self::Fetch => &[0x03, 0x0A, 0x20, 0x22],
            Self::SubscribeTracks => &[0x03, 0x10],
            Self::SubscribeNamespace | Self::TrackStatus => &[0x03],
            Self::PublishNamespace => &[0x03, HOP_PATH, ROUTE_COST],
            Self::Namespace => &[HOP_PATH, ROUTE_COST],
            _ => &[],
        }
    }

    fn parameters_22(self) -> &'static [u64] {
        match self {
            Self::Subscribe => &[
                0x02, 0x03, 0x04, 0x06, 0x10, 0x20, 0x21, 0x22, 0x23, 0x25, 0x26, 0x27, 0x28, 0x32,
                0x35,
            ],
            Self::RequestUpdate => &[
                0x02, 0x03, 0x06, 0x10, 0x20, 0x21, 0x23, 0x25, 0x26, 0x27, 0x28, 0x29, 0x32, 0x34,
            ],
            Self::RequestOk | Self::SubscribeOk => &[0x08, 0x09],
            Self::Publish => &[0x02, 0x03, 0x06, 0x08, 0x09, 0x10, 0x20, 0x21, 0x22],
            Self::PublishStateNotify => &[0x09, 0x10, 0x21],
            Self::Fetch => &[0x03, 0x0A, 0x20, 0x21, 0x22, 0x25, 0x26, 0x27, 0x28, 0x35],
            Self::SubscribeTracks => &[
                0x03, 0x10, 0x21, 0x22, 0x23, 0x25, 0x26, 0x27, 0x28, 0x29, 0x35,
            ],
            Self::TrackStatus => &[0x03, 0x35],
            Self::SubscribeNamespace => &[0x03],
            Self::PublishNamespace => &[0x03, HOP_PATH, ROUTE_COST],
            Self::Namespace => &[HOP_PATH, ROUTE_COST],
            _ => &[],
        }
    }
}

const PUBLISH_OK: u64 = 0x1E;
