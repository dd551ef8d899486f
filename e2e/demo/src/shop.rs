//! The web application that is deployed: a git repository with one good commit after the other, and a bad one.

use dryad_stage::repository::{GitError, Repository};

/// What the front page of a release says.
pub(crate) fn front_page(number: usize) -> String {
    format!("shop {number}")
}

/// Commits a release that works.
pub(crate) fn good(repository: &Repository, number: usize, message: &str) -> Result<(), GitError> {
    repository.commit(message, &[("index.html", Some(&front_page(number)))]).map(drop)
}

/// Commits a release that boots and passes the load balancer's health check, and answers 500 on `/`.
pub(crate) fn bad(repository: &Repository, number: usize, message: &str) -> Result<(), GitError> {
    repository
        .commit(message, &[("index.html", Some(&front_page(number))), ("status", Some("500"))])
        .map(drop)
}

/// Commits a release that works again, after the bad one.
pub(crate) fn mended(repository: &Repository, number: usize, message: &str) -> Result<(), GitError> {
    repository.commit(message, &[("index.html", Some(&front_page(number))), ("status", None)]).map(drop)
}

/// Commits the like to another branch.
pub(crate) fn mended_on(
    branch: &str,
    repository: &Repository,
    number: usize,
    message: &str,
) -> Result<(), GitError> {
    let page = front_page(number);
    repository.commit_aside(branch, message, &[("index.html", Some(&page)), ("status", None)]).map(drop)
}
