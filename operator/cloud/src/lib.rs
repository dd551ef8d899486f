//! What Dryad asks of a cloud: one trait, its types, its closed errors.
