//! Identifiers that look random and are not: the same seed gives the same ids.

/// A source of identifiers, advanced by each one it gives (`SplitMix64`).
#[derive(Debug, Clone)]
pub(crate) struct Ids(u64);

impl Ids {
    /// A source for one place: the seed of the world, mixed with the place's name.
    pub(crate) fn new(seed: u64, name: &str) -> Self {
        let mixed = name.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self(mixed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Sixteen hexadecimal digits, the tail of an ELB ARN.
    pub(crate) fn hex16(&mut self) -> String {
        format!("{:016x}", self.next())
    }

    /// `<prefix>-0…`: an EC2 id with its seventeen hexadecimal digits.
    pub(crate) fn ec2(&mut self, prefix: &str) -> String {
        format!("{prefix}-0{:016x}", self.next())
    }

    /// A UUID, as activities and groups carry.
    pub(crate) fn uuid(&mut self) -> String {
        let (a, b) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xfff,
            b >> 52,
            b & 0xffff_ffff_ffff
        )
    }
}
