//! In: functions of a flat slice. Out: an objective for argmin's solvers.

use argmin::core::{CostFunction, Error, Gradient};
use std::vec::Vec;

/// A loss and its gradient over the flat vector of parameters, for argmin's line searches, conjugate gradients, L-BFGS and so on.
///
/// ```
/// use argmin::core::{CostFunction, Gradient};
/// let objective = chainrule::interop::Objective::new(
///     |p: &[f64]| p[0] * p[0],
///     |p: &[f64], g: &mut [f64]| g[0] = 2.0 * p[0],
/// );
/// assert_eq!(objective.cost(&vec![3.0]).unwrap(), 9.0);
/// assert_eq!(objective.gradient(&vec![3.0]).unwrap(), [6.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Objective<C, G> {
    value: C,
    gradient: G,
}

impl<C: Fn(&[f64]) -> f64, G: Fn(&[f64], &mut [f64])> Objective<C, G> {
    /// From the loss, and from a function that writes its gradient into a slice as long as the parameters (zeroed).
    pub const fn new(value: C, gradient: G) -> Self {
        Self { value, gradient }
    }
}

impl<C: Fn(&[f64]) -> f64, G> CostFunction for Objective<C, G> {
    type Param = Vec<f64>;
    type Output = f64;
    fn cost(&self, params: &Vec<f64>) -> Result<f64, Error> {
        Ok((self.value)(params))
    }
}

impl<C, G: Fn(&[f64], &mut [f64])> Gradient for Objective<C, G> {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;
    fn gradient(&self, params: &Vec<f64>) -> Result<Vec<f64>, Error> {
        let mut grads = std::vec![0.0; params.len()];
        (self.gradient)(params, &mut grads);
        Ok(grads)
    }
}
