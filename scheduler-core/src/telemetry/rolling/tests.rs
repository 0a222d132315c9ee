//! Files as they stand on the disk.

use std::{collections::BTreeMap, process::Command, thread};

use tempfile::TempDir;

use super::*;

fn rolling(folder: &TempDir, max_bytes: u64, backups: u32) -> RollingFile {
    let path = folder.path().join("logs/x.log");
    RollingFile::new(LogFile { path, max_bytes, backups })
}

fn log(file: &mut RollingFile, record: &str) {
    file.make_room(record.len()).unwrap();
    file.append(record.as_bytes()).unwrap();
}

/// Every file of `folder` by its name.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read_to_string(entry.path()).unwrap())
        })
        .collect()
}

fn check_files(folder: &TempDir, expected: &[(&str, &str)]) {
    let expected: BTreeMap<String, String> =
        expected.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    assert_eq!(files(&folder.path().join("logs")), expected);
}

#[test]
fn it_rolls_over_before_the_line_with_which_it_would_reach_its_size() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = rolling(&folder, 10, 2);
    for record in ["1234\n", "567\n", "89\n", "0123456789\n", "a\n", "b\n"] {
        log(&mut file, record);
    }
    check_files(&folder, &[("x.log", "a\nb\n"), ("x.log.1", "0123456789\n"), ("x.log.2", "89\n")]);
}

#[test]
fn without_a_size_or_without_backups_it_grows() {
    for (max_bytes, backups) in [(0, 5), (5, 0)] {
        let folder = tempfile::tempdir().unwrap();
        let mut file = rolling(&folder, max_bytes, backups);
        (0..5).for_each(|_| log(&mut file, "1234\n"));
        check_files(&folder, &[("x.log", &"1234\n".repeat(5))]);
    }
}

#[test]
fn a_file_that_is_renamed_or_removed_and_a_folder_that_is_gone_are_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = rolling(&folder, 0, 0);
    let path = file.path().to_owned();
    log(&mut file, "1\n");
    fs::rename(&path, path.with_extension("old")).unwrap();
    log(&mut file, "2\n");
    check_files(&folder, &[("x.log", "2\n"), ("x.old", "1\n")]);
    fs::remove_file(&path).unwrap();
    log(&mut file, "3\n");
    check_files(&folder, &[("x.log", "3\n"), ("x.old", "1\n")]);
    fs::remove_dir_all(folder.path().join("logs")).unwrap();
    log(&mut file, "4\n");
    check_files(&folder, &[("x.log", "4\n")]);
}

#[test]
fn what_cannot_be_written_is_an_error_and_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = rolling(&folder, 0, 0);
    fs::write(folder.path().join("logs"), "a file in place of the folder").unwrap();
    assert!(file.append(b"lost\n").is_err());
    fs::remove_file(folder.path().join("logs")).unwrap();
    log(&mut file, "1\n");
    // A device is written and never rolled over.
    let full = LogFile { path: "/dev/full".into(), max_bytes: 1, backups: 1 };
    let mut full = RollingFile::new(full);
    full.make_room(100).unwrap();
    assert_eq!(full.append(b"lost\n").unwrap_err().kind(), io::ErrorKind::StorageFull);
}

#[test]
fn a_record_of_which_a_part_was_written_is_taken_back_unless_somebody_wrote_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.log");
    let mut file = open(&path).unwrap();
    file.write_all(b"whole\nha").unwrap();
    assert!(take_back(&file, 2));
    assert_eq!(fs::read_to_string(&path).unwrap(), "whole\n");
    file.write_all(b"ha").unwrap();
    open(&path).unwrap().write_all(b"other\n").unwrap();
    assert!(!take_back(&file, 2));
    assert_eq!(fs::read_to_string(&path).unwrap(), "whole\nhaother\n");
}

#[test]
fn a_part_of_a_record_that_cannot_be_taken_back_is_ended_before_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = rolling(&folder, 0, 0);
    log(&mut file, "ha");
    file.is_torn = true;
    log(&mut file, "next\n");
    log(&mut file, "last\n");
    check_files(&folder, &[("x.log", "ha\nnext\nlast\n")]);
}

