//! The workloads in the language.

use chainrule::derive_grad;

derive_grad! {
    pub mod w1 {
        input x: [1, 10], t: [1, 1];
        param w: [10, 1];
        loss E = 1/2 * sum((sigmoid(x @ w) - t)^2);
    }
}

derive_grad! {
    pub mod w2 {
        input x: [2, 4], y: [2, 3];
        param w: [4, 3], b: [3];
        loss E = mean((softmax(x @ w + b, axis=1) - y)^2);
    }
}

derive_grad! {
    pub mod w3 {
        input x: [25, 64];
        target y: [25, 10] one_hot;
        param w1: [64, 20], b1: [20], w2: [20, 20], b2: [20], w3: [20, 10], b3: [10];
        h = sigmoid(sigmoid(x @ w1 + b1) @ w2 + b2);
        loss E = cross_entropy(softmax(h @ w3 + b3), y);
    }
}

derive_grad! {
    pub mod w3_any {
        dim B;
        input x: [B, 64];
        target y: [B, 10] one_hot;
        param w1: [64, 20], b1: [20], w2: [20, 20], b2: [20], w3: [20, 10], b3: [10];
        h = sigmoid(sigmoid(x @ w1 + b1) @ w2 + b2);
        loss E = cross_entropy(softmax(h @ w3 + b3), y);
    }
}

derive_grad! {
    pub mod w4 {
        input x: [8, 2], y: [8, 1];
        param w1: [2, 3], w2: [3, 1];
        loss E = mean((x @ w1 @ w2 - y)^2);
    }
}

derive_grad! {
    pub mod w5 {
        input x: [128, 784];
        target y: [128, 10] one_hot;
        param w1: [784, 256], b1: [256], w2: [256, 10], b2: [10];
        loss E = cross_entropy(softmax(relu(x @ w1 + b1) @ w2 + b2), y);
    }
}

derive_grad! {
    pub mod w5_any {
        dim B;
        input x: [B, 784];
        target y: [B, 10] one_hot;
        param w1: [784, 256], b1: [256], w2: [256, 10], b2: [10];
        loss E = cross_entropy(softmax(relu(x @ w1 + b1) @ w2 + b2), y);
    }
}

derive_grad! {
    pub mod w6 {
        input x: [256, 784];
        target y: [256, 10] one_hot;
        param w1: [784, 512], b1: [512], w2: [512, 512], b2: [512], w3: [512, 10], b3: [10];
        h = relu(relu(x @ w1 + b1) @ w2 + b2);
        loss E = cross_entropy(softmax(h @ w3 + b3), y);
    }
}

derive_grad! {
    pub mod w6_any {
        dim B;
        input x: [B, 784];
        target y: [B, 10] one_hot;
        param w1: [784, 512], b1: [512], w2: [512, 512], b2: [512], w3: [512, 10], b3: [10];
        h = relu(relu(x @ w1 + b1) @ w2 + b2);
        loss E = cross_entropy(softmax(h @ w3 + b3), y);
    }
}

derive_grad! {
    pub mod w7 {
        input x: [10000, 100], y: [10000];
        param w: [100], b;
        loss E = bce(sigmoid(x @ w + b), y);
    }
}

derive_grad! {
    pub mod w8 {
        input x: [1000000];
        param a: [1000000], b: [1000000];
        loss E = sum(tanh(a * x + b) * sigmoid(x));
    }
}

derive_grad! {
    pub mod w9 {
        input x: [1, 64];
        target y: [1, 10] one_hot;
        param w1: [64, 20], b1: [20], w2: [20, 20], b2: [20], w3: [20, 10], b3: [10];
        h = sigmoid(sigmoid(x @ w1 + b1) @ w2 + b2);
        loss E = cross_entropy(softmax(h @ w3 + b3), y);
    }
}
