//! The credential scope of a signed request: who calls which service of which region.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

/// What the `Authorization` header says besides the signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scope<'a> {
    pub(super) access_key: &'a str,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
}

impl<'a> Scope<'a> {
    /// The scope of `AWS4-HMAC-SHA256 Credential=<key>/<date>/<region>/<service>/aws4_request, …`.
    pub(super) fn of(authorization: &'a str) -> Option<Self> {
        let rest = authorization.strip_prefix("AWS4-HMAC-SHA256")?;
        let credential = rest.split(',').find_map(|part| part.trim().strip_prefix("Credential="))?;
        match credential.split('/').collect::<Vec<_>>().as_slice() {
            [access_key, _date, region, service, "aws4_request"] => {
                Some(Self { access_key, region, service })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Scope;

    #[test]
    fn a_signed_request_says_who_calls_what() {
        let header = "AWS4-HMAC-SHA256 Credential=123456789012/20260101/eu-west-1/autoscaling/aws4_request, \
                      SignedHeaders=host;x-amz-date, Signature=00";
        let scope = Scope { access_key: "123456789012", region: "eu-west-1", service: "autoscaling" };
        assert_eq!(Scope::of(header), Some(scope));
    }

    #[test]
    fn anything_else_says_nothing() {
        for header in
            ["", "Bearer x", "AWS4-HMAC-SHA256 Credential=a/b/c", "AWS4-HMAC-SHA256 SignedHeaders=host"]
        {
            assert_eq!(Scope::of(header), None, "{header:?}");
        }
    }
}
