//! The tick: reconcile loops, releases from git, checks, leader election.
