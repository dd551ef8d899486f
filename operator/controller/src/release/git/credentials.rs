//! A user name and password for a repository, which never show.

use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::ByteString;

/// A user name and a password (or token), as a Secret of type `kubernetes.io/basic-auth` holds them.
///
/// They reach git through its environment, never through its arguments or the URL, and neither `Debug` nor any
/// error shows them.
#[derive(Clone, PartialEq, Eq)]
pub struct BasicAuth {
    username: String,
    password: String,
}

/// A Secret that holds no usable credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// A key is not there.
    #[error(
        "the Secret has no key `{0}`: it needs `username` and `password`, as type kubernetes.io/basic-auth has"
    )]
    Missing(&'static str),
    /// A value cannot be a user name or password.
    #[error("the Secret's `{0}` is not plain text on one line: write it without a line break at its end")]
    NotALine(&'static str),
}

impl BasicAuth {
    /// Takes `username` and `password` from a Secret's data.
    ///
    /// # Errors
    /// [`CredentialsError`] if one is missing or cannot be handed to git.
    pub fn from_secret(data: &BTreeMap<String, ByteString>) -> Result<Self, CredentialsError> {
        let line = |key: &'static str| {
            let value = data.get(key).ok_or(CredentialsError::Missing(key))?;
            let text = std::str::from_utf8(&value.0).map_err(|_| CredentialsError::NotALine(key))?;
            if text.contains(char::is_control) {
                return Err(CredentialsError::NotALine(key));
            }
            Ok(text.to_owned())
        };
        Ok(Self { username: line("username")?, password: line("password")? })
    }

    /// A credential helper for git, and the environment that it answers from: the shell's own `printf` puts
    /// nothing on a command line.
    pub(super) fn helper(&self) -> (&'static str, [(&'static str, &str); 2]) {
        let helper = r#"!f() { test "$1" = get && printf 'username=%s\npassword=%s\n' "$DRYAD_GIT_USERNAME" "$DRYAD_GIT_PASSWORD"; }; f"#;
        (helper, [("DRYAD_GIT_USERNAME", &self.username), ("DRYAD_GIT_PASSWORD", &self.password)])
    }
}

impl fmt::Debug for BasicAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BasicAuth(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(pairs: &[(&str, &[u8])]) -> BTreeMap<String, ByteString> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), ByteString(value.to_vec()))).collect()
    }

    #[test]
    fn a_secret_without_both_keys_says_which_one_it_lacks() {
        let error = BasicAuth::from_secret(&secret(&[("username", b"u")])).unwrap_err();
        assert_eq!(error, CredentialsError::Missing("password"));
    }

    #[test]
    fn a_line_break_cannot_smuggle_a_second_answer_to_git() {
        for bad in [&b"p\nhost=evil"[..], b"p\0", b"p\r", b"\xff"] {
            let error =
                BasicAuth::from_secret(&secret(&[("username", b"u"), ("password", bad)])).unwrap_err();
            assert_eq!(error, CredentialsError::NotALine("password"));
        }
    }

    #[test]
    fn debug_shows_neither_name_nor_password() {
        let held =
            BasicAuth::from_secret(&secret(&[("username", b"alice"), ("password", b"canary")])).unwrap();
        assert_eq!(format!("{held:?}"), "BasicAuth(…)");
    }
}
