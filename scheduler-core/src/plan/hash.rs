//! A digest that is the same on every node and in every release, which the hasher of the standard library does not
//! promise.

/// FNV-1a, 64 bit, with the offset basis and the prime of its specification.
pub(crate) fn fnv1a(text: impl AsRef<[u8]>) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    text.as_ref().iter().copied().fold(0xcbf2_9ce4_8422_2325, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_vector_of_its_specification_comes_out() {
        assert_eq!(fnv1a("foobar"), 0x8594_4171_f739_67e8);
    }
}
