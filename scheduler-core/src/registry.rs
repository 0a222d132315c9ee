//! Finds the jobs that are compiled into the program, and answers by name.
//!
//! Every `#[job]` in a crate that is linked registers itself before `main`. A [`Registry`] is what
//! came together, checked once at start: it is never empty, holds each name once, and is sorted by
//! name, so that the same program lists the same jobs in the same order.

use std::fmt;

use crate::{job::JobDescriptor, plan::words};

/// At most so many names are suggested for one that is unknown.
const MAX_NEAREST: usize = 3;

/// The jobs of this program, each under its own name.
#[derive(Debug, Clone)]
pub struct Registry {
    /// Sorted by name, which is unique. Never empty.
    jobs: Vec<&'static JobDescriptor>,
}

/// Why the jobs of this program cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// There is none.
    #[error(
        "no job is linked, expected at least one: the program must call a function of the crate with \
         the jobs, such as `jobs::app()`, or name it with `use jobs as _;`, and a function in it \
         must carry `#[job(\"name\")]`"
    )]
    Empty,
    /// Some share a name. All names that are shared are here, in alphabetical order.
    #[error("{}", join(.0, "; "))]
    Duplicate(Vec<DuplicateJob>),
}

/// A name that more than one function carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuplicateJob {
    /// The name.
    pub name: &'static str,
    /// Where the functions stand, by file and then by line.
    pub places: Vec<Place>,
}

/// A place in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// As the compiler was given it.
    pub file: &'static str,
    /// Counted from 1.
    pub line: u32,
}

impl Registry {
    /// The jobs that are linked into this program.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Empty`] if there is none, [`RegistryError::Duplicate`] if two share a name.
    pub fn linked() -> Result<Self, RegistryError> {
        Self::of(inventory::iter::<JobDescriptor>)
    }

    /// These jobs and no others, in any order. For tests; a program asks [`Registry::linked`].
    ///
    /// # Errors
    ///
    /// As [`Registry::linked`].
    pub fn of(
        jobs: impl IntoIterator<Item = &'static JobDescriptor>,
    ) -> Result<Self, RegistryError> {
        let mut jobs: Vec<_> = jobs.into_iter().collect();
        // By place as well: the linker decides the order in which jobs arrive.
        jobs.sort_by_key(|job| (job.name, job.file, job.line));
        if jobs.is_empty() {
            return Err(RegistryError::Empty);
        }
        let duplicates = duplicates(&jobs);
        if !duplicates.is_empty() {
            return Err(RegistryError::Duplicate(duplicates));
        }
        Ok(Self { jobs })
    }

    /// The job of exactly this name.
    pub fn get(&self, name: &str) -> Option<&'static JobDescriptor> {
        let index = self.jobs.binary_search_by_key(&name, |job| job.name).ok()?;
        self.jobs.get(index).copied()
    }

    /// All jobs, sorted by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'static JobDescriptor> {
        self.jobs.iter().copied()
    }

    /// The number of jobs, 1 or more.
    #[expect(
        clippy::len_without_is_empty,
        reason = "an empty registry is refused, so the question has one answer"
    )]
    pub fn len(&self) -> usize {
        self.jobs.len()
    }

    /// The names that `name` may have meant, nearest first, at most `limit` and never more than 3.
    ///
    /// Case does not count. Up to a third of the characters may differ; a swap of two neighbours
    /// counts once.
    pub fn nearest(&self, name: &str, limit: usize) -> Vec<&'static str> {
        words::nearest(name, self.jobs.iter().map(|job| job.name), limit.min(MAX_NEAREST))
    }
}

