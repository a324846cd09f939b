//! The derive_grad! macro.