#[test]
fn a_file_that_cannot_be_rolled_over_grows_and_is_tried_again_after_a_while() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = rolling(&folder, 10, 2);
    let record = "3333333\n";
    [record; 2].iter().for_each(|record| log(&mut file, record));
    // A folder stands where the older file is to be renamed to.
    fs::create_dir_all(folder.path().join("logs/x.log.2/full")).unwrap();
    assert!(file.make_room(record.len()).is_err());
    file.append(record.as_bytes()).unwrap();
    [record; 3].iter().for_each(|record| log(&mut file, record));
    let text = |name: &str| fs::read_to_string(folder.path().join("logs").join(name)).unwrap();
    assert_eq!((text("x.log"), text("x.log.1")), (record.repeat(5), record.to_owned()));
    file.rolls_again_at = Duration::ZERO;
    fs::remove_dir_all(folder.path().join("logs/x.log.2")).unwrap();
    log(&mut file, record);
    assert_eq!((text("x.log"), text("x.log.1")), (record.to_owned(), record.repeat(5)));
}

#[test]
fn several_writers_of_one_file_lose_no_line_and_split_none() {
    let folder = tempfile::tempdir().unwrap();
    // While one writer rolls over the others go on, so that how often it rolls over is up to the machine: each writes
    // until it did five times.
    let fifth = folder.path().join("logs/x.log.5");
    let mut expected: Vec<String> = thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let (mut file, fifth) = (rolling(&folder, 20_000, 500), &fifth);
                scope.spawn(move || {
                    let mut lines = vec![];
                    while lines.len() < 1_000 || !fifth.exists() {
                        let line = format!("{writer} {:x>20}", lines.len());
                        log(&mut file, &format!("{line}\n"));
                        lines.push(line);
                    }
                    lines
                })
            })
            .collect();
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    });
    let files = files(&folder.path().join("logs"));
    let mut lines: Vec<&str> = files.values().flat_map(|text| text.lines()).collect();
    lines.sort_unstable();
    expected.sort_unstable();
    assert_eq!(lines.len(), expected.len());
    assert!(lines.iter().eq(&expected), "the lines differ");
}

/// The same records, written by Python's own handler.
const PYTHON: &str = r#"
import logging, logging.handlers, sys
path, records, max_bytes, backups = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
handler = logging.handlers.RotatingFileHandler(path, maxBytes=max_bytes, backupCount=backups)
logger = logging.getLogger("x")
logger.setLevel(logging.INFO)
logger.addHandler(handler)
for line in open(records):
    logger.info("%s", line.rstrip("\n"))
"#;

#[test]
fn the_files_are_byte_for_byte_those_of_pythons_handler() {
    let records: Vec<String> = (0..2_000_usize)
        .map(|number| format!("{number} {}\n", "r".repeat(number * 7_919 % 400)))
        .collect();
    for (max_bytes, backups) in [(4_096, 3), (1_000, 7), (65_536, 1), (500, 200), (2_000, 0)] {
        let folder = tempfile::tempdir().unwrap();
        let theirs = folder.path().join("python");
        fs::create_dir(&theirs).unwrap();
        let input = folder.path().join("records");
        fs::write(&input, records.concat()).unwrap();
        let mut file = rolling(&folder, max_bytes, backups);
        records.iter().for_each(|record| log(&mut file, record));
        let python = Command::new("python3")
            .args(["-c", PYTHON])
            .arg(theirs.join("x.log"))
            .arg(input)
            .args([max_bytes.to_string(), backups.to_string()])
            .status();
        match python {
            Ok(status) => assert!(status.success()),
            Err(error) if std::env::var_os("REQUIRE_SERVERS").is_none() => {
                return eprintln!("not compared: no python3 here: {error}");
            }
            Err(error) => panic!("python3: {error}"),
        }
        let (ours, theirs) = (files(&folder.path().join("logs")), files(&theirs));
        assert!(ours == theirs, "{max_bytes} bytes, {backups} backups: {:?}", ours.keys());
    }
}
