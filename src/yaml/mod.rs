//! YAML as Kubernetes reads and prints it.
