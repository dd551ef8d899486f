//! What the model promises, on a clock that stands still unless a test moves it.

mod balancing;
mod capacity;
mod deploy;
mod faults;
mod health;
mod limits;
mod stage;
mod templates;
mod time;
mod zones;
