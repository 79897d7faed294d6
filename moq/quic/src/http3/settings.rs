use bytes::Bytes;
use web_transport_proto::{Setting, Settings, SettingsError, StreamUni, VarInt};

/// Identifiers of HTTP/2 that HTTP/3 forbids; RFC 9114, "Defined SETTINGS Parameters".
const FORBIDDEN: std::ops::RangeInclusive<u32> = 2..=5;

/// The start of our control stream: its type and SETTINGS.
///
/// Among them are the switches of every draft of WebTransport that browsers look for: Chromium
/// the one of draft 2, Safari 26.4 the number of sessions of draft 7 (0xc671706a). One session a
/// connection means that there is no flow control besides that of QUIC.
pub(super) fn control_stream() -> Bytes {
    let mut settings = Settings::default();
    settings.enable_webtransport(1);
    let mut out = Vec::new();
    settings.encode(&mut out);
    out.into()
}

/// Checks a SETTINGS frame; whether the peer speaks WebTransport.
pub(super) fn read(frame: &[u8]) -> Result<bool, String> {
    let mut stream = Vec::with_capacity(frame.len() + 1);
    StreamUni::CONTROL.encode(&mut stream);
    stream.extend_from_slice(frame);
    let settings = Settings::decode(&mut stream.as_slice())
        .map_err(|error: SettingsError| error.to_string())?;
    let forbidden = |id: &u32| settings.contains_key(&Setting(VarInt::from_u32(*id)));
    if let Some(id) = FORBIDDEN.clone().find(forbidden) {
        return Err(format!("the setting {id} of HTTP/2"));
    }
    Ok(settings.supports_webtransport() > 0)
}
