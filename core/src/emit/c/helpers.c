/* Functions that emitted C may call. A file gets those that it uses. A reduction gets `outer` blocks of `n` rows of `inner` numbers. */

static real cr_square(real x) {
    return x * x;
}

static real cr_larger(real a, real b) {
    return a != a || a > b ? a : b;
}

static real cr_smaller(real a, real b) {
    return a != a || a < b ? a : b;
}

static real cr_sign(real x) {
    if (x > 0) {
        return 1;
    }
    return x < 0 ? -1 : x;
}

static real cr_sigmoid(real x) {
    const real small = exp(-fabs(x));
    return (x < 0 ? small : 1) / (1 + small);
}

static real cr_softplus(real x) {
    return (x > 0 || x != x ? x : 0) + log1p(exp(-fabs(x)));
}

static real cr_logaddexp(real a, real b) {
    return a == b ? a + (real)0.6931471805599453 : cr_larger(a, b) + log1p(exp(-fabs(a - b)));
}

static real cr_logcosh(real x) {
    const real size = fabs(x);
    if (size < 1) {
        return log1p(2 * cr_square(sinh(x / 2)));
    }
    return size + log1p(exp(-2 * size)) - (real)0.6931471805599453;
}

static real cr_erfcx(real given) {
    const double x = given;
    double sum = 1;
    int k;
    if (!(x > 8)) {
        return (real)(exp(x * x) * erfc(x));
    }
    /* The asymptotic series, Abramowitz and Stegun, 7.1.23. */
    for (k = 21; k > 0; k -= 2) {
        sum = 1 - k * 0.5 / (x * x) * sum;
    }
    return (real)(0.5641895835477563 * sum / x);
}

static real cr_logerfc(real given) {
    const double x = given;
    double sum = 1;
    int k;
    if (!(x > 0.5)) {
        return (real)log1p(-erf(x));
    }
    if (!(x > 8)) {
        return (real)log(erfc(x));
    }
    for (k = 21; k > 0; k -= 2) {
        sum = 1 - k * 0.5 / (x * x) * sum;
    }
    return (real)(log(0.5641895835477563 * sum / x) - x * x);
}

static real cr_erfinv(real y) {
    const double t = fabs((double)y);
    double log_rest, b, x;
    int step;
    if (!(t < 1)) {
        return t == 1 ? (y > 0 ? INFINITY : -INFINITY) : NAN;
    }
    /* A first guess by S. Winitzki's formula, then Halley's method. */
    log_rest = log1p(-t * t);
    b = 2 / (3.141592653589793 * 0.147) + log_rest / 2;
    x = sqrt(fmax(sqrt(b * b - log_rest / 0.147) - b, 0));
    for (step = 0; step < 3; step++) {
        const double error = t < 0.5 ? erf(x) - t : (1 - t) - erfc(x);
        const double by = error / (1.1283791670955126 * exp(-x * x));
        x -= by / (1 + x * by);
    }
    return (real)(y < 0 ? -x : x);
}

static real cr_digamma(real given) {
    double x = given, sum = 0, z;
    if (x <= 0) {
        if (x == floor(x)) {
            return NAN;
        }
        sum = -3.141592653589793 / tan(3.141592653589793 * x);
        x = 1 - x;
    }
    for (; x < 10; x++) {
        sum -= 1 / x;
    }
    z = 1 / (x * x);
    z *= 1.0 / 12 - z * (1.0 / 120 - z * (1.0 / 252 - z * (1.0 / 240 - z * (5.0 / 660 - z * 691 / 32760))));
    return (real)(sum + log(x) - 0.5 / x - z);
}

static real cr_trigamma(real given) {
    double x = given, sum = 0, sign = 1, z;
    if (x <= 0) {
        if (x == floor(x)) {
            return INFINITY;
        }
        z = 3.141592653589793 / sin(3.141592653589793 * x);
        sum = z * z;
        sign = -1;
        x = 1 - x;
    }
    for (; x < 10; x++) {
        sum += sign / (x * x);
    }
    z = 1 / (x * x);
    z = 1 / x + z / 2 + z / x * (1.0 / 6 - z * (1.0 / 30 - z * (1.0 / 42 - z * (1.0 / 30 - z * (5.0 / 66 - z * 691 / 2730)))));
    return (real)(sum + sign * z);
}

