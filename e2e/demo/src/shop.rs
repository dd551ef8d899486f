//! The web application that is deployed: a git repository with one good commit after the other, and a bad one.

use dryad_stage::repository::{GitError, Repository};

/// A release of the shop: what its front page says.
pub(crate) fn front_page(number: usize) -> String {
    format!("shop {number}")
}

/// Commits a release that works.
pub(crate) fn good(repository: &Repository, number: usize, message: &str) -> Result<String, GitError> {
    let page = front_page(number);
    let commit = repository.commit(message, &[("index.html", Some(&page))])?;
    Ok(short(&commit))
}

/// Commits a release that boots and passes the load balancer's health check, and answers 500 on `/`.
pub(crate) fn bad(repository: &Repository, number: usize, message: &str) -> Result<String, GitError> {
    let page = front_page(number);
    let commit = repository.commit(message, &[("index.html", Some(&page)), ("status", Some("500"))])?;
    Ok(short(&commit))
}

/// Commits a release that works again after a bad one.
pub(crate) fn fixed(repository: &Repository, number: usize, message: &str) -> Result<String, GitError> {
    let page = front_page(number);
    let commit = repository.commit(message, &[("index.html", Some(&page)), ("status", None)])?;
    Ok(short(&commit))
}

fn short(commit: &str) -> String {
    commit.chars().take(7).collect()
}
