kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void contract_0(
        global const float *restrict a_base, const ulong a_at,
        global const float *restrict b_base, const ulong b_at,
        global float *restrict y_base, const ulong y_at,
        const long n_N,
        global int *failed, const int launch) {
    global const float *a = a_base + a_at;
    global const float *b = b_base + b_at;
    global float *y = y_base + y_at;
    float acc[64] __attribute__((aligned(64)));
    const long k_low = 0, k_high = 40L;
    const long task = get_group_id(0);
    const long tiles = (n_N + 1) / 2;
    const long i_begin = task % tiles * 2;
    const long i_low = i_begin, i_high = min(i_begin + 2, (long)n_N);
    const long rest = task / tiles;
    const long tiles2 = (16L + 15) / 16;
    const long j_begin = rest * 16;
    const long j_low = j_begin, j_high = min(j_begin + 16, (long)16L);
    {
        long j2 = j_low;
        for (; j2 + 16 <= j_high; j2 += 16) {
            long i2 = i_low;
            for (; i2 + 2 <= i_high; i2 += 2) {
                float16 sum = 0.0f;
                float16 sum2 = 0.0f;
                for (long k2 = k_low; k2 < k_high; k2++) {
                    const float16 right = vload16(0, b + (j2 + 16L * k2));
                    const float left = a[(40L * i2 + k2)];
                    sum = fma((float16)(left), right, sum);
                    const float left2 = a[(40L * (i2 + 1) + k2)];
                    sum2 = fma((float16)(left2), right, sum2);
                }
                vstore16(sum, 0, &acc[(i2 - i_low) * 32 + (j2 - j_low)]);
                vstore16(sum2, 0, &acc[((i2 + 1) - i_low) * 32 + (j2 - j_low)]);
            }
            for (; i2 + 1 <= i_high; i2 += 1) {
                float16 sum3 = 0.0f;
                for (long k3 = k_low; k3 < k_high; k3++) {
                    const float16 right2 = vload16(0, b + (j2 + 16L * k3));
                    const float left3 = a[(40L * i2 + k3)];
                    sum3 = fma((float16)(left3), right2, sum3);
                }
                vstore16(sum3, 0, &acc[(i2 - i_low) * 32 + (j2 - j_low)]);
            }
        }
        for (; j2 < j_high; j2++) {
            long i3 = i_low;
            for (; i3 + 2 <= i_high; i3 += 2) {
                float sum4 = 0.0f;
                float sum5 = 0.0f;
                for (long k4 = k_low; k4 < k_high; k4++) {
                    const float right3 = b[(j2 + 16L * k4)];
                    const float left4 = a[(40L * i3 + k4)];
                    sum4 = fma(left4, right3, sum4);
                    const float left5 = a[(40L * (i3 + 1) + k4)];
                    sum5 = fma(left5, right3, sum5);
                }
                acc[(i3 - i_low) * 32 + (j2 - j_low)] = sum4;
                acc[((i3 + 1) - i_low) * 32 + (j2 - j_low)] = sum5;
            }
            for (; i3 + 1 <= i_high; i3 += 1) {
                float sum6 = 0.0f;
                for (long k5 = k_low; k5 < k_high; k5++) {
                    const float right4 = b[(j2 + 16L * k5)];
                    const float left6 = a[(40L * i3 + k5)];
                    sum6 = fma(left6, right4, sum6);
                }
                acc[(i3 - i_low) * 32 + (j2 - j_low)] = sum6;
            }
        }
    }
    {
        for (long i4 = i_low; i4 < i_high; i4++) {
            if (j_low < j_high) {
                long j3 = j_low;
                for (; j3 + 16 <= j_high; j3 += 16) {
                    vstore16(vload16(0, acc + (i4 - i_low) * 32 + (j3 - j_low)), 0, y + (16L * i4 + j3));
                }
                for (; j3 < j_high; j3++) {
                    y[(16L * i4 + j3)] = acc[(i4 - i_low) * 32 + (j3 - j_low)];
                }
            }
        }
    }
}