static void cr_prod(size_t outer, size_t n, size_t inner, const real *x, real *y) {
    for (size_t o = 0; o < outer; o++) {
        for (size_t i = 0; i < inner; i++) {
            real product = 1;
            for (size_t k = 0; k < n; k++) {
                product *= x[(o * n + k) * inner + i];
            }
            y[o * inner + i] = product;
        }
    }
}

static void cr_max(size_t outer, size_t n, size_t inner, const real *x, real *y) {
    for (size_t o = 0; o < outer; o++) {
        for (size_t i = 0; i < inner; i++) {
            real best = -INFINITY;
            for (size_t k = 0; k < n; k++) {
                best = cr_larger(best, x[(o * n + k) * inner + i]);
            }
            y[o * inner + i] = best;
        }
    }
}

static void cr_min(size_t outer, size_t n, size_t inner, const real *x, real *y) {
    for (size_t o = 0; o < outer; o++) {
        for (size_t i = 0; i < inner; i++) {
            real best = INFINITY;
            for (size_t k = 0; k < n; k++) {
                best = cr_smaller(best, x[(o * n + k) * inner + i]);
            }
            y[o * inner + i] = best;
        }
    }
}

static void cr_norm2(size_t outer, size_t n, size_t inner, const real *x, real *y) {
    for (size_t o = 0; o < outer; o++) {
        for (size_t i = 0; i < inner; i++) {
            real top = 0, sum = 0;
            for (size_t k = 0; k < n; k++) {
                top = cr_larger(top, fabs(x[(o * n + k) * inner + i]));
            }
            for (size_t k = 0; k < n && top > 0 && top < INFINITY; k++) {
                sum += cr_square(x[(o * n + k) * inner + i] / top);
            }
            y[o * inner + i] = top > 0 && top < INFINITY ? top * sqrt(sum) : top;
        }
    }
}

static void cr_std(size_t outer, size_t n, size_t inner, const real *x, real *y) {
    for (size_t o = 0; o < outer; o++) {
        for (size_t i = 0; i < inner; i++) {
            real mean = 0, sum = 0;
            for (size_t k = 0; k < n; k++) {
                mean += x[(o * n + k) * inner + i] / (real)n;
            }
            for (size_t k = 0; k < n; k++) {
                sum += cr_square(x[(o * n + k) * inner + i] - mean);
            }
            y[o * inner + i] = sqrt(sum / (real)n);
        }
    }
}

static real cr_shift(size_t n, size_t step, const real *x) {
    real top = -INFINITY;
    for (size_t k = 0; k < n; k++) {
        top = cr_larger(top, x[k * step]);
    }
    return top == -INFINITY ? 0 : top;
}

static real cr_log_sum(size_t n, size_t step, const real *x) {
    const real top = cr_shift(n, step, x);
    real sum = 0;
    if (top == INFINITY) {
        return top;
    }
    for (size_t k = 0; k < n; k++) {
        sum += exp(x[k * step] - top);
    }
    return top + log(sum);
}

static void cr_logsumexp(size_t outer, size_t n, size_t inner, const real *x, real *y) {
    for (size_t o = 0; o < outer; o++) {
        for (size_t i = 0; i < inner; i++) {
            y[o * inner + i] = cr_log_sum(n, inner, x + o * n * inner + i);
        }
    }
}

static void cr_argmax(size_t outer, size_t n, size_t inner, const real *x, real *y) {
    for (size_t o = 0; o < outer; o++) {
        for (size_t i = 0; i < inner; i++) {
            const real *lane = x + o * n * inner + i;
            size_t best = 0;
            for (size_t k = 1; k < n; k++) {
                const real top = lane[best * inner], here = lane[k * inner];
                best = top == top && (here != here || here > top) ? k : best;
            }
            y[o * inner + i] = (real)best;
        }
    }
}

static void cr_argmin(size_t outer, size_t n, size_t inner, const real *x, real *y) {
    for (size_t o = 0; o < outer; o++) {
        for (size_t i = 0; i < inner; i++) {
            const real *lane = x + o * n * inner + i;
            size_t best = 0;
            for (size_t k = 1; k < n; k++) {
                const real top = lane[best * inner], here = lane[k * inner];
                best = top == top && (here != here || here < top) ? k : best;
            }
            y[o * inner + i] = (real)best;
        }
    }
}

static void cr_all(size_t outer, size_t n, size_t inner, const real *x, real *y) {
    for (size_t o = 0; o < outer; o++) {
        for (size_t i = 0; i < inner; i++) {
            y[o * inner + i] = 1;
            for (size_t k = 0; k < n; k++) {
                if (x[(o * n + k) * inner + i] == 0) {
                    y[o * inner + i] = 0;
                }
            }
        }
    }
}

