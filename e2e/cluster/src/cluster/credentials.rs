//! Who may talk to a cluster: its certificate authority, and what that signs.
//!
//! Users are client certificates: name and group stand in the subject, so that any number of them can be made while
//! the cluster runs. What they may do is RBAC's business. (One group: rcgen writes an attribute of a subject once.)

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose,
};

/// What a client shows to be somebody.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Proof<'a> {
    /// A client certificate.
    Certificate(&'a Identity),
    /// A token of a service account's.
    Token(&'a str),
}

/// A certificate and its private key, both PEM.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// The authority that every party of one cluster trusts. Its key is never written anywhere.
#[derive(Debug)]
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

impl Authority {
    /// A new one.
    pub(crate) fn new() -> Result<Self, rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut params = subject("dryad-cluster-ca");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), certificate })
    }

    /// Its certificate, PEM: public.
    pub(crate) fn certificate(&self) -> &str {
        &self.certificate
    }

    /// What the API server shows to its clients.
    pub(crate) fn server(&self) -> Result<Identity, rcgen::Error> {
        let names = ["127.0.0.1", "localhost", "kubernetes.default.svc"].map(String::from);
        let mut params = subject("kube-apiserver");
        params.subject_alt_names = CertificateParams::new(names)?.subject_alt_names;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(&params)
    }

    /// What a client shows to be `user`, a member of `group`.
    pub(crate) fn user(&self, user: &str, group: Option<&str>) -> Result<Identity, rcgen::Error> {
        let mut params = subject(user);
        if let Some(group) = group {
            params.distinguished_name.push(DnType::OrganizationName, group);
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(&params)
    }

    fn sign(&self, params: &CertificateParams) -> Result<Identity, rcgen::Error> {
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?.pem();
        Ok(Identity { certificate, key: key.serialize_pem() })
    }
}

/// The pair that signs and verifies the tokens of service accounts.
pub(crate) fn service_account_keys() -> Result<KeyPair, rcgen::Error> {
    KeyPair::generate()
}

fn subject(common_name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new(); // The default one has a name of rcgen's.
    params.distinguished_name.push(DnType::CommonName, common_name);
    params
}
