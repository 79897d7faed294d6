use parvis::meeting::ErrorKind as Word;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident,)* ; $($(#[$own_doc:meta])* $own:ident,)*) => {
        /// What went wrong: stable names, the same in every language.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $($(#[$doc])* $name,)*
            $($(#[$own_doc])* $own,)*
        }

        impl From<Word> for ErrorKind {
            fn from(word: Word) -> Self {
                match word {
                    $(Word::$name => Self::$name,)*
                    _ => Self::Unknown,
                }
            }
        }

        impl ErrorKind {
            #[cfg(test)]
            const ALL: &[(&str, Self)] = &[
                $((stringify!($name), Self::$name),)*
                $((stringify!($own), Self::$own),)*
            ];

            /// The word of a meeting, where it has one.
            pub(crate) const fn word(self) -> Option<Word> {
                match self {
                    $(Self::$name => Some(Word::$name),)*
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    /// The text is no room code and no link to a room.
    BadCode,
    /// There is no such room.
    NotFound,
    /// No agent is in the meeting so far.
    WaitingForHost,
    /// Somebody else admitted or denied first.
    AlreadyDecided,
    /// Too many people wait.
    LobbyFull,
    /// Too many people are in.
    RoomFull,
    /// A host said no.
    Denied,
    /// Nobody answered the knock in time.
    TimedOut,
    /// The role is not enough, or the act is not allowed to anybody.
    Forbidden,
    /// The room would be left without an owner.
    LastOwner,
    /// A host removed this participant.
    Removed,
    /// The meeting is over.
    RoomEnded,
    /// The emoji is no reaction.
    BadReaction,
    /// The text has nothing but blanks.
    Empty,
    /// The text has too many characters.
    TooLong,
    /// Too many in a short time.
    RateLimited,
    /// A recording or transcription runs already.
    AlreadyRecording,
    /// Nothing runs that could be stopped.
    NotRecording,
    /// An encrypted room is recorded only with a key.
    NeedsKey,
    /// A name has 1 to 50 visible characters.
    BadName,
    /// The participant meant is not there.
    NotPresent,
    /// Only people who are signed in can have a role.
    NotSignedIn,
    /// The message is no command.
    Malformed,
    /// A newer service refused for a reason that has no name here, or the library has a bug.
    Unknown,
    ;
    /// The link names no site, and neither do the options.
    NoSite,
    /// The meeting service does not answer, or not in words that are understood.
    ServiceUnavailable,
    /// The ticket names no relay address.
    BadUrl,
    /// The relay's host name has no address.
    UnknownHost,
    /// No relay answers.
    Unreachable,
    /// The relay's certificate does not fit what is trusted.
    CertificateRejected,
    /// The relay speaks none of the offered drafts.
    NoCommonDraft,
    /// The trust settings do not work.
    BadTrust,
    /// There is no token to show to the relay.
    NoToken,
    /// The relay does not accept the token: it is wrong, or has expired.
    NotLetIn,
    /// The participant is connected already.
    NameTaken,
    /// The relay refuses what was asked of it.
    Refused,
    /// The connection is lost.
    Lost,
    /// The machine lets no socket be opened.
    NoSocket,
    /// The machine lets no thread be started.
    NoThread,
    /// Nobody answered a command; it may still be done.
    NoAnswer,
    /// The source is published already.
    TrackExists,
    /// There is no such track, or it is of another kind.
    NoSuchTrack,
    /// A picture or a stretch of sound does not have the shape that it should have.
    BadFrame,
    /// An argument is none of the values that are taken.
    BadArgument,
    /// An encoder or decoder does not open, or broke.
    Codec,
    /// The meeting was left or is over, or what is used of it was ended.
    Left,
    /// The app may not use the microphone, the camera or the screen.
    PermissionDenied,
    /// A function of the app that was called back failed in a way that it does not declare.
    Callback,
}

impl ErrorKind {
    /// Whether the same may succeed a little later.
    pub const fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::WaitingForHost
                | Self::LobbyFull
                | Self::RoomFull
                | Self::TimedOut
                | Self::RateLimited
                | Self::ServiceUnavailable
                | Self::UnknownHost
                | Self::Unreachable
                | Self::Lost
                | Self::NoAnswer
        )
    }

    /// Whether another ticket or sign-in is needed.
    pub const fn is_auth(self) -> bool {
        matches!(self, Self::NoToken | Self::NotLetIn | Self::NotSignedIn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_for_apps_has_each_kind_as_it_is() {
        let page = include_str!("../../../docs/embed.md");
        let rows = page.lines().filter(|line| line.starts_with("| `"));
        let rows: Vec<(&str, bool, bool)> = rows
            .map(|row| {
                let cells: Vec<&str> = row.split('|').map(str::trim).collect();
                (
                    cells[1].trim_matches('`'),
                    cells[3] == "yes",
                    cells[4] == "yes",
                )
            })
            .collect();
        let kinds = ErrorKind::ALL.iter();
        let kinds: Vec<(&str, bool, bool)> = kinds
            .map(|(name, kind)| (*name, kind.is_retryable(), kind.is_auth()))
            .collect();
        assert_eq!(rows, kinds);
    }
}
