//! What real users write wrong, a module for each mistake.

chainrule::derive_grad! {
    mod products {
        dim B, N, M;
        input x: [B, N];
        param W: [M, N], b: [M];
        loss E = sum((x @ W + b)^2);
    }
}

chainrule::derive_grad! {
    mod sums {
        dim B, M;
        target t: [B, M];
        param b: [B];
        loss E = mean((t - b)^2);
    }
}

chainrule::derive_grad! {
    mod axes {
        dim B, N;
        param z: [B, N];
        loss E = sum(softmax(z, axis=2)^2) + sum(softmax(z, dim=1));
    }
}

chainrule::derive_grad! {
    mod indices {
        dim N, M, K;
        input x: [N];
        param W: [N, M], V: [K, M];
        z[k] = x[j] * W[j,k];
        y[k] = sum[j](x[j] * V[j,k]);
        loss E = sum(z * y);
    }
}

chainrule::derive_grad! {
    mod names {
        param w, v;
        loss E = (w + bias)^2 + z;
        z = w * v;
        z = tanh(z);
    }
}

chainrule::derive_grad! {
    mod calls {
        dim N;
        param w: [N];
        loss E = mse(w) + torch.sum(w) + w.mean();
    }
}

chainrule::derive_grad! {
    mod transposes {
        dim N, M;
        input x: [N];
        param W: [N, M];
        loss E = sum(W^T @ x);
    }
}

chainrule::derive_grad! {
    mod products_without_a_sign {
        param x, y;
        loss E = 2x + (x + 1)(y - 1);
    }
}

chainrule::derive_grad! {
    mod semicolons {
        dim N;
        input x: [N];
        param w: [N]
        z = w * x
        loss E = sum(z^2);
    }
}

chainrule::derive_grad! {
    mod statements {
        let z = 2;
        parameter w: [3];
        param v;
        loss E = v^2;
    }
}

chainrule::derive_grad! {
    mod sizes {
        param w: [2.5], v: [M];
        loss E = sum(w) + sum(v);
    }
}

chainrule::derive_grad! {
    mod numbers {
        const n = 0;
        param x;
        loss E = x / n + x * 1e400;
    }
}

fn main() {}
