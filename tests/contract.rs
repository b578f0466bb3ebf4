//! The contract is the one that the code makes.

/// `UPDATE=1 cargo test --workspace contract` writes the document anew.
#[test]
fn the_committed_document_is_the_one_that_the_types_make() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi/openapi.json");
    let made = format!("{:#}\n", api::openapi());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &made).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(made == committed, "stale: UPDATE=1 cargo test --workspace contract");
}
