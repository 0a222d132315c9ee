//! Where a url leads: TLS, the master that a sentinel names, a cluster.

use scheduler_core::{
    anyhow,
    config::RedisPool,
    redis::{AsyncCommands as _, RedisResult},
};
use tests::{
    poll,
    servers::{Redis, RedisCluster, RedisWithSentinel, make_certificate},
};

use crate::{PATIENCE, no_redis, on_threads, quick, with_redis};

#[test]
fn rediss_checks_the_certificate_against_ssl_ca_or_the_public_authorities() {
    let folder = tempfile::tempdir().unwrap();
    if make_certificate(folder.path()).unwrap().is_none() {
        return no_redis();
    }
    let file = |name: &str| folder.path().join(name).display().to_string();
    let tls = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let options = ["--tls-port", &tls.to_string(), "--tls-auth-clients", "no"];
    let (cert, key) = (file("cert.pem"), file("key.pem"));
    let certificate = ["--tls-cert-file", &*cert, "--tls-key-file", &key];
    let server = Redis::start_with(&[&options[..], &certificate].concat()).unwrap();
    let Some(_server) = server else { return no_redis() };
    on_threads(async {
        let pool = quick(&format!("rediss://127.0.0.1:{tls}"));
        let known = RedisPool { ssl_ca: Some(cert.into()), ..pool.clone() };
        let () = with_redis(known.clone()).redis("a").await.unwrap().set("k", 1).await.unwrap();
        let said = |error| format!("{:#}", anyhow::Error::from(error));
        let error = said(with_redis(pool).redis("a").await.unwrap_err());
        assert!(error.contains("invalid peer certificate"), "{error}");
        // The certificate is for the address.
        let url = quick(&format!("rediss://localhost:{tls}")).url;
        let other = RedisPool { url, ..known.clone() };
        let error = said(with_redis(other).redis("a").await.unwrap_err());
        assert!(error.contains("invalid peer certificate"), "{error}");
        let gone = RedisPool { ssl_ca: Some("/no/such.pem".into()), ..known };
        let error = said(with_redis(gone).redis("a").await.unwrap_err());
        assert!(error.contains("ssl_ca /no/such.pem: No such file"), "{error}");
    });
}

#[test]
fn sentinels_lead_to_the_master_and_after_a_failover_to_the_new_one() {
    let Some(servers) = RedisWithSentinel::start("hunter2", "sesame").unwrap() else {
        return no_redis();
    };
    on_threads(async {
        // The first sentinel is not there.
        let url = format!(
            "redis+sentinel://:hunter2@127.0.0.1:1,127.0.0.1:{}/mymaster/0",
            servers.port()
        );
        let pool = |url: &str| {
            let password = Some("sesame".to_owned().into());
            RedisPool { sentinel_password: password, ..quick(url) }
        };
        let context = with_redis(pool(&url));
        let mut held = context.redis("a").await.unwrap();
        let () = held.set("k", "before").await.unwrap();
        let replica = servers.replica.port();
        servers.master.kill().unwrap();
        let is_new = || (servers.master_port() == Some(replica)).then_some(());
        poll::until(PATIENCE, is_new).expect("the sentinel makes the replica the master");
        let mut written: RedisResult<()> = held.set("k", "after").await;
        for _ in 0..50 {
            if written.is_ok() {
                break;
            }
            poll::until(std::time::Duration::from_millis(100), || None::<()>);
            written = held.set("k", "after").await;
        }
        written.unwrap();
        assert_eq!(context.redis("a").await.unwrap().get::<_, String>("k").await.unwrap(), "after");
        let refused = async |pool| {
            let error = with_redis(pool).redis("a").await.unwrap_err();
            format!("{:#}", anyhow::Error::from(error))
        };
        let said = refused(pool(&url.replace("mymaster", "nobody"))).await;
        assert!(said.contains("/nobody/0") && !said.contains("hunter2"), "{said}");
        let said = refused(quick(&url)).await;
        assert!(said.contains("NOAUTH"), "the sentinel has a password of its own: {said}");
    });
}

#[test]
fn a_cluster_is_found_by_one_of_its_nodes_and_keys_go_to_all() {
    let Some(cluster) = RedisCluster::start().unwrap() else { return no_redis() };
    on_threads(async {
        let known = cluster.nodes[1].port();
        let url = format!("redis+cluster://127.0.0.1:1,127.0.0.1:{known}");
        let context = with_redis(quick(&url));
        let mut connection = context.redis("a").await.unwrap();
        for key in 0..100 {
            let () = connection.set(format!("key {key}"), key).await.unwrap();
        }
        for node in &cluster.nodes {
            let size = node.client(&["dbsize"]).unwrap();
            assert!(size.trim().parse::<u32>().unwrap() > 10, "{size}");
        }
        let mut own = context.redis_own("a").await.unwrap();
        assert_eq!(own.get::<_, u32>("key 7").await.unwrap(), 7);
    });
}
