//! Which machine this is.

use std::{
    net::{IpAddr, Ipv4Addr, UdpSocket},
    sync::OnceLock,
};

/// The host's name for people, of at most 64 characters; `localhost` if it has none.
pub(crate) fn host_name() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
        let name = name.or_else(|| std::env::var("HOSTNAME").ok()).unwrap_or_default();
        let name: String =
            name.trim().chars().filter(|character| !character.is_control()).take(64).collect();
        if name.is_empty() { "localhost".to_owned() } else { name }
    })
}

/// The address by which this machine reaches others, as it was at the first call; that of the loopback if it reaches none.
pub(super) fn host_ip() -> &'static str {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    ADDRESS.get_or_init(|| {
        // Which way a packet would take: none is sent. The address is one of documentation (RFC 5737).
        let way = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).and_then(|socket| {
            socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9))?;
            socket.local_addr()
        });
        way.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |address| address.ip()).to_string()
    })
}