static void cr_any(size_t outer, size_t n, size_t inner, const real *x, real *y) {
    for (size_t o = 0; o < outer; o++) {
        for (size_t i = 0; i < inner; i++) {
            y[o * inner + i] = 0;
            for (size_t k = 0; k < n; k++) {
                if (x[(o * n + k) * inner + i] != 0) {
                    y[o * inner + i] = 1;
                }
            }
        }
    }
}

static void cr_softmax(size_t outer, size_t n, size_t inner, const real *x, real *y) {
    for (size_t o = 0; o < outer; o++) {
        for (size_t i = 0; i < inner; i++) {
            const size_t from = o * n * inner + i;
            const real top = cr_shift(n, inner, x + from);
            real sum = 0;
            for (size_t k = 0; k < n; k++) {
                y[from + k * inner] = exp(x[from + k * inner] - top);
                sum += y[from + k * inner];
            }
            for (size_t k = 0; k < n; k++) {
                y[from + k * inner] /= sum;
            }
        }
    }
}

static void cr_log_softmax(size_t outer, size_t n, size_t inner, const real *x, real *y) {
    for (size_t o = 0; o < outer; o++) {
        for (size_t i = 0; i < inner; i++) {
            const size_t from = o * n * inner + i;
            const real top = cr_shift(n, inner, x + from);
            real sum = 0;
            for (size_t k = 0; k < n; k++) {
                sum += exp(x[from + k * inner] - top);
            }
            for (size_t k = 0; k < n; k++) {
                y[from + k * inner] = x[from + k * inner] - top - log(sum);
            }
        }
    }
}

static void cr_cumsum(size_t outer, size_t n, size_t inner, const real *x, real *y) {
    for (size_t o = 0; o < outer; o++) {
        for (size_t i = 0; i < inner; i++) {
            real sum = 0;
            for (size_t k = 0; k < n; k++) {
                sum += x[(o * n + k) * inner + i];
                y[(o * n + k) * inner + i] = sum;
            }
        }
    }
}

static void cr_cumprod(size_t outer, size_t n, size_t inner, const real *x, real *y) {
    for (size_t o = 0; o < outer; o++) {
        for (size_t i = 0; i < inner; i++) {
            real product = 1;
            for (size_t k = 0; k < n; k++) {
                product *= x[(o * n + k) * inner + i];
                y[(o * n + k) * inner + i] = product;
            }
        }
    }
}

static void cr_prod_others(size_t outer, size_t n, size_t inner, const real *x, real *y) {
    for (size_t o = 0; o < outer; o++) {
        for (size_t i = 0; i < inner; i++) {
            const size_t from = o * n * inner + i;
            real product = 1;
            for (size_t k = 0; k < n; k++) {
                y[from + k * inner] = product;
                product *= x[from + k * inner];
            }
            product = 1;
            for (size_t k = n; k-- > 0;) {
                y[from + k * inner] *= product;
                product *= x[from + k * inner];
            }
        }
    }
}

static void cr_sort(size_t outer, size_t n, size_t inner, const real *x, real *y) {
    for (size_t o = 0; o < outer; o++) {
        for (size_t i = 0; i < inner; i++) {
            const size_t from = o * n * inner + i;
            for (size_t k = 0; k < n; k++) {
                const real here = x[from + k * inner];
                size_t at = k;
                for (; at > 0 && y[from + (at - 1) * inner] > here; at--) {
                    y[from + at * inner] = y[from + (at - 1) * inner];
                }
                y[from + at * inner] = here;
            }
        }
    }
}

/* Gauss and Jordan with row exchanges: `b` becomes the solution of `a y = b`, `a` is destroyed; gives the sign of the exchanges. */
static real cr_eliminate(size_t n, size_t columns, real *a, real *b) {
    real sign = 1;
    for (size_t p = 0; p < n; p++) {
        size_t best = p;
        for (size_t r = p + 1; r < n; r++) {
            best = fabs(a[r * n + p]) > fabs(a[best * n + p]) ? r : best;
        }
        for (size_t c = 0; c < n && best != p; c++) {
            const real kept = a[p * n + c];
            a[p * n + c] = a[best * n + c];
            a[best * n + c] = kept;
        }
        for (size_t c = 0; c < columns && best != p; c++) {
            const real kept = b[p * columns + c];
            b[p * columns + c] = b[best * columns + c];
            b[best * columns + c] = kept;
        }
        sign = best != p ? -sign : sign;
        for (size_t r = p + 1; r < n; r++) {
            const real by = a[r * n + p] / a[p * n + p];
            for (size_t c = p; c < n; c++) {
                a[r * n + c] -= by * a[p * n + c];
            }
            for (size_t c = 0; c < columns; c++) {
                b[r * columns + c] -= by * b[p * columns + c];
            }
        }
    }
    for (size_t r = n; r-- > 0;) {
        for (size_t c = 0; c < columns; c++) {
            real rest = b[r * columns + c];
            for (size_t k = r + 1; k < n; k++) {
                rest -= a[r * n + k] * b[k * columns + c];
            }
            b[r * columns + c] = rest / a[r * n + r];
        }
    }
    return sign;
}

