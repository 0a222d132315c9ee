//! In whose name a message goes out.

use std::{fmt, sync::Arc};

/// A scheduler as those who are told know it. Displays as `scheduler online web-1:42:8c1f6a90`.
#[derive(Debug, Clone)]
pub struct Speaker {
    /// The name of its environment, `local`, `test` or `online`; empty where there is none.
    pub environment: Arc<str>,
    /// Its node.
    pub node: Arc<str>,
}

impl Speaker {
    /// `scheduler online `, which its machine or its node follows.
    pub(super) fn title(&self) -> String {
        let blank = if self.environment.is_empty() { "" } else { " " };
        format!("scheduler {}{blank}", self.environment)
    }
}

impl fmt::Display for Speaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.title(), self.node)
    }
}
