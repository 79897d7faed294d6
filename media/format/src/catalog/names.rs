use serde::{Deserialize, Serialize};

macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $value:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(from = "String", into = "String")]
        pub enum $name {
            $($(#[$vdoc])* $variant,)*
            /// A name that the draft does not list.
            Other(String),
        }

        impl $name {
            /// The name in the document.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $value,)*
                    Self::Other(name) => name,
                }
            }
        }

        impl From<String> for $name {
            fn from(name: String) -> Self {
                match name.as_str() {
                    $($value => Self::$variant,)*
                    _ => Self::Other(name),
                }
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                match name {
                    $name::Other(name) => name,
                    known => known.as_str().to_owned(),
                }
            }
        }
    };
}

names! {
    /// How a track's payload is encapsulated. draft-ietf-moq-msf-01, "Packaging".
    Packaging {
        /// An encoded frame an object.
        Loc = "loc",
        /// Fragmented MP4.
        Cmaf = "cmaf",
        /// Media time to group and object.
        MediaTimeline = "mediatimeline",
        /// Events in time.
        EventTimeline = "eventtimeline",
        /// Another catalog.
        Catalog = "catalog",
    }
}

names! {
    /// What a track is for. draft-ietf-moq-msf-01, "Track role".
    Role {
        /// Seen.
        Video = "video",
        /// Heard.
        Audio = "audio",
        /// A description for those who do not see.
        AudioDescription = "audiodescription",
        /// What is heard, in writing.
        Caption = "caption",
        /// What is said, in writing.
        Subtitle = "subtitle",
        /// What is said, in signs.
        SignLanguage = "signlanguage",
        /// Data of the application's own.
        Data = "data",
    }
}
