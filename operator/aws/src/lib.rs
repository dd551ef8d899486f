//! [`dryad_cloud::Cloud`] over the AWS SDK: EC2 Auto Scaling, EC2, Elastic Load Balancing v2 and
//! Parameter Store.
//!
//! The only crate that names the SDK. [`aws`] is the door; behind it a `site` is one account in one region, with
//! its clients, and each call goes through it to be paid from a `budget`, bounded in time, sorted into a
//! [`CloudError`](dryad_cloud::CloudError) and counted. `groups`, `traffic`, `templates`, `instances` and `parameters` turn the
//! trait's words into requests and answers into the trait's words. Nothing here decides anything, and nothing of
//! what is read is kept.

mod aws;
mod budget;
mod call;
mod clients;
mod errors;
mod groups;
mod instances;
mod observer;
mod parameters;
mod settings;
mod site;
mod templates;
#[cfg(test)]
mod testing;
mod traffic;
mod whole;

pub use aws::Aws;
pub use observer::Observer;
pub use settings::{Credentials, Patience, Settings};
