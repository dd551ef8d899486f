//! What green is made of: from the template that an Environment declares to what the cloud is asked for.
//!
//! Only [`launch`] asks the cloud, for what a template leaves open. Nothing is created here: that is [`act`](crate::act).

pub mod blueprint;
pub mod launch;
pub mod template;
