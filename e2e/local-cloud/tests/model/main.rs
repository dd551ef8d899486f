//! What the model promises, on a clock that stands still unless a test moves it.

mod deploy;
mod stage;
