mod at_the_api;
mod decisions;
mod model;

use tokio::time::Instant;

use super::*;

/// A Lease as somebody would see it that was written as version `version`.
fn record(version: u64, holder: Holder, epoch: i32) -> Observed {
    Observed::Present(Record {
        version: version.to_string(),
        holder,
        epoch: Epoch::read(Some(epoch)),
        claims: Durations::default().lease(),
        renewed: None,
    })
}

fn somebody(name: &str) -> Holder {
    Holder::read(Some(name))
}

fn epoch_of(standing: Standing) -> Option<(i32, Takeover, Instant)> {
    match standing {
        Standing::Leading(Leadership { epoch, takeover, valid_until }) => {
            Some((epoch.write(), takeover, valid_until))
        }
        Standing::Asking | Standing::Standby | Standing::Over => None,
    }
}
