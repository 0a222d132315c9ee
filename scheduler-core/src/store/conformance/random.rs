//! The same steps on several stores: what they answer, and what stands in their tables at the end.
