//! Elementary functions against the standard library and against 40 digits; kernels; shapes; initialisation.
mod math;
mod reference;
mod rest;
