//! The API server's objects: kept in [`caches`], read for the machine by [`view`], written by [`record`], asked once
//! more before each change of the cloud by [`fence`], and told of in [`events`].

pub mod caches;
pub mod events;
pub mod fence;
pub mod guarded;
pub mod record;
pub mod view;
