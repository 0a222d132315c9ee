//! A program with jobs: what it shares with them, and the one way in which a scheduler is put together.
//!
//! ```text
//! App ── state, config ──▶ prepare(config) ──▶ Prepared ── open ──▶ store ──▶ run(store, stop)
//!  │       mistakes are        all of them        checked; nothing                until asked
//!  │       gathered            refused here       touched yet
//!  └── start(config) ──▶ Running        the same on a task of its own, for a program with other work
//! ```
//!
//! The command line takes the long way, since it adds its own steps between; other programs take the short one.

mod prepared;
mod running;
#[cfg(test)]
mod tests;

use std::{
    any::{TypeId, type_name},
    collections::BTreeMap,
    fmt,
    panic::Location,
    path::Path,
    sync::Arc,
};

use serde::de::DeserializeOwned;

pub use self::{prepared::Prepared, running::Running};
use crate::{
    config::{Config, ConfigError, Section},
    job::Shared,
    pools::Pools,
    registry::{Registry, RegistryError},
    run::RunError,
    store::StoreError,
};

/// What a program gives to its jobs.
///
/// ```
/// use scheduler_core::{App, Args, Context, JobResult, job};
/// use serde::Deserialize;
///
/// /// `[app.mail]` in `common.toml`.
/// #[derive(Deserialize)]
/// struct Mail {
///     host: String,
///     port: u16,
/// }
///
/// struct Greeting(String);
///
/// #[job("greet")]
/// async fn greet(_task_key: &str, _args: Args, ctx: Context) -> JobResult {
///     let (mail, greeting) = (ctx.config::<Mail>()?, ctx.state::<Greeting>()?);
///     tracing::info!(host = mail.host, mail.port, "{}", greeting.0);
///     Ok(())
/// }
///
/// pub fn app() -> App {
///     App::new().config::<Mail>("mail").state(Greeting("hello".into()))
/// }
/// ```
#[derive(Debug, Default)]
pub struct App {
    shared: Shared,
    sections: Vec<Section>,
    /// Where each thing was registered, in the order of the calls.
    registered: BTreeMap<Thing, Vec<&'static Location<'static>>>,
}

/// What can be registered once only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Thing {
    State(TypeId, &'static str),
    Config(TypeId, &'static str),
    Section(&'static str),
}

/// Why a program's scheduler does not start, or has ended otherwise than by a stop that ran its course.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The same was registered more than once. Everything that was is here.
    #[error("{}", lines(.0))]
    Twice(Vec<Twice>),
    /// The configuration is refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The jobs are refused.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The database is not there, or its tables cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The operating system gives no threads.
    #[error("the system gives no threads for jobs")]
    Threads(#[source] std::io::Error),
    /// The scheduler ended by itself.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A task of ours panicked, or was dropped with its runtime.
    #[error("the scheduler ended half way: {0}")]
    Broken(#[from] tokio::task::JoinError),
}

/// A thing that was registered more than once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Twice {
    /// What it is, `state of type jobs::Greeting`.
    pub what: String,
    /// Where, in the order of the calls.
    pub places: Vec<&'static Location<'static>>,
    /// What to do instead.
    pub help: &'static str,
}

impl App {
    /// Shares nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Shares `value` with the jobs: [`Context::state`](crate::Context::state) finds it by its type. A second
    /// value of one type is refused at the start.
    #[must_use]
    #[track_caller]
    pub fn state<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        self.shared.add_state(value);
        self.register(Thing::State(TypeId::of::<T>(), type_name::<T>()));
        self
    }

    /// Declares the section `[app.name]` of `common.toml`, whose settings
    /// [`Context::config`](crate::Context::config) finds by their type. It is read at the start, and may be absent
    /// only if a `T` can be read from an empty table. A second section of one type, or a second type of one
    /// section, is refused at the start; a program without files gives the settings with
    /// [`config_value`](Self::config_value) instead.
    #[must_use]
    #[track_caller]
    pub fn config<T: DeserializeOwned + Send + Sync + 'static>(
        mut self,
        name: &'static str,
    ) -> Self {
        self.sections.push(Section::of::<T>(name));
        self.register(Thing::Config(TypeId::of::<T>(), type_name::<T>()));
        self.register(Thing::Section(name));
        self
    }

    /// Gives settings as they are, where no section of a file holds them: for a program whose [`Config`] comes from
    /// [`Config::sqlite`]. [`Context::config`](crate::Context::config) finds them by their type.
    ///
    /// A second value of one type is refused at the start, and so is a section of that type: if one of the two won,
    /// either the file or the program would be ignored without a word.
    ///
    /// ```
    /// use scheduler_core::App;
    ///
    /// struct Mail {
    ///     host: String,
    /// }
    ///
    /// let app = App::new().config_value(Mail { host: "localhost".to_owned() });
    /// ```
    #[must_use]
    #[track_caller]
    pub fn config_value<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        self.shared.add_config(value);
        self.register(Thing::Config(TypeId::of::<T>(), type_name::<T>()));
        self
    }

    #[track_caller]
    fn register(&mut self, thing: Thing) {
        self.registered.entry(thing).or_default().push(Location::caller());
    }

    /// Reads the configuration with the sections that are declared, as [`Config::load_with`] does.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn load_config(
        &self,
        folder: &Path,
        app_env: &str,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Config, ConfigError> {
        Config::load_with(folder, app_env, env, &self.sections)
    }

    /// Checks all that can be checked before anything is touched, and brings it together.
    ///
    /// # Errors
    /// [`AppError::Twice`], [`AppError::Config`] and [`AppError::Registry`].
    pub fn prepare(mut self, config: &Config) -> Result<Prepared, AppError> {
        self.refuse_twice()?;
        config.check()?;
        for (section, value) in self.sections.iter().zip(config.read_sections(&self.sections)?) {
            self.shared.add_config_of(section.type_id(), section.type_name(), value);
        }
        self.shared.set_pools(Pools::new(config));
        let registry = Arc::new(Registry::linked()?);
        Ok(Prepared::new(Arc::new(config.clone()), registry, Arc::new(self.shared)))
    }

    fn refuse_twice(&self) -> Result<(), AppError> {
        let more_than_once = self.registered.iter().filter(|(_, places)| places.len() > 1);
        let mut twice: Vec<Twice> = more_than_once
            .map(|(thing, places)| Twice {
                what: thing.to_string(),
                places: places.clone(),
                help: thing.help(),
            })
            .collect();
        // Not by the id of the type, which differs from build to build.
        twice.sort_by(|one, other| one.what.cmp(&other.what));
        if twice.is_empty() { Ok(()) } else { Err(AppError::Twice(twice)) }
    }
}

impl Thing {
    fn help(&self) -> &'static str {
        match self {
            Thing::State(..) | Thing::Config(..) => {
                "leave one out, or wrap it in a type of its own"
            }
            Thing::Section(_) => "give the second a section of its own",
        }
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Thing::State(_, name) => write!(f, "state of type {name}"),
            Thing::Config(_, name) => write!(f, "settings of type {name}"),
            Thing::Section(name) => write!(f, "section [app.{name}]"),
        }
    }
}

impl fmt::Display for Twice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, places, help } = self;
        let places: Vec<_> =
            places.iter().map(|at| format!("{}:{}", at.file(), at.line())).collect();
        write!(f, "{what}: registered at {}, expected once: {help}", places.join(" and "))
    }
}

fn lines(twice: &[Twice]) -> String {
    twice.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
