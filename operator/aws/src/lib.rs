//! The cloud trait over the AWS SDK.
