//! What a program shares with its jobs: one value of a type as state, one as config, which are its settings, and the
//! pools of `mysql.toml` and `redis.toml`.
//!
//! Filled once, where the program is built, and only read from then on; so a job gets a plain reference, and
//! whoever wants to change what is shared brings a lock of his own. The HTTP client is here, too, since it is one for
//! all jobs of a program.

use std::{
    any::{Any, TypeId, type_name},
    collections::HashMap,
    fmt,
    sync::Arc,
};

use super::http::SharedClient;
use crate::pools::Pools;

/// State and config, each by its type, and pools by their names. Clones share the values.
#[derive(Clone, Default)]
pub struct Shared {
    state: Values,
    config: Values,
    http: SharedClient,
    pools: Pools,
}

/// A value of a type that only its reader knows.
pub type SharedValue = Arc<dyn Any + Send + Sync>;

#[derive(Clone, Default)]
struct Values(HashMap<TypeId, (&'static str, SharedValue)>);

/// A job asked for what its program does not give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotShared {
    asked: Asked,
    wanted: &'static str,
    /// In alphabetical order.
    known: Vec<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    State,
    Config,
}

impl Shared {
    /// Adds state, in place of what there was of this type.
    pub fn add_state<T: Send + Sync + 'static>(&mut self, value: T) {
        self.state.add(TypeId::of::<T>(), type_name::<T>(), Arc::new(value));
    }

    /// Adds config, in place of what there was of this type.
    pub fn add_config<T: Send + Sync + 'static>(&mut self, value: T) {
        self.config.add(TypeId::of::<T>(), type_name::<T>(), Arc::new(value));
    }

    /// The same for a `value` of a type that only its reader knows, which is `id` and has `name`.
    pub fn add_config_of(&mut self, id: TypeId, name: &'static str, value: SharedValue) {
        self.config.add(id, name, value);
    }

    /// Gives these pools, in place of what there were.
    pub fn set_pools(&mut self, pools: Pools) {
        self.pools = pools;
    }

    /// The pools; none by default.
    #[must_use]
    pub fn pools(&self) -> &Pools {
        &self.pools
    }

    pub(super) fn http(&self) -> &SharedClient {
        &self.http
    }

    /// The state of this type.
    ///
    /// # Errors
    /// When none is registered.
    pub fn state<T: 'static>(&self) -> Result<&T, NotShared> {
        self.state.get().ok_or_else(|| self.state.missing::<T>(Asked::State))
    }

    /// The config of this type.
    ///
    /// # Errors
    /// When none is declared.
    pub fn config<T: 'static>(&self) -> Result<&T, NotShared> {
        self.config.get().ok_or_else(|| self.config.missing::<T>(Asked::Config))
    }
}

impl Values {
    fn add(&mut self, id: TypeId, name: &'static str, value: SharedValue) {
        self.0.insert(id, (name, value));
    }

    fn get<T: 'static>(&self) -> Option<&T> {
        self.0.get(&TypeId::of::<T>()).and_then(|(_, value)| value.downcast_ref())
    }

    fn missing<T>(&self, asked: Asked) -> NotShared {
        NotShared { asked, wanted: type_name::<T>(), known: self.names() }
    }

    fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.0.values().map(|(name, _)| *name).collect();
        names.sort_unstable();
        names
    }
}

/// The names of the types: a value may be a secret.
impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("state", &self.state.names())
            .field("config", &self.config.names())
            .field("pools", &self.pools)
            .finish()
    }
}

impl fmt::Display for NotShared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { asked, wanted, known } = self;
        let known =
            if known.is_empty() { String::new() } else { format!(", only {}", known.join(", ")) };
        match asked {
            Asked::State => write!(
                f,
                "no state of type {wanted} is registered{known}: \
                 register it with App::state where the program is built"
            ),
            Asked::Config => write!(
                f,
                "no settings of type {wanted} are declared{known}: declare them with \
                 App::config::<{wanted}>(\"NAME\") where the program is built"
            ),
        }
    }
}

impl std::error::Error for NotShared {}
