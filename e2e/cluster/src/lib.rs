//! A real Kubernetes on a bare machine, for tests and the demo.
