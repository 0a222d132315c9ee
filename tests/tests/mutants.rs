//! The list of mutants fits the code. Whether each is noticed: `cargo run -p tests --bin mutants`.

use tests::mutants::{all, workspace};

#[test]
fn every_mutant_fits_the_code_in_one_place() {
    let mutants = all().unwrap();
    assert!(mutants.len() >= 15, "{} mutants", mutants.len());
    for mutant in mutants {
        if let Err(error) = mutant.changes(workspace()) {
            panic!("{error:#}");
        }
    }
}
