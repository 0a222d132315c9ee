//! What most verbs begin with: the configuration, the linked jobs and the database.

use std::{path::Path, sync::Arc};

use scheduler_core::{
    App,
    app::Prepared,
    config::{self, Config, ConfigError, StoreChoice},
    registry::Registry,
    run::open_store,
    store::{SharedStore, StoreError},
};

use crate::{cli::Globals, exit, output::Output};

/// Configuration and jobs, both checked.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) prepared: Prepared,
    pub(crate) output: Output,
}

impl Context {
    /// Touches nothing but the files of the configuration.
    ///
    /// # Errors
    /// When the configuration, the set of jobs or what is shared with them is refused.
    pub(crate) fn load(globals: &Globals, app: App) -> anyhow::Result<Self> {
        let config = load_config(&globals.conf, &app)?;
        Ok(Self { prepared: app.prepare(&config)?, output: Output::new(globals.json) })
    }

    pub(crate) fn config(&self) -> &Config {
        self.prepared.config()
    }

    pub(crate) fn registry(&self) -> &Arc<Registry> {
        self.prepared.registry()
    }

    /// The database with tables that are fit to use. Creates and changes nothing.
    ///
    /// # Errors
    /// When the database is not there, or its tables are not those of this program.
    pub(crate) async fn open(&self) -> anyhow::Result<SharedStore> {
        let store = self.reach().await?;
        store.check_schema().await.map_err(at_start)?;
        Ok(store)
    }

    /// The database, whatever its tables are. Creates and changes nothing.
    ///
    /// # Errors
    /// When the database is not there.
    pub(crate) async fn reach(&self) -> anyhow::Result<SharedStore> {
        if let StoreChoice::Sqlite(path) = &self.config().common.store
            && !path.exists()
        {
            return Err(exit::unreachable(format!(
                "sqlite:{} does not exist yet: run `scheduler` or `scheduler migrate` first",
                path.display()
            )));
        }
        open_store(self.config()).await.map_err(at_start)
    }
}

/// The files of the environment that `APP_ENV` names, with the sections of `app`.
///
/// # Errors
/// Every mistake in them.
pub(crate) fn load_config(folder: &Path, app: &App) -> Result<Config, ConfigError> {
    let app_env = std::env::var_os("APP_ENV");
    let app_env = app_env.as_deref().map_or("local".into(), |name| name.to_string_lossy());
    app.load_config(folder, &app_env, config::environment())
}

/// At the start, a database that goes away or does not answer in time counts as one that is not there.
pub(crate) fn at_start(error: StoreError) -> anyhow::Error {
    if error.is_out_of_reach() { exit::unreachable(error.chain()) } else { error.into() }
}

/// Who sits at the command line, as far as the system says.
pub(crate) fn user() -> String {
    let named = ["SUDO_USER", "USER", "LOGNAME", "USERNAME"].into_iter().find_map(std::env::var_os);
    named.map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}
