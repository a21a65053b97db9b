// What kernels call besides OpenCL C itself. Paragraphs are taken one by one, as far as a program needs them; $N stands
// for the width of vectors or nothing, $_ for that width as the end of a name.

int$N tfx_add_i32$_(int$N a, int$N b) { return as_int$N(as_uint$N(a) + as_uint$N(b)); }

int$N tfx_sub_i32$_(int$N a, int$N b) { return as_int$N(as_uint$N(a) - as_uint$N(b)); }

int$N tfx_mul_i32$_(int$N a, int$N b) { return as_int$N(as_uint$N(a) * as_uint$N(b)); }

long tfx_add_i64(long a, long b) { return as_long(as_ulong(a) + as_ulong(b)); }

long tfx_sub_i64(long a, long b) { return as_long(as_ulong(a) - as_ulong(b)); }

long tfx_mul_i64(long a, long b) { return as_long(as_ulong(a) * as_ulong(b)); }

int tfx_abs_i32(int x) { return x < 0 ? tfx_sub_i32(0, x) : x; }

long tfx_abs_i64(long x) { return x < 0 ? tfx_sub_i64(0, x) : x; }

// The larger; NaN if either is, and 0 above -0.
float$N tfx_max_f32$_(float$N a, float$N b) {
    float$N most = a > b ? a : (a == b ? as_float$N(as_int$N(a) & as_int$N(b)) : b);
    return a != a ? a : most;
}

float$N tfx_min_f32$_(float$N a, float$N b) {
    float$N least = a < b ? a : (a == b ? as_float$N(as_int$N(a) | as_int$N(b)) : b);
    return a != a ? a : least;
}

double tfx_max_f64(double a, double b) {
    double most = a > b ? a : (a == b ? as_double(as_long(a) & as_long(b)) : b);
    return a != a ? a : most;
}

double tfx_min_f64(double a, double b) {
    double least = a < b ? a : (a == b ? as_double(as_long(a) | as_long(b)) : b);
    return a != a ? a : least;
}

float$N tfx_sign_f32$_(float$N x) { return x > 0.0f ? (float$N)(1.0f) : (x < 0.0f ? (float$N)(-1.0f) : x); }

double tfx_sign_f64(double x) { return x > 0.0 ? 1.0 : (x < 0.0 ? -1.0 : x); }

double tfx_sigmoid_f64(double x) {
    double e = exp(-fabs(x));
    return (x < 0.0 ? e : 1.0) / (1.0 + e);
}

// By the terms that the evaluator takes.
float$N tfx_acosh_f32$_(float$N x) {
    float$N value = x > 1e18f ? log(x) + 0.6931472f : log1p(x - 1.0f + sqrt((x - 1.0f) * (x + 1.0f)));
    return x < 1.0f ? (float$N)(NAN) : value;
}

double tfx_acosh_f64(double x) {
    double value = x > 1e150 ? log(x) + 0.6931471805599453 : log1p(x - 1.0 + sqrt((x - 1.0) * (x + 1.0)));
    return x < 1.0 ? (double)NAN : value;
}

// Its terms cancel where the result is near 0, so they are taken in double where there is such.
float$N tfx_logaddexp_f32$_(float$N a, float$N b) {
#ifdef TFX_DOUBLES
    double$N wide = convert_double$N(a);
    double$N difference = fabs(wide - convert_double$N(b));
    float$N value = convert_float$N(fmax(wide, convert_double$N(b)) + log1p(exp(-difference)));
    float$N most = tfx_max_f32$_(a, b);
    return a == b ? a + 0.6931472f : (fabs(most) < INFINITY ? value : most);
#else
    float$N most = tfx_max_f32$_(a, b);
    float$N sum = most + log1p(tfx_exp$_(-fabs(a - b)));
    return a == b ? a + 0.6931472f : (fabs(most) < INFINITY ? sum : most);
#endif
}

double tfx_logaddexp_f64(double a, double b) {
    double most = tfx_max_f64(a, b);
    double sum = most + log1p(exp(-fabs(a - b)));
    return a == b ? a + 0.6931471805599453 : (fabs(most) < INFINITY ? sum : most);
}

// Java's: NaN for 1 to the power of NaN or an infinity.
float$N tfx_pow_f32$_(float$N a, float$N b) {
    float$N value = (a != a) | (b != b) | ((fabs(a) == 1.0f) & (fabs(b) == INFINITY)) ? (float$N)(NAN) : pow(a, b);
    return b == 0.0f ? (float$N)(1.0f) : value;
}

double tfx_pow_f64(double a, double b) {
    double value = (a != a) | (b != b) | ((fabs(a) == 1.0) & (fabs(b) == INFINITY)) ? (double)NAN : pow(a, b);
    return b == 0.0 ? 1.0 : value;
}

long tfx_pow_i64(long base, long exponent) {
    ulong result = 1;
    ulong square = as_ulong(base);
    for (long n = exponent; n > 0; n >>= 1) {
        result *= (n & 1) ? square : 1;
        square *= square;
    }
    if (exponent < 0) {
        return base == 1 ? 1 : (base == -1 ? (exponent % 2 == 0 ? 1 : -1) : 0);
    }
    return as_long(result);
}

int tfx_pow_i32(int base, int exponent) { return (int)tfx_pow_i64(base, exponent); }

