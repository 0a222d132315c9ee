//! What was printed, logged, written and listed: each text is looked through as it comes.

use std::{fs, process::Command};

/// Stands in each secret, and nowhere else.
pub(crate) const NEEDLE: &str = "hunter2-marker";

pub(crate) struct Evidence {
    /// What is tried.
    pub(crate) of: String,
}

impl Evidence {
    /// Fails where `text` holds a secret, or the bytes of one as a list of numbers.
    #[track_caller]
    pub(crate) fn add(&self, from: &str, text: &str) {
        assert!(!text.is_empty(), "{}: {from} is empty", self.of);
        let bytes = format!("{:?}", NEEDLE.as_bytes());
        let numbers = bytes.trim_matches(['[', ']']);
        let found = text.lines().find(|line| line.contains(NEEDLE) || line.contains(numbers));
        assert_eq!(found, None, "{}: a secret is shown by {from}", self.of);
    }

    /// Runs a command that must end with `code`; all that it said.
    #[track_caller]
    pub(crate) fn ran(&self, mut command: Command, code: i32) -> String {
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        self.add(&format!("{command:?}").replace(NEEDLE, "…"), &said);
        assert_eq!(output.status.code(), Some(code), "{}: {said}", self.of);
        said
    }

    /// The command lines of all processes, among them that of `id`.
    #[track_caller]
    pub(crate) fn lists_processes(&self, id: u32) {
        assert!(!fs::read(format!("/proc/{id}/cmdline")).unwrap().is_empty());
        let processes = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
        // One that has ended since has no command line.
        let lines = processes.filter_map(|path| fs::read(path.join("cmdline")).ok());
        let list =
            lines.map(|line| String::from_utf8_lossy(&line).into_owned()).collect::<Vec<_>>();
        self.add("the list of processes", &list.join("\n"));
    }
}
