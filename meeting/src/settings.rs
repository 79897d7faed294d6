use std::time::Duration;

/// Limits and times of a [`Room`](crate::Room).
///
/// ```
/// use std::time::Duration;
///
/// let settings = parvis_meeting::Settings {
///     lobby_timeout: Duration::from_secs(20 * 60),
///     ..Default::default()
/// };
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How long a participant whose connection is gone keeps its place, its hand included.
    pub reconnection_grace: Duration,
    /// How long somebody who waits and whose connection is gone keeps the place.
    pub lobby_grace: Duration,
    /// How long somebody waits for an answer; it does not run while the room waits for its host.
    pub lobby_timeout: Duration,
    /// The most people who wait.
    pub lobby_size: usize,
    /// The pause between a denial and the next knock.
    pub denial_pause: Duration,
    /// How many denials end it for the session.
    pub denials: u32,
    /// The most people who are in.
    pub room_size: usize,
    /// Reactions of a participant each second.
    pub reactions_per_second: u32,
    /// Chat messages of a participant each second.
    pub chat_per_second: u32,
    /// Data of a participant's app to some, each second.
    pub data_per_second: u32,
    /// To how many such data goes at once.
    pub data_recipients: usize,
    /// Commands of a participant each second, twice as many at once after a pause.
    pub commands_per_second: u32,
    /// The pause between two requests of a participant that a host should record or transcribe.
    pub request_pause: Duration,
    /// The most characters of a chat message, as Unicode scalars.
    pub chat_chars: usize,
    /// Above so many people reactions are counted instead of named.
    pub named_reactions: usize,
    /// How often counts of reactions are said.
    pub reactions_every: Duration,
    /// How many answers to a participant's requests are remembered, and how many of its messages.
    pub answers: usize,
    /// After so many deltas, or as many as there are people if they are more, a group of the state
    /// track is full: a snapshot costs no more than the deltas before it.
    pub deltas: usize,
    /// The most denied, removed and admitted people who are remembered, each.
    pub remembered: usize,
    /// How long the chat of a session that is over is kept.
    pub chat_kept: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            reconnection_grace: Duration::from_secs(30),
            lobby_grace: Duration::from_secs(10),
            lobby_timeout: Duration::from_mins(10),
            lobby_size: 200,
            denial_pause: Duration::from_secs(5),
            denials: 3,
            room_size: 1000,
            reactions_per_second: 10,
            chat_per_second: 5,
            data_per_second: 20,
            data_recipients: 32,
            commands_per_second: 50,
            request_pause: Duration::from_secs(5),
            chat_chars: 2000,
            named_reactions: 50,
            reactions_every: Duration::from_millis(250),
            answers: 64,
            deltas: 64,
            remembered: 4096,
            chat_kept: Duration::from_mins(1),
        }
    }
}
