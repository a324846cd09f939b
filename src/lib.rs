//! Closed-form gradients.
