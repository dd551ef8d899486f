//! What git meant by what it printed.
//!
//! Git tells failures of the other side apart only in words, which are stable in the C locale. Only its own
//! words are repeated: lines that a server sent (`remote: …`) never leave here.

use dryad_machine::release::RepositoryUrl;

use crate::quote::Line;
use crate::release::ResolveError;
use crate::release::error::Held;

/// A failure, understood or not.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Explained {
    /// It means this.
    Known(ResolveError),
    /// It means nothing we know; git's own last word on it.
    Unknown(String),
}

/// What the failed command's standard error says about the repository.
pub(super) fn failure(stderr: &str, repository: &RepositoryUrl, held: Held) -> Explained {
    let own: Vec<&str> = stderr.lines().filter(|line| !line.trim_start().starts_with("remote:")).collect();
    let says = |needles: &[&str]| own.iter().any(|line| needles.iter().any(|needle| line.contains(needle)));
    let repository = repository.clone();
    Explained::Known(if says(&["transport '"]) && says(&["' not allowed"]) {
        let scheme = super::scheme_name(repository.scheme());
        ResolveError::ProtocolRefused { repository, scheme }
    } else if says(DENIED) {
        ResolveError::Denied { repository, held }
    } else if says(REDIRECTED) {
        ResolveError::Redirected { repository }
    } else if says(ABSENT) {
        ResolveError::NoRepository { repository, held }
    } else if says(UNREACHABLE) {
        ResolveError::RepositoryUnreachable { repository, detail: fatal_line(stderr) }
    } else {
        return Explained::Unknown(fatal_line(stderr));
    })
}

const DENIED: &[&str] = &[
    "Authentication failed",
    "could not read Username",
    "could not read Password",
    "returned error: 401",
    "returned error: 403",
    "HTTP 401",
    "HTTP 403",
    "Permission denied",
    "Host key verification failed",
];

const REDIRECTED: &[&str] = &[
    "returned error: 301",
    "returned error: 302",
    "returned error: 303",
    "returned error: 307",
    "returned error: 308",
    "HTTP 301",
    "HTTP 302",
    "HTTP 307",
    "HTTP 308",
    "unable to update url base from redirection",
];

const ABSENT: &[&str] = &["not found", "does not appear to be a git repository", "does not exist"];

const UNREACHABLE: &[&str] = &[
    "unable to access",
    "RPC failed",
    "early EOF",
    "the remote end hung up",
    "unexpected disconnect",
    "Could not read from remote repository",
    "couldn't find remote ref",
    "remote error",
    "expected flush",
    "invalid server response",
];

/// What git says of an answer that it does not take, and then repeats.
const REPEATS: &[&str] = &[
    "invalid server response",
    "protocol error",
    "invalid ls-refs response",
    "unexpected acknowledgment",
    "expected ACK/NAK",
    "expected shallow",
    "expected wanted-ref",
    "specified by server",
    "unknown value for object-format",
    "server doesn't support",
    "server does not support",
];

/// Git's own last word: its first `fatal:` or `error:` line, or ssh's, without what a server put into it.
pub(super) fn fatal_line(stderr: &str) -> String {
    let line = stderr
        .lines()
        .find_map(|line| ["ssh: ", "fatal: ", "error: "].iter().find_map(|prefix| line.strip_prefix(prefix)))
        .unwrap_or("git gave no reason");
    let own = match line {
        _ if line.contains("remote error") => "the server reported an error",
        _ if REPEATS.iter().any(|words| line.contains(words)) => "its answer is not that of a git server",
        own => own,
    };
    // The sentence around it names the repository already.
    let own =
        own.strip_prefix("unable to access '").and_then(|rest| rest.split_once("': ")).map_or(own, |x| x.1);
    Line::new(own).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(stderr: &str) -> Explained {
        failure(stderr, &"https://git.example.com/web".parse().unwrap(), Held::Nothing)
    }

    #[test]
    fn what_a_server_says_is_not_repeated() {
        let stderr = "remote: your password is hunter2\nfatal: remote error: hunter2 again\n";
        let Explained::Known(ResolveError::RepositoryUnreachable { detail, .. }) = explained(stderr) else {
            panic!("a server's error is an unreachable repository");
        };
        assert_eq!(detail, "the server reported an error");
    }

    #[test]
    fn nor_what_git_repeats_of_it() {
        for line in [
            "fatal: invalid server response; got 'hunter2'",
            "fatal: protocol error: unexpected 'hunter2'",
            "fatal: git fetch-pack: expected ACK/NAK, got 'hunter2'",
            "fatal: unknown object format 'hunter2' specified by server",
        ] {
            assert_eq!(fatal_line(line), "its answer is not that of a git server", "{line}");
        }
    }

    #[test]
    fn a_server_cannot_choose_the_failure_by_its_words() {
        let stderr = "remote: Authentication failed\nfatal: something odd\n";
        assert_eq!(explained(stderr), Explained::Unknown("something odd".to_owned()));
    }

    #[test]
    fn a_name_that_does_not_resolve_is_an_unreachable_repository() {
        let stderr =
            "fatal: unable to access 'https://git.example.com/web/': Could not resolve host: git.example.com";
        let Explained::Known(error) = explained(stderr) else { panic!("git says this every day") };
        assert_eq!(
            error.to_string(),
            "https://git.example.com/web could not be read (Could not resolve host: git.example.com); it is tried \
             again until the deadline"
        );
    }

    #[test]
    fn an_ssh_server_that_wants_a_key_has_denied_access() {
        let stderr = "git@git.example.com: Permission denied (publickey).\r\nfatal: Could not read from remote \
                      repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.";
        let repository = "ssh://git@git.example.com/web".parse().unwrap();
        let Explained::Known(error) = failure(stderr, &repository, Held::NoKey) else {
            panic!("ssh says this every day")
        };
        assert_eq!(
            error.to_string(),
            "ssh://git@git.example.com/web denied access with no ssh key (Dryad has none to show: use https): check \
             the repository and the Secret in `spec.source`"
        );
    }

    #[test]
    fn silence_is_no_known_failure() {
        assert_eq!(explained(""), Explained::Unknown("git gave no reason".to_owned()));
    }
}
