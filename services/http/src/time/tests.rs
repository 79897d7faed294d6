use super::*;

#[test]
fn a_duration_reads_as_it_is_written() {
    for (text, seconds) in [
        ("0s", 0),
        ("90s", 90),
        ("45m", 2700),
        ("2h", 7200),
        ("30d", 2_592_000),
    ] {
        let read = parse_duration(text).unwrap();
        assert_eq!(read, Duration::from_secs(seconds));
        assert_eq!(duration(read), text);
    }
    for bad in [
        "",
        "5",
        "m",
        "-1m",
        "1.5h",
        "1 h",
        "1w",
        "4000d",
        "99999999999999999999s",
    ] {
        assert!(parse_duration(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_time_has_its_zone() {
    let nine = parse_time("2027-03-01T10:00:00+01:00").unwrap();
    assert_eq!(rfc3339(nine), "2027-03-01T09:00:00Z");
    for bad in [
        "",
        "2027-03-01",
        "2027-03-01T09:00:00",
        "1960-01-01T00:00:00Z",
        "9999-01-01T00:00:00Z",
    ] {
        assert!(parse_time(bad).is_err(), "{bad}");
    }
}
