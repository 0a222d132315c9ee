//! Who we are: one incarnation of the program.

use uuid::Uuid;

use crate::telemetry::host_name;

/// A name that no other incarnation has, on this host or on another: host, pid and a random part, for example
/// `web-1:4711:8c1f6a90`; two hosts of one name are told apart by the random part. At most 100 characters.
#[must_use]
pub fn node_id() -> String {
    let random = Uuid::new_v4().simple().to_string();
    format!("{}:{}:{}", host_name(), std::process::id(), &random[..8])
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
