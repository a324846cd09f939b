//! Python. In: a job. Out: a module that computes its losses and derivatives with NumPy, JAX or PyTorch.
//!
//! - [`module`]: the file: documentation, arguments; [`function`]: one function; [`attached`]: losses that the library differentiates by
//!   the closed form; [`kept`]: what they keep on their way forward; [`model`]: parameters as PyTorch has them; [`mesh`]: calls on many devices; [`check`]: the self-check.
//! - [`writer`]: the statements of one function; [`node`], [`product`], [`view`], [`scan`]: the expression of one node; [`layout`]: long lines.
//! - `*.py`: functions that the rule book's templates and the modules call. A file gets those that it uses.
//!
//! Invariant: what there is no code for is an error; nothing is differentiated or simplified here.

pub mod attached;
pub mod check;
pub mod dialect;
pub mod function;
pub mod kept;
pub mod layout;
pub mod mesh;
pub mod model;
pub mod module;
pub mod names;
pub mod node;
pub mod product;
pub mod scan;
pub mod sizes;
pub mod value;
pub mod view;
pub mod writer;

pub use dialect::Library;
pub use module::text;
