//! Media time, encoded frames, LOC packaging, MSF catalog, MP4.
