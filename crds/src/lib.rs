//! Dryad's API types, and the CRD YAML generated from them.
