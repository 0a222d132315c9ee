//! `migrate`: brings the tables to the newest version. Harmless when they are there already.

use serde::Serialize;

use crate::{
    context::{Context, at_start},
    exit::Exit,
};

#[derive(Serialize)]
struct Migrated<'a> {
    database: &'a str,
    done: bool,
}

/// Migrates, and checks the result.
///
/// # Errors
/// When the database does not answer or refuses.
pub(crate) async fn migrate(context: &Context) -> anyhow::Result<Exit> {
    let store = context.prepared.open().await.map_err(at_start)?;
    let migrated = Migrated { database: store.database(), done: true };
    context.output.object(&migrated, || format!("{}: done", migrated.database))?;
    Ok(Exit::Done)
}
