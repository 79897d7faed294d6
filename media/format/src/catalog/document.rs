use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use thiserror::Error;

use super::{Packaging, Role, Track};

/// A publisher's tracks, all of them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Catalog {
    /// When it was written: milliseconds since the Unix epoch.
    pub generated_at: Option<u64>,
    /// Whether no track will be added and no object will come.
    pub is_complete: bool,
    /// The tracks.
    pub tracks: Vec<Track>,
}

/// Why bytes are no catalog.
#[derive(Debug, Error)]
pub enum CatalogError {
    /// More bytes than a catalog may have.
    #[error("the catalog has {0} bytes, {max} is the most", max = Catalog::MAX_BYTES)]
    TooLong(usize),
    /// More tracks than a catalog may have.
    #[error("the catalog has {0} tracks, {max} is the most", max = Catalog::MAX_TRACKS)]
    TooManyTracks(usize),
    /// No JSON, or a member of another type than the draft gives it.
    #[error("the catalog: {0}")]
    Json(#[from] serde_json::Error),
    /// A version that is neither 1 nor a string.
    #[error("the catalog has version {0}, expected \"draft-01\" or 1")]
    Version(String),
    /// An update of an earlier catalog, which this parser does not apply.
    #[error("the catalog is a delta update, expected an independent catalog")]
    Delta,
    /// A track refers to initialization data that is not there.
    #[error("track {track:?} refers to initialization data {id:?}, which is not there")]
    UnknownInit {
        /// The track.
        track: String,
        /// The id it names.
        id: String,
    },
    /// Initialization data is no base64.
    #[error("the initialization data of track {track:?} is no base64: {source}")]
    Base64 {
        /// The track.
        track: String,
        /// Why.
        source: base64::DecodeError,
    },
    /// Two tracks share name and namespace.
    #[error("two tracks are named {0:?}")]
    DuplicateName(String),
}

impl Catalog {
    /// The longest document that is read.
    pub const MAX_BYTES: usize = 256 * 1024;
    /// The most tracks that are read.
    pub const MAX_TRACKS: usize = 256;

    /// The track of this name.
    pub fn track(&self, name: &str) -> Option<&Track> {
        self.tracks.iter().find(|track| track.name == name)
    }

    /// Parses an independent catalog.
    pub fn from_json(json: &[u8]) -> Result<Self, CatalogError> {
        if json.len() > Self::MAX_BYTES {
            return Err(CatalogError::TooLong(json.len()));
        }
        let document: Document = serde_json::from_slice(json)?;
        if document.delta_update.is_some() {
            return Err(CatalogError::Delta);
        }
        match &document.version {
            Value::String(_) => {}
            Value::Number(version) if version.as_f64() == Some(1.0) => {}
            other => return Err(CatalogError::Version(other.to_string())),
        }
        if document.tracks.len() > Self::MAX_TRACKS {
            return Err(CatalogError::TooManyTracks(document.tracks.len()));
        }
        let init: BTreeMap<&str, &InitData> = document
            .init_data_list
            .iter()
            .map(|init| (init.id.as_str(), init))
            .collect();
        let mut tracks: Vec<Track> = Vec::with_capacity(document.tracks.len());
        for track in document.tracks {
            let track = track.resolve(&init)?;
            if tracks
                .iter()
                .any(|t| t.name == track.name && t.namespace == track.namespace)
            {
                return Err(CatalogError::DuplicateName(track.name));
            }
            tracks.push(track);
        }
        Ok(Self {
            generated_at: document.generated_at,
            is_complete: document.is_complete,
            tracks,
        })
    }

    /// Writes the document.
    pub fn to_json(&self) -> String {
        let mut init_data_list: Vec<InitData> = Vec::new();
        let tracks = self
            .tracks
            .iter()
            .map(|track| {
                let init_ref = track.init_data.as_ref().map(|data| {
                    let data = STANDARD.encode(data);
                    let known = init_data_list.iter().position(|init| init.data == data);
                    let index = known.unwrap_or_else(|| {
                        let id = format!("init{}", init_data_list.len());
                        init_data_list.push(InitData {
                            id,
                            kind: INLINE.to_owned(),
                            data,
                        });
                        init_data_list.len() - 1
                    });
                    init_data_list[index].id.clone()
                });
                TrackObject::of(track, init_ref)
            })
            .collect();
        let document = Document {
            version: Value::from(VERSION),
            generated_at: self.generated_at,
            is_complete: self.is_complete,
            tracks,
            delta_update: None,
            init_data_list,
        };
        serde_json::to_string(&document).expect("strings, numbers and lists are JSON")
    }
}

const VERSION: &str = "draft-01";
const INLINE: &str = "inline";

/// The document as it is written; the list of initialization data comes after the tracks.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    #[serde(default)]
    version: Value,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "whole"
    )]
    generated_at: Option<u64>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_complete: bool,
    #[serde(default)]
    tracks: Vec<TrackObject>,
    #[serde(default, skip_serializing)]
    delta_update: Option<Value>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    init_data_list: Vec<InitData>,
}