/// The names that stand more than once in `jobs`, which is sorted.
fn duplicates(jobs: &[&'static JobDescriptor]) -> Vec<DuplicateJob> {
    jobs.chunk_by(|a, b| a.name == b.name)
        .filter(|same| same.len() > 1)
        .map(|same| DuplicateJob {
            name: same[0].name,
            places: same.iter().map(|job| Place::of(job)).collect(),
        })
        .collect()
}

impl Place {
    fn of(job: &JobDescriptor) -> Self {
        Self { file: job.file, line: job.line }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl fmt::Display for DuplicateJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = join(&self.places, " and ");
        write!(f, "job {:?} is registered more than once: {places}", self.name)
    }
}

fn join(items: &[impl fmt::Display], separator: &str) -> String {
    let items: Vec<_> = items.iter().map(ToString::to_string).collect();
    items.join(separator)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{Body, JobOptions};

    fn job(name: &'static str, file: &'static str, line: u32) -> &'static JobDescriptor {
        Box::leak(Box::new(JobDescriptor {
            name,
            function: "tests::job",
            file,
            line,
            args: "Args",
            options: JobOptions::NONE,
            body: Body::Blocking(|_| Ok(())),
            check_args: |_| Ok(()),
        }))
    }

    fn registry(names: &[&'static str]) -> Registry {
        Registry::of(names.iter().map(|name| job(name, "src/a.rs", 1))).unwrap()
    }

    #[test]
    fn a_program_without_jobs_is_refused_and_told_what_to_do() {
        // No job is linked into the unit tests of this crate.
        let error = Registry::linked().unwrap_err();
        assert_eq!(error, RegistryError::Empty);
        assert_eq!(
            error.to_string(),
            "no job is linked, expected at least one: the program must call a function of the crate \
             with the jobs, such as `jobs::app()`, or name it with `use jobs as _;`, and a \
             function in it must carry `#[job(\"name\")]`"
        );
    }

    #[test]
    fn all_names_that_are_shared_are_reported_at_once_with_all_their_places() {
        let jobs = [
            job("b", "src/b.rs", 20),
            job("a", "src/z.rs", 1),
            job("b", "src/b.rs", 3),
            job("once", "src/c.rs", 5),
            job("a", "src/a.rs", 9),
            job("a", "src/a.rs", 8),
        ];
        let text = Registry::of(jobs).unwrap_err().to_string();
        assert_eq!(
            text,
            "job \"a\" is registered more than once: src/a.rs:8 and src/a.rs:9 and src/z.rs:1; \
             job \"b\" is registered more than once: src/b.rs:3 and src/b.rs:20"
        );
        let reversed = jobs.into_iter().rev();
        assert_eq!(Registry::of(reversed).unwrap_err().to_string(), text);
    }

    #[test]
    fn jobs_are_sorted_by_name_and_found_by_exactly_their_name() {
        let registry = registry(&["beta", "alpha", "Gamma"]);
        let names: Vec<_> = registry.iter().map(|job| job.name).collect();
        assert_eq!(names, ["Gamma", "alpha", "beta"]);
        assert_eq!(registry.len(), 3);
        for name in names {
            assert_eq!(registry.get(name).map(|job| job.name), Some(name));
        }
        for unknown in ["", "Alpha", "alpha ", "alph", "gamma"] {
            assert!(registry.get(unknown).is_none(), "{unknown:?} was found");
        }
    }

    #[track_caller]
    fn check_nearest(wanted: &str, limit: usize, expected: &[&str]) {
        let registry = registry(&["test_cron", "test_corn", "test_date", "test_interval", "ab"]);
        assert_eq!(registry.nearest(wanted, limit), expected, "{wanted:?}");
    }

    #[test]
    fn a_misspelt_name_is_answered_with_the_nearest_ones_first() {
        check_nearest("test_intervall", 3, &["test_interval"]);
        check_nearest("TEST_INTERVAL", 3, &["test_interval"]);
        check_nearest("test_cron", 3, &["test_cron", "test_corn"]);
        check_nearest("test_crn", 1, &["test_corn"]);
    }

    #[test]
    fn up_to_a_third_of_the_characters_may_differ() {
        check_nearest("test_xxxe", 3, &["test_date"]);
        check_nearest("tesx_xxxe", 3, &[]);
        check_nearest("xb", 3, &["ab"]);
        check_nearest("xy", 3, &[]);
        check_nearest("", 3, &[]);
        check_nearest(&"x".repeat(255), 3, &[]);
    }

    #[test]
    fn no_more_than_three_names_are_suggested() {
        let registry = registry(&["job_a", "job_b", "job_c", "job_d"]);
        assert_eq!(registry.nearest("job_x", 9), ["job_a", "job_b", "job_c"]);
        assert_eq!(registry.nearest("job_x", 2), ["job_a", "job_b"]);
        assert!(registry.nearest("job_x", 0).is_empty());
    }
}
