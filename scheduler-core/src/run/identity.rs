//! Who we are: one incarnation of the program.

use uuid::Uuid;

/// A name that no other incarnation has, on this host or on another: host, pid and a random part, for example
/// `web-1:4711:8c1f6a90`. At most 100 characters.
#[must_use]
pub fn node_id() -> String {
    let random = Uuid::new_v4().simple().to_string();
    format!("{}:{}:{}", host(), std::process::id(), &random[..8])
}

/// The host's name for people; two hosts of one name are told apart by the random part.
fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = name.or_else(|| std::env::var("HOSTNAME").ok()).unwrap_or_default();
    let name: String =
        name.trim().chars().filter(|character| !character.is_control()).take(64).collect();
    if name.is_empty() { "localhost".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_two_incarnations_share_a_name() {
        let (one, other) = (super::node_id(), super::node_id());
        assert_ne!(one, other);
        assert!(one.chars().count() <= 100, "{one}");
    }
}