#[derive(Serialize, Deserialize)]
struct InitData {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    data: String,
}

macro_rules! track_object {
    ($($(#[$attribute:meta])* $field:ident: $type:ty,)*) => {
        #[derive(Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct TrackObject {
            name: String,
            packaging: Packaging,
            // The draft requires it, its examples leave it out.
            #[serde(default)]
            is_live: bool,
            $(
                #[serde(default, skip_serializing_if = "Option::is_none")]
                $(#[$attribute])*
                $field: Option<$type>,
            )*
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            depends: Vec<String>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            init_ref: Option<String>,
            // draft-00
            #[serde(default, skip_serializing)]
            init_data: Option<String>,
        }

        impl TrackObject {
            fn of(track: &Track, init_ref: Option<String>) -> Self {
                Self {
                    name: track.name.clone(),
                    packaging: track.packaging.clone(),
                    is_live: track.is_live,
                    $($field: track.$field.clone(),)*
                    depends: track.depends.clone(),
                    init_ref,
                    init_data: None,
                }
            }

            fn into_track(self, init_data: Option<Bytes>) -> Track {
                Track {
                    name: self.name,
                    packaging: self.packaging,
                    is_live: self.is_live,
                    $($field: self.$field,)*
                    depends: self.depends,
                    init_data,
                }
            }
        }
    };
}

track_object! {
    namespace: String,
    role: Role,
    label: String,
    lang: String,
    #[serde(deserialize_with = "whole")]
    render_group: u64,
    #[serde(deserialize_with = "whole")]
    alt_group: u64,
    #[serde(deserialize_with = "whole")]
    target_latency: u64,
    #[serde(deserialize_with = "whole")]
    temporal_id: u64,
    #[serde(deserialize_with = "whole")]
    spatial_id: u64,
    codec: String,
    mime_type: String,
    framerate: f64,
    #[serde(deserialize_with = "whole")]
    bitrate: u64,
    #[serde(deserialize_with = "whole")]
    width: u32,
    #[serde(deserialize_with = "whole")]
    height: u32,
    #[serde(deserialize_with = "whole")]
    samplerate: u32,
    channel_config: String,
}

impl TrackObject {
    fn resolve(self, init: &BTreeMap<&str, &InitData>) -> Result<Track, CatalogError> {
        let encoded = match (&self.init_ref, &self.init_data) {
            (Some(id), _) => match init.get(id.as_str()) {
                // Data in a property of the track or its objects is not for the catalog to give.
                Some(init) if init.kind != INLINE => None,
                Some(init) => Some(&init.data),
                None => {
                    return Err(CatalogError::UnknownInit {
                        track: self.name,
                        id: id.clone(),
                    });
                }
            },
            (None, data) => data.as_ref(),
        };
        let decoded = encoded.map(|data| STANDARD.decode(data)).transpose();
        match decoded {
            Ok(data) => Ok(self.into_track(data.map(Bytes::from))),
            Err(source) => Err(CatalogError::Base64 {
                track: self.name,
                source,
            }),
        }
    }
}

/// A whole number, even where JavaScript's habits wrote it as 640.0.
fn whole<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<u64>,
{
    let number = match Option::<Value>::deserialize(deserializer)? {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => number,
        Some(other) => {
            return Err(serde::de::Error::custom(format!(
                "expected a whole number, got {other}"
            )));
        }
    };
    let float = number
        .as_f64()
        .filter(|f| f.fract() == 0.0 && (0.0..1e15).contains(f));
    let value = number.as_u64().or(float.map(|f| f as u64));
    value
        .and_then(|value| T::try_from(value).ok())
        .map(Some)
        .ok_or_else(|| {
            serde::de::Error::custom(format!("expected a whole number in range, got {number}"))
        })
}
