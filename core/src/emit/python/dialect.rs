//! The three libraries: what they are called and where they differ in more than a name.

use crate::emit::Dtype;
use crate::emit::helpers::{self, Helper};

/// NumPy, JAX or PyTorch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library {
    /// `np`
    NumPy,
    /// `jnp`
    Jax,
    /// `torch`
    Torch,
}

use Library::{Jax, NumPy, Torch};

impl Library {
    /// All of them.
    pub const ALL: [Library; 3] = [NumPy, Jax, Torch];

    /// The library's name in prose.
    pub fn title(self) -> &'static str {
        ["NumPy", "JAX", "PyTorch"][self.column()]
    }

    /// Its column in the rule book.
    pub fn column(self) -> usize {
        self as usize
    }

    /// The module.
    pub fn xp(self) -> &'static str {
        ["np", "jnp", "torch"][self.column()]
    }

    /// What the file imports.
    pub fn imports(self) -> &'static str {
        [
            "import numpy as np",
            "import jax\nimport jax.numpy as jnp\nimport numpy as np",
            "import numpy as np\nimport torch",
        ][self.column()]
    }

    /// The statement that fixes the type of numbers.
    pub fn dtype(self, dtype: Dtype) -> String {
        let bits = if dtype == Dtype::F32 { 32 } else { 64 };
        let set = format!("DTYPE = {}.float{bits}", self.xp());
        match (self, dtype) {
            // JAX rounds to 32 bits unless it is told not to.
            (Jax, Dtype::F64) => format!("jax.config.update(\"jax_enable_x64\", True)\n{set}"),
            _ => set,
        }
    }

    /// How the keyword for an axis is spelt.
    pub fn axis(self) -> &'static str {
        if self == Torch { "dim" } else { "axis" }
    }

    /// The axes in another order.
    pub fn permute(self) -> &'static str {
        ["np.transpose", "jnp.transpose", "torch.permute"][self.column()]
    }

    /// `value` as an array of the library, entries of type `dtype`.
    pub fn array(self) -> &'static str {
        ["np.asarray", "jnp.asarray", "torch.as_tensor"][self.column()]
    }

    /// The functions that emitted code may call.
    pub fn helpers(self) -> Vec<Helper> {
        let own = [include_str!("numpy.py"), include_str!("jax.py"), include_str!("torch.py")];
        let common = include_str!("common.py").replace("xp.", &format!("{}.", self.xp()));
        let mut all = helpers::parse(own[self.column()], defined);
        all.extend(helpers::parse(&common, defined));
        all
    }
}

/// The name that a line of Python defines at the top level.
pub fn defined(line: &str) -> Option<String> {
    let rest = line.strip_prefix("def ")?;
    rest.split_once('(').map(|(name, _)| name.to_string())
}