static void cr_solve(size_t n, size_t columns, const real *a, const real *b, real *y, real *work) {
    for (size_t k = 0; k < n * n; k++) {
        work[k] = a[k];
    }
    for (size_t k = 0; k < n * columns; k++) {
        y[k] = b[k];
    }
    (void)cr_eliminate(n, columns, work, y);
}

static void cr_inv(size_t n, const real *x, real *y, real *work) {
    for (size_t k = 0; k < n * n; k++) {
        work[k] = x[k];
        y[k] = k / n == k % n ? 1 : 0;
    }
    (void)cr_eliminate(n, n, work, y);
}

static real cr_det(size_t n, const real *x, real *work) {
    real product;
    for (size_t k = 0; k < n * n; k++) {
        work[k] = x[k];
    }
    product = cr_eliminate(n, 0, work, work);
    for (size_t k = 0; k < n; k++) {
        product *= work[k * n + k];
        if (product == 0) {
            return 0;
        }
    }
    return product;
}

static real cr_logdet(size_t n, const real *x, real *work) {
    real sign, sum = 0;
    for (size_t k = 0; k < n * n; k++) {
        work[k] = x[k];
    }
    sign = cr_eliminate(n, 0, work, work);
    for (size_t k = 0; k < n; k++) {
        const real pivot = work[k * n + k];
        if (pivot == 0) {
            return -INFINITY;
        }
        sign = pivot < 0 ? -sign : sign;
        sum += log(fabs(pivot));
    }
    return sign < 0 ? NAN : sum;
}

static void cr_cholesky(size_t n, const real *x, real *y) {
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            real rest = (x[i * n + j] + x[j * n + i]) / 2;
            if (j > i) {
                y[i * n + j] = 0;
                continue;
            }
            for (size_t k = 0; k < j; k++) {
                rest -= y[i * n + k] * y[j * n + k];
            }
            y[i * n + j] = i == j ? (rest > 0 ? sqrt(rest) : NAN) : rest / y[j * n + j];
        }
    }
}

static void cr_tril(size_t m, size_t n, const real *x, real diagonal, real *y) {
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            y[i * n + j] = (real)j - (real)i <= diagonal ? x[i * n + j] : 0;
        }
    }
}

static void cr_triu(size_t m, size_t n, const real *x, real diagonal, real *y) {
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            y[i * n + j] = (real)j - (real)i >= diagonal ? x[i * n + j] : 0;
        }
    }
}

/* The angle that makes two columns or rows independent: its tangent from the halved difference over the product. */
static real cr_tangent(real theta) {
    return (theta < 0 ? -1 : 1) / (fabs(theta) + hypot(theta, (real)1));
}

static void cr_turn(size_t n, real *a, real *b, size_t step, real c, real s) {
    for (size_t k = 0; k < n; k++) {
        const real x = a[k * step], y = b[k * step];
        a[k * step] = c * x - s * y;
        b[k * step] = s * x + c * y;
    }
}

