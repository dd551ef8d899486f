//! The wire door over real HTTP, with a client that knows nothing of AWS.

mod client;
mod control;
mod protocols;
mod unanswered;
