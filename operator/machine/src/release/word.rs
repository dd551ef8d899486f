//! The strings of a release, each a [word](crate::word) that cannot hold a bad one.
//!
//! All are printable ASCII without spaces, quotes, `$`, `;`, `&` or any other character a shell would act
//! on, never begin with a dash, and fit into the value of an AWS tag or are never put into one.

use crate::word;
pub use crate::word::WordError;

/// A host's name or IPv4 address and perhaps a port. No credentials: a URL ends up in logs and in status.
macro_rules! host {
    () => {
        "[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?"
    };
}

/// A path without `.` and `..`; `%` only before two digits that are no control character's.
macro_rules! path {
    () => {
        concat!("(?:/\\.?", path_char!(), "+(?:\\.", path_char!(), "+)*)+/?")
    };
}

macro_rules! path_char {
    () => {
        "(?:[A-Za-z0-9_~+@=:-]|%(?:[2-689A-Fa-f][0-9A-Fa-f]|7[0-9A-Ea-e]))"
    };
}

/// What stands between two slashes of a branch: segments between single dots. Git forbids `.lock` at its end; the
/// dialect has no look-ahead, so that no segment after a dot is `lock` is spelt out letter by letter.
macro_rules! branch_part {
    () => {
        concat!(
            "[A-Za-z0-9_]",
            branch_char!(),
            "*(?:\\.(?:[A-Za-km-z0-9_@+=#-]",
            branch_char!(),
            "*|l(?:[A-Za-np-z0-9_@+=#-]",
            branch_char!(),
            "*)?|lo(?:[A-Zabd-z0-9_@+=#-]",
            branch_char!(),
            "*)?|loc(?:[A-Za-jl-z0-9_@+=#-]",
            branch_char!(),
            "*)?|lock",
            branch_char!(),
            "+))*"
        )
    };
}

macro_rules! branch_char {
    () => {
        "[A-Za-z0-9_@+=#-]"
    };
}

word! {
    /// A branch, by the name that `git branch` shows, without `refs/heads/`.
    ///
    /// Narrower than `git check-ref-format`: what git allows and a shell would act on is refused too.
    Branch, "a branch", max 200,
    pattern concat!("^", branch_part!(), "(?:/", branch_part!(), ")*$"),
    rule "write it as `git branch` shows it, at most 200 letters, digits and _ @ + = # - . /, every part between \
          slashes beginning with a letter, a digit or _, without .. and without a part that ends in . or .lock"
}

word! {
    /// A commit in full: SHA-1 (40 digits) or SHA-256 (64 digits).
    Commit, "a full commit", max 64,
    pattern "^(?:[0-9a-f]{40}|[0-9a-f]{64})$",
    rule "write all 40 (or 64) hexadecimal digits in lower case, as `git rev-parse` shows them"
}

word! {
    /// A commit in full or abbreviated to its first seven digits or more.
    CommitPrefix, "a commit", max 64,
    pattern "^[0-9a-f]{7,64}$",
    rule "write 7 to 64 hexadecimal digits in lower case, as `git log` shows them"
}

word! {
    /// Where a git repository is. Which schemes may really be spoken is the operator's decision, made where git
    /// is run; see [`RepositoryUrl::scheme`].
    RepositoryUrl, "a repository", max 512,
    pattern concat!(
        "^(?:https://", host!(), "|ssh://(?:[A-Za-z0-9_][A-Za-z0-9_.-]*@)?", host!(), "|file://)", path!(), "$"
    ),
    rule "write https://host/path or ssh://user@host/path, at most 512 characters, without a password (it belongs \
          into a Secret), a query, .. or characters that a shell would act on"
}

word! {
    /// Where the instances fetch an overlay.
    ///
    /// One query parameter at most, and no `&`: a signed URL expires, and instances are launched long after the
    /// deploy.
    OverlayUrl, "an overlay's URL", max 256,
    pattern concat!("^https://", host!(), path!(), "(?:[?](?:", path_char!(), "|[./])+)?$"),
    rule "write https://host/path, at most 256 characters, without a password, .., & or other characters that a \
          shell would act on (a signed URL would expire before the last instance is launched)"
}

word! {
    /// A SHA-256 digest.
    Sha256, "a SHA-256 digest", max 64,
    pattern "^[0-9a-f]{64}$",
    rule "write its 64 hexadecimal digits in lower case, as `sha256sum` shows them"
}

word! {
    /// An Amazon machine image.
    ImageId, "a machine image", max 36,
    pattern "^ami-[0-9a-f]{4,32}$",
    rule "write ami- and its hexadecimal digits in lower case"
}

impl Commit {
    /// Its first twelve digits: enough to tell it apart, short enough for a column.
    pub fn short(&self) -> &str {
        &self.0[..12]
    }
}

impl CommitPrefix {
    /// Whether `commit` begins with these digits.
    pub fn abbreviates(&self, commit: &Commit) -> bool {
        commit.0.starts_with(&self.0)
    }
}

impl From<Commit> for CommitPrefix {
    fn from(commit: Commit) -> Self {
        Self(commit.0)
    }
}

/// How a repository is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Over HTTP with TLS.
    Https,
    /// Over SSH.
    Ssh,
    /// On the operator's own disk.
    File,
}

impl RepositoryUrl {
    /// How it is reached.
    pub fn scheme(&self) -> Scheme {
        if self.0.starts_with("https:") {
            Scheme::Https
        } else if self.0.starts_with("ssh:") {
            Scheme::Ssh
        } else {
            Scheme::File
        }
    }
}
