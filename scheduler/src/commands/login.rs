//! `login`: a link for whoever may use this command line, who may do everything anyway.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use scheduler_core::web::make_link;
use serde::Serialize;

use crate::{
    context::{Context, user},
    exit::Exit,
    output::message,
};

/// How a link names who follows it where the system does not say who made it.
const SOMEBODY: &str = "admin";

#[derive(Serialize)]
struct Link<'a> {
    url: &'a str,
    name: &'a str,
}

/// Prints a link to the admin page of the scheduler that runs with this configuration.
///
/// # Errors
/// When the database is not there.
pub(crate) async fn login(context: &Context) -> anyhow::Result<Exit> {
    let Some(listen) = context.config().http.listen else {
        message("[http] listen is \"off\", expected an address: there is no page to log in to");
        return Ok(Exit::Finding);
    };
    let store = context.open().await?;
    let name = Some(user()).filter(|name| !name.is_empty());
    let name = name.as_deref().unwrap_or(SOMEBODY);
    let code = make_link(&*store, name).await?;
    let url = format!("http://{}/login#{code}", reachable(listen));
    context.output.object(&Link { url: &url, name }, || url.clone())?;
    Ok(Exit::Done)
}

/// Where this machine reaches what listens everywhere.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let here: IpAddr = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(here, listen.port())
}
