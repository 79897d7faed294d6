//! A catalog that parses comes back from what we write.
#![no_main]

use libfuzzer_sys::fuzz_target;
use parvis_format::catalog::Catalog;

fuzz_target!(|data: &[u8]| {
    let Ok(catalog) = Catalog::from_json(data) else {
        return;
    };
    let again = Catalog::from_json(catalog.to_json().as_bytes());
    assert_eq!(again.expect("what we write"), catalog);
});
