//! Mistakes as people make them: each at its own tokens, with what to write instead.

chainrule::derive_grad! {
    pub mod add_shapes {
        dim B, N, M;
        input x: [B, N];
        target t: [B, M];
        param w: [N];
        o = x * w;
        loss E = mean((o - t)^2);
    }
}

chainrule::derive_grad! {
    pub mod arity {
        dim N;
        input x: [N];
        target t: [N];
        param w: [N];
        loss E = mse(w * x) + sum(tanh(w, x));
    }
}

chainrule::derive_grad! {
    pub mod assignment_in_condition {
        dim N;
        param x: [N];
        y = where(x = 0, 1, x);
        loss E = sum(y);
    }
}

chainrule::derive_grad! {
    pub mod bad_dimension {
        dim N = 2.5, K = 0;
        input x: [N, 1.5];
        param w: [-3], v: [M];
        loss E = sum(w^2) + sum(v^2);
    }
}

chainrule::derive_grad! {
    pub mod bad_fact {
        dim N, M;
        target t: [N, M] onehot;
        param A: [N, M] symmetric, c positve;
        loss E = sum((A - t)^2) + c;
    }
}

chainrule::derive_grad! {
    pub mod batch_and_bias {
        dim B, N, M;
        input x: [B, N];
        target t: [B, M];
        param W: [N, M], b: [B];
        o = x @ W + b;
        loss E = mse(o, t);
    }
}

chainrule::derive_grad! {
    pub mod cascade {
        dim N, M;
        input x: [N];
        param W: [N, M];
        z = x @ Q;
        a = sigmoid(z);
        b = a + z;
        loss E = sum(a * b);
        loss F = sum(W @ W);
    }
}

chainrule::derive_grad! {
    pub mod compound_assignment {
        param x;
        z = x^2;
        z += 1;
        loss E = z;
    }
}

chainrule::derive_grad! {
    pub mod concat_sizes {
        dim N, M, K;
        param A: [N, M], B: [K, M];
        z = concat(A, B, axis=1);
        loss E = sum(z^2);
    }
}

chainrule::derive_grad! {
    pub mod division_by_zero {
        const n = 0;
        param x;
        loss E = x / n + x / 0;
    }
}

chainrule::derive_grad! {
    pub mod einsum_letters {
        dim N, M, K;
        param A: [N, M], B: [M, K];
        C = einsum("ij,jk->ik", A);
        D = einsum("ij,jk->il", A, B);
        F = einsum("ijk,jk->ik", A, B);
        loss E = sum(C) + sum(D) + sum(F);
    }
}

chainrule::derive_grad! {
    pub mod equality_as_definition {
        param x;
        y == x^2;
        loss E = y;
    }
}

chainrule::derive_grad! {
    pub mod function_typo {
        dim N;
        input x: [N];
        param w: [N];
        loss E = sum(sigmod(x * w)) + sum(softmx(w));
    }
}

chainrule::derive_grad! {
    pub mod gradient_of_discrete {
        dim N;
        param w: [N];
        i = argmax(w);
        loss E = i^2;
    }
}

chainrule::derive_grad! {
    pub mod hat_transpose {
        dim N, M;
        input x: [N];
        param W: [N, M];
        z = W^T @ x;
        loss E = sum(z^2);
    }
}

chainrule::derive_grad! {
    pub mod implicit_multiplication {
        param x, y;
        z = 2x + 3(x + y) + x y;
        loss E = z^2 + (x + 1)(y - 1);
    }
}

chainrule::derive_grad! {
    pub mod index_out_of_range {
        param w: [3];
        loss E = w[0]^2 + w[3]^2;
    }
}

chainrule::derive_grad! {
    pub mod index_ranges {
        dim N, M, K;
        input x: [N];
        param W: [M, K];
        z[k] = sum[j](x[j] * W[j,k]);
        loss E = sum(z^2);
    }
}

chainrule::derive_grad! {
    pub mod integer_index {
        dim B, V, D;
        input idx: [B];
        param T: [V, D];
        e = T[idx];
        loss E = sum(e^2);
    }
}

chainrule::derive_grad! {
    pub mod layers {
        dim B, N;
        input x: [B, N];
        target t: [B, 3];
        net mlp = dense(20) |> sigmiod |> dense() |> softmax(4);
        p = mlp(x);
        loss E = cross_entropy(p, t);
    }
}

chainrule::derive_grad! {
    pub mod loss_named_twice {
        param x;
        loss E = x^2;
        loss E = x^3;
    }
}

