//! Strategies, and the steps they compile to.

use crate::plan::{Share, Step};

/// How a release is brought in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Strategy {
    /// All of green is proven apart, then takes all traffic at once.
    BlueGreen,
}

impl Strategy {
    /// The steps, first to last.
    pub fn steps(self) -> Vec<Step> {
        match self {
            Self::BlueGreen => vec![
                Step { capacity: Share::ALL, traffic: Share::NONE },
                Step { capacity: Share::ALL, traffic: Share::ALL },
            ],
        }
    }
}
