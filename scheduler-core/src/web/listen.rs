//! The thread that listens, and what a connection may cost.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::pin,
    sync::{Arc, atomic::Ordering},
    thread,
    time::Duration,
};

use axum::{Router, http::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};
use tower::ServiceExt as _;

use super::{
    access::Peer,
    places::{Place, Places},
    router::router,
    site::Site,
};
use crate::{clock::sleep_at_most_5s, config::Config, registry::Registry, run::Watch};

/// Connections at once.
const MOST_CONNECTIONS: usize = 256;

/// How long a client may take to send the head of a request, also the next one on the same connection.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long the head of a request may be, in bytes; of one that is longer nothing is read.
const LONGEST_HEAD: usize = 32 << 10;

/// How long a connection lasts at most, whatever it is used for.
const LONGEST: Duration = Duration::from_secs(60);

/// How long the good-bye to the database may take.
const CLOSING: Duration = Duration::from_millis(200);

/// Until an address that is taken is tried again, and until the next connection after one that could not be accepted.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// Listens until it is dropped.
#[derive(Debug)]
#[must_use = "it stops listening when it is dropped"]
pub struct Web {
    address: Option<SocketAddr>,
    _stop: DropGuard,
}

impl Web {
    /// Answers at the address of `config` what is asked of the scheduler that `watch` sees; `None` if there is none.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        config: &Arc<Config>,
        registry: &Arc<Registry>,
        watch: Watch,
    ) -> io::Result<Option<Self>> {
        Self::answer(Site::new(Arc::clone(config), Arc::clone(registry), watch))
    }

    pub(super) fn answer(site: Site) -> io::Result<Option<Self>> {
        let Some(address) = site.config.http.listen else { return Ok(None) };
        let router = router(site.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let bound = bind(address);
        let stop = CancellationToken::new();
        let web = Self {
            address: bound.as_ref().ok().and_then(|listener| listener.local_addr().ok()),
            _stop: stop.clone().drop_guard(),
        };
        thread::Builder::new().name("web".to_owned()).spawn(move || {
            give_way();
            runtime.block_on(async {
                stop.run_until_cancelled(async {
                    serve(wait_for(bound, address).await, router).await
                })
                .await;
                let _ = tokio::time::timeout(CLOSING, site.close()).await;
            });
        })?;
        Ok(Some(web))
    }

    /// Where it listens; `None` if somebody else did when it was started.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }
}

/// By so much less of a core than others this thread has, and those that it starts, where cores are short: `nice`, 0 to 19.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// Lets what runs jobs on time go first. On Linux each thread has a niceness of its own.
fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::warn!("answers to HTTP are not put behind the scheduler itself: {error}");
    }
}

fn bind(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// The address, as soon as nobody else has it.
async fn wait_for(
    mut bound: io::Result<std::net::TcpListener>,
    address: SocketAddr,
) -> TcpListener {
    let mut is_said = false;
    loop {
        match bound.and_then(TcpListener::from_std) {
            Ok(listener) => {
                let address = listener.local_addr().unwrap_or(address);
                tracing::info!(%address, "listening: the page (see `scheduler login`), /api/v1, /metrics, /healthz, /readyz");
                return listener;
            }
            Err(error) if !is_said => {
                is_said = true;
                tracing::error!(%address, "cannot listen, trying again; see [http] listen: {error}");
            }
            Err(_) => {}
        }
        sleep_at_most_5s(TRY_AGAIN).await;
        bound = bind(address);
    }
}

async fn serve(listener: TcpListener, router: Router) -> Infallible {
    let places = Places::new(MOST_CONNECTIONS);
    loop {
        match listener.accept().await {
            Ok((connection, from)) => {
                let (router, place) = (router.clone(), places.take(from.ip()));
                tokio::spawn(answer(connection, from, router, place));
            }
            // As a rule there are no file descriptors left.
            Err(error) => {
                tracing::debug!("a connection is not accepted: {error}");
                sleep_at_most_5s(TRY_AGAIN).await;
            }
        }
    }
}

/// An error is the client's end of the connection, and nobody else's affair.
async fn answer(connection: TcpStream, from: SocketAddr, router: Router, place: Place) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(PATIENCE).max_buf_size(LONGEST_HEAD);
    let is_answering = Arc::clone(&place.is_answering);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(from.ip()));
        is_answering.store(true, Ordering::Relaxed);
        let (answer, is_answering) = (router.clone().oneshot(request), Arc::clone(&is_answering));
        async move {
            let answer = answer.await;
            is_answering.store(false, Ordering::Relaxed);
            answer
        }
    });
    let mut served = pin!(http.serve_connection(TokioIo::new(connection), service));
    let lasting = tokio::time::timeout(LONGEST, served.as_mut());
    let ended = match place.close.run_until_cancelled(lasting).await {
        None => return tracing::debug!("a connection is closed to make room"),
        Some(Ok(ended)) => ended,
        Some(Err(_)) => {
            // What is being answered is answered; the next request takes another connection.
            served.as_mut().graceful_shutdown();
            tokio::time::timeout(PATIENCE, served).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!("a request failed: {error}");
    }
}