// The quotient of floats is rounded before it is rounded down, so it is taken in double where there is such.
float$N tfx_floordiv_f32$_(float$N a, float$N b) {
#ifdef TFX_DOUBLES
    return convert_float$N(floor(convert_double$N(a) / convert_double$N(b)));
#else
    return floor(a / b);
#endif
}

double tfx_floordiv_f64(double a, double b) { return floor(a / b); }

float$N tfx_mod_f32$_(float$N a, float$N b) {
    float$N rest = fmod(a, b);
    return (rest != 0.0f) & ((rest < 0.0f) != (b < 0.0f)) ? rest + b : rest;
}

double tfx_mod_f64(double a, double b) {
    double rest = fmod(a, b);
    return (rest != 0.0) & ((rest < 0.0) != (b < 0.0)) ? rest + b : rest;
}

long tfx_floordiv_i64(long a, long b) {
    if (b == 0 || b == -1) {
        return b == 0 ? 0 : tfx_sub_i64(0, a);
    }
    long quotient = a / b;
    return quotient - (quotient * b != a && (a < 0) != (b < 0));
}

long tfx_mod_i64(long a, long b) {
    if (b == 0 || b == -1) {
        return 0;
    }
    long rest = a % b;
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

int tfx_floordiv_i32(int a, int b) { return (int)tfx_floordiv_i64(a, b); }

int tfx_mod_i32(int a, int b) { return (int)tfx_mod_i64(a, b); }

// Of a positive divisor.
int$N tfx_quotient_i32$_(int$N a, int$N b) {
    int$N quotient = a / b;
    return (quotient * b != a) & (a < 0) ? quotient - 1 : quotient;
}

int$N tfx_remainder_i32$_(int$N a, int$N b) { return a - tfx_quotient_i32$_(a, b) * b; }

long tfx_quotient_i64(long a, long b) {
    long quotient = a / b;
    return quotient - (quotient * b != a && a < 0);
}

long tfx_remainder_i64(long a, long b) { return a - tfx_quotient_i64(a, b) * b; }

long tfx_shift_left(long value, long by) { return by < 0 || by > 63 ? 0 : as_long(as_ulong(value) << by); }

long tfx_shift_right(long value, long by) { return value >> (by < 0 || by > 63 ? 63 : by); }

// Threefry-2x32 with 20 rounds (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").
long tfx_threefry(long key, long counter) {
    const uint rotations[8] = {13, 15, 26, 6, 17, 29, 16, 24};
    uint keys[3];
    keys[0] = (uint)key;
    keys[1] = (uint)(as_ulong(key) >> 32);
    keys[2] = 0x1BD11BDAu ^ keys[0] ^ keys[1];
    uint x = (uint)counter + keys[0];
    uint y = (uint)(as_ulong(counter) >> 32) + keys[1];
    for (uint i = 0; i < 20; i++) {
        x += y;
        y = rotate(y, rotations[i % 8]) ^ x;
        if (i % 4 == 3) {
            uint injection = i / 4 + 1;
            x += keys[injection % 3];
            y += keys[(injection + 1) % 3] + injection;
        }
    }
    return as_long((ulong)x | (ulong)y << 32);
}

float$N tfx_from_f16$_(ushort$N bits) { return vload_half$N(0, (const half *)&bits); }

float$N tfx_round_f16$_(float$N x) {
    ushort$N bits;
    vstore_half$N_rte(x, 0, (half *)&bits);
    return tfx_from_f16$_(bits);
}

// The nearest bf16, ties to even; NaN stays NaN.
ushort$N tfx_to_bf16$_(float$N x) {
    uint$N bits = as_uint$N(x);
    uint$N near = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    return convert_ushort$N(x != x ? (bits >> 16) | 0x40u : near);
}

float$N tfx_from_bf16$_(ushort$N bits) { return as_float$N(convert_uint$N(bits) << 16); }

float$N tfx_round_bf16$_(float$N x) { return tfx_from_bf16$_(tfx_to_bf16$_(x)); }

// Keys in the order of their values: NaN above all numbers, -0 equals 0.
int tfx_key_f32(float x) {
    int bits = x != x ? 0x7fc00000 : as_int(x + 0.0f);
    return bits ^ ((bits >> 31) & 0x7fffffff);
}

long tfx_key_f64(double x) {
    long bits = x != x ? 0x7ff8000000000000L : as_long(x + 0.0);
    return bits ^ ((bits >> 63) & 0x7fffffffffffffffL);
}

// Checks a looked-up index. The first that is wrong is noted with the number of its launch, and 0 stands for it.
long tfx_index(long value, long limit, global int *failed, int launch) {
    if (value >= 0 && value < limit) {
        return value;
    }
    if (atomic_cmpxchg(failed, 0, launch + 1) == 0) {
        global long *detail = (global long *)(failed + 2);
        detail[0] = value;
        detail[1] = limit;
    }
    return 0;
}

long tfx_least(global const int *data, long count) {
    int least = INT_MAX;
    for (long i = 0; i < count; i++) {
        least = min(least, data[i]);
    }
    return least;
}

long tfx_greatest(global const int *data, long count) {
    int greatest = INT_MIN;
    for (long i = 0; i < count; i++) {
        greatest = max(greatest, data[i]);
    }
    return greatest;
}

// Whether any, else whether all, are true.
int tfx_holds(global const uchar *data, long count, int any) {
    for (long i = 0; i < count; i++) {
        if ((data[i] != 0) == any) {
            return any;
        }
    }
    return !any;
}
