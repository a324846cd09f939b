/* Random arrays that satisfy declared facts, for the self-check. A file gets those that it uses. */

static double cr_random(void) {
    static unsigned long state = 12345;
    state = (state * 1103515245 + 12345) & 2147483647;
    return (double)state / 2147483648.0;
}

static void cr_fill(size_t n, real *x, double low, double high) {
    for (size_t k = 0; k < n; k++) {
        x[k] = (real)(low + (high - low) * cr_random());
    }
}

static void cr_indices(size_t n, size_t *x, size_t below) {
    for (size_t k = 0; k < n; k++) {
        x[k] = (size_t)(cr_random() * (double)below);
    }
}

static void cr_one_hot(size_t rows, size_t columns, real *x) {
    for (size_t i = 0; i < rows; i++) {
        const size_t at = (size_t)(cr_random() * (double)columns);
        for (size_t j = 0; j < columns; j++) {
            x[i * columns + j] = j == at ? 1 : 0;
        }
    }
}

static void cr_simplex(size_t rows, size_t columns, real *x) {
    for (size_t i = 0; i < rows; i++) {
        real sum = 0;
        for (size_t j = 0; j < columns; j++) {
            sum += x[i * columns + j];
        }
        for (size_t j = 0; j < columns; j++) {
            x[i * columns + j] /= sum;
        }
    }
}

static void cr_unit(size_t rows, size_t columns, real *x) {
    for (size_t i = 0; i < rows; i++) {
        real sum = 0;
        for (size_t j = 0; j < columns; j++) {
            sum += x[i * columns + j] * x[i * columns + j];
        }
        for (size_t j = 0; j < columns; j++) {
            x[i * columns + j] /= sqrt(sum);
        }
    }
}

static void cr_symmetric(size_t n, real *x) {
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            x[i * n + j] = x[j * n + i];
        }
    }
}

static void cr_spd(size_t n, real *x) {
    cr_symmetric(n, x);
    for (size_t i = 0; i < n; i++) {
        /* A diagonal that outweighs its row. */
        x[i * n + i] = 1;
        for (size_t j = 0; j < n; j++) {
            x[i * n + i] += j == i ? 0 : fabs(x[i * n + j]);
        }
    }
}

static void cr_orthogonal(size_t n, real *x) {
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            real along = 0;
            for (size_t k = 0; k < n; k++) {
                along += x[i * n + k] * x[j * n + k];
            }
            for (size_t k = 0; k < n; k++) {
                x[i * n + k] -= along * x[j * n + k];
            }
        }
        cr_unit(1, n, x + i * n);
    }
}

static void cr_diagonal(size_t n, real *x) {
    for (size_t k = 0; k < n * n; k++) {
        x[k] = k / n == k % n ? x[k] : 0;
    }
}

static void cr_triangular(size_t n, real *x) {
    for (size_t k = 0; k < n * n; k++) {
        x[k] = k % n <= k / n ? x[k] : 0;
    }
}