chainrule::derive_grad! {
    pub mod matlab_operators {
        dim N;
        input x: [N];
        param w: [N];
        z = w .* x ./ 2;
        loss E = sum(z.^2) % the squares
    }
}

chainrule::derive_grad! {
    pub mod matmul_shapes {
        dim B, N, M;
        input x: [B, N];
        param W: [M, N], b: [M];
        z = x @ W + b;
        loss E = sum(z^2);
    }
}

chainrule::derive_grad! {
    pub mod matmul_swapped {
        dim D, H, N;
        input x: [D, N];
        param W: [H, D];
        z = x @ W;
        loss E = sum(z^2);
    }
}

chainrule::derive_grad! {
    pub mod methods {
        dim N;
        input x: [N];
        param w: [N, N];
        z = (w * x).sum();
        loss E = x.sum() + w.T.mean();
    }
}

chainrule::derive_grad! {
    pub mod non_scalar_loss {
        dim B, N, M;
        input x: [B, N];
        target t: [B, M];
        param W: [N, M];
        loss E = (x @ W - t)^2;
    }
}

chainrule::derive_grad! {
    pub mod not_square {
        dim N, M;
        param A: [N, M];
        loss E = logdet(A) + trace(A);
    }
}

chainrule::derive_grad! {
    pub mod numpy_calls {
        dim N, M;
        input x: [N];
        param W: [N, M];
        z = np.dot(x, W);
        loss E = np.linalg.norm(z);
    }
}

chainrule::derive_grad! {
    pub mod power_stars {
        param x;
        loss E = x**2 + x*^2;
    }
}

chainrule::derive_grad! {
    pub mod program_without_loss {
        dim N;
        input x: [N];
        param w: [N];
        z = sum(w * x);
    }
}

chainrule::derive_grad! {
    pub mod redefinition {
        dim N;
        input x: [N];
        param w: [N];
        z = w * x;
        z = sigmoid(z);
        loss E = sum(z);
    }
}

chainrule::derive_grad! {
    pub mod reshape_sizes {
        param w: [6];
        z = reshape(w, [4, 2]);
        loss E = sum(z^2);
    }
}

chainrule::derive_grad! {
    pub mod softmax_axis {
        dim B, N, M;
        input x: [B, N];
        param W: [N, M];
        p = softmax(x @ W, axis=2);
        loss E = -mean(log(p));
    }
}

chainrule::derive_grad! {
    pub mod too_many_indices {
        dim N;
        param w: [N];
        loss E = w[0, 1]^2;
    }
}

chainrule::derive_grad! {
    pub mod torch_calls {
        dim N, M;
        input x: [N];
        param W: [N, M];
        z = torch.relu(x @ W);
        loss E = torch.sum(z);
    }
}

chainrule::derive_grad! {
    pub mod unbound_index {
        dim N, M;
        input x: [N];
        param W: [N, M];
        z[k] = x[j] * W[j,k];
        loss E = sum(z^2);
    }
}

chainrule::derive_grad! {
    pub mod undeclared_param {
        dim B, N, M;
        input x: [B, N];
        target t: [B, M];
        param W: [N, M];
        o = sigmoid(x @ W + b);
        loss E = mse(o, t);
    }
}

chainrule::derive_grad! {
    pub mod unknown_keyword {
        dim B, N;
        input x: [B, N];
        param w: [N];
        p = softmax(x * w, dim=1);
        loss E = -sum(log(p));
    }
}

chainrule::derive_grad! {
    pub mod unknown_statement {
        dim N;
        inptu x: [N];
        parameter w: [N];
        let z = w^2;
        loss E = sum(z);
    }
}

chainrule::derive_grad! {
    pub mod unused_param {
        dim N;
        input x: [N];
        target t;
        param w: [N], b;
        loss E = (sum(w * x) - t)^2;
    }
}

chainrule::derive_grad! {
    pub mod use_before_definition {
        dim N;
        input x: [N];
        param w: [N];
        loss E = sum(o);
        o = sigmoid(w * x);
    }
}

chainrule::derive_grad! {
    pub mod variable_typo {
        dim N;
        input inputs: [N];
        param weight: [N];
        z = weights * inptus;
        loss E = sum(z^2);
    }
}

chainrule::derive_grad! {
    pub mod wrt_unreached {
        dim N;
        input x: [N], y: [N];
        param w: [N];
        loss E = sum(w * x);
        grad E wrt w, y, v;
    }
}

fn main() {}