/* Jacobi's rotations: `a` becomes diagonal, ascending, `v` its eigenvectors as columns. */
static void cr_eigen(size_t n, const real *x, real *a, real *v) {
    int turned = 1;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            a[i * n + j] = (x[i * n + j] + x[j * n + i]) / 2;
            v[i * n + j] = i == j ? 1 : 0;
        }
    }
    for (int sweep = 0; sweep < 64 && turned; sweep++) {
        turned = 0;
        for (size_t p = 0; p < n; p++) {
            for (size_t q = p + 1; q < n; q++) {
                const real pp = a[p * n + p], qq = a[q * n + q], pq = a[p * n + q];
                real t, c;
                if (!(fabs(pq) > (real)1e-18 * (fabs(pp) + fabs(qq))) || fabs(pq) == INFINITY) {
                    continue;
                }
                turned = 1;
                t = cr_tangent((qq - pp) / (2 * pq));
                c = 1 / hypot(t, (real)1);
                cr_turn(n, a + p, a + q, n, c, t * c);
                cr_turn(n, a + p * n, a + q * n, 1, c, t * c);
                cr_turn(n, v + p, v + q, n, c, t * c);
                a[p * n + q] = a[q * n + p] = 0;
            }
        }
    }
    for (size_t i = 0; i < n; i++) {
        size_t least = i;
        for (size_t j = i + 1; j < n; j++) {
            least = a[j * n + j] < a[least * n + least] ? j : least;
        }
        if (least != i) {
            const real kept = a[i * n + i];
            a[i * n + i] = a[least * n + least];
            a[least * n + least] = kept;
            cr_turn(n, v + i, v + least, n, 0, 1);
        }
    }
}

static void cr_eigvalsh(size_t n, const real *x, real *y, real *work) {
    cr_eigen(n, x, work, work + n * n);
    for (size_t k = 0; k < n; k++) {
        y[k] = work[k * n + k];
    }
}

static void cr_eigvecsh(size_t n, const real *x, real *y, real *work) {
    cr_eigen(n, x, work, y);
    for (size_t j = 0; j < n; j++) {
        real top = 0;
        for (size_t i = 0; i < n; i++) {
            top = fabs(y[i * n + j]) > fabs(top) ? y[i * n + j] : top;
        }
        for (size_t i = 0; i < n && top < 0; i++) {
            y[i * n + j] = -y[i * n + j];
        }
    }
}

/* One-sided Jacobi: the columns of the m by n matrix `u`, m at least n, become orthogonal, descending; `v` collects the rotations. */
static void cr_svd(size_t m, size_t n, real *u, real *v, real *s) {
    int turned = 1;
    for (size_t k = 0; k < n * n; k++) {
        v[k] = k / n == k % n ? 1 : 0;
    }
    for (int sweep = 0; sweep < 64 && turned; sweep++) {
        turned = 0;
        for (size_t p = 0; p < n; p++) {
            for (size_t q = p + 1; q < n; q++) {
                real pp = 0, qq = 0, pq = 0, t, c;
                for (size_t k = 0; k < m; k++) {
                    pp += cr_square(u[k * n + p]);
                    qq += cr_square(u[k * n + q]);
                    pq += u[k * n + p] * u[k * n + q];
                }
                if (!(fabs(pq) > (real)1e-16 * sqrt(pp * qq)) || fabs(pq) == INFINITY) {
                    continue;
                }
                turned = 1;
                t = cr_tangent((qq - pp) / (2 * pq));
                c = 1 / hypot(t, (real)1);
                cr_turn(m, u + p, u + q, n, c, t * c);
                cr_turn(n, v + p, v + q, n, c, t * c);
            }
        }
    }
    for (size_t i = 0; i < n; i++) {
        size_t most = i;
        for (size_t j = i; j < n; j++) {
            real sum = 0;
            for (size_t k = 0; k < m; k++) {
                sum += cr_square(u[k * n + j]);
            }
            s[j] = sqrt(sum);
            most = s[j] > s[most] ? j : most;
        }
        if (most != i) {
            const real kept = s[i];
            s[i] = s[most];
            s[most] = kept;
            cr_turn(m, u + i, u + most, n, 0, 1);
            cr_turn(n, v + i, v + most, n, 0, 1);
        }
    }
    for (size_t k = 0; k < m * n; k++) {
        u[k] /= s[k % n];
    }
}

/* The decomposition of any matrix: `u` has the longer side's vectors as columns. */
static void cr_svd_any(size_t m, size_t n, const real *x, real *u, real *v, real *s) {
    for (size_t k = 0; k < m * n; k++) {
        u[m < n ? k % n * m + k / n : k] = x[k];
    }
    cr_svd(m < n ? n : m, m < n ? m : n, u, v, s);
}

static void cr_svdvals(size_t m, size_t n, const real *x, real *y, real *work) {
    cr_svd_any(m, n, x, work, work + m * n, y);
}

static void cr_svd_u(size_t m, size_t n, const real *x, real *y, real *work) {
    cr_svd_any(m, n, x, m < n ? work : y, m < n ? y : work, work + m * n);
}

static void cr_svd_v(size_t m, size_t n, const real *x, real *y, real *work) {
    cr_svd_any(m, n, x, m < n ? y : work, m < n ? work : y, work + m * n);
}
