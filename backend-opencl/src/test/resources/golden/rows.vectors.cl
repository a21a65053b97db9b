kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void rows_0(
        global const float *restrict x_base, const ulong x_at,
        global float *restrict y_base, const ulong y_at,
        const long n_N,
        global int *failed, const int launch) {
    global const float *x = x_base + x_at;
    global float *y = y_base + y_at;
    float t[1] __attribute__((aligned(64)));
    const long r_low = 0, r_high = 100L;
    const long j_low = 0, j_high = 100L;
    const long task = get_group_id(0);
    const long tiles = (n_N + 0) / 1;
    const long i_begin = task;
    const long i_low = i_begin, i_high = i_begin + 1;
    {
        for (long i2 = i_low; i2 < i_high; i2++) {
            float sum = -INFINITY;
            if (r_low < r_high) {
                long r2 = r_low;
                float16 sums = (float16)(-INFINITY);
                float16 sums2 = (float16)(-INFINITY);
                float16 sums3 = (float16)(-INFINITY);
                float16 sums4 = (float16)(-INFINITY);
                for (; r2 + 64 <= r_high; r2 += 64) {
                    sums = tfx_max_f32_16(sums, vload16(0, x + (100L * i2 + r2)));
                    sums2 = tfx_max_f32_16(sums2, vload16(0, x + (100L * i2 + (r2 + 16))));
                    sums3 = tfx_max_f32_16(sums3, vload16(0, x + (100L * i2 + (r2 + 32))));
                    sums4 = tfx_max_f32_16(sums4, vload16(0, x + (100L * i2 + (r2 + 48))));
                }
                for (; r2 + 16 <= r_high; r2 += 16) {
                    sums = tfx_max_f32_16(sums, vload16(0, x + (100L * i2 + r2)));
                }
                sums = tfx_max_f32_16(sums, sums3);
                sums2 = tfx_max_f32_16(sums2, sums4);
                sums = tfx_max_f32_16(sums, sums2);
                const float8 half2 = tfx_max_f32_8(sums.lo, sums.hi);
                const float4 half3 = tfx_max_f32_4(half2.lo, half2.hi);
                const float2 half4 = tfx_max_f32_2(half3.lo, half3.hi);
                const float half5 = tfx_max_f32(half4.lo, half4.hi);
                sum = half5;
                for (; r2 < r_high; r2++) {
                    sum = tfx_max_f32(sum, x[(100L * i2 + r2)]);
                }
            }
            t[(i2 - i_low)] = sum;
        }
    }
    {
        for (long i3 = i_low; i3 < i_high; i3++) {
            if (j_low < j_high) {
                const float u = t[(i3 - i_low)];
                long j2 = j_low;
                for (; j2 + 16 <= j_high; j2 += 16) {
                    vstore16(tfx_exp_16((vload16(0, x + (100L * i3 + j2)) - (float16)(u))), 0, y + (100L * i3 + j2));
                }
                for (; j2 < j_high; j2++) {
                    y[(100L * i3 + j2)] = tfx_exp((x[(100L * i3 + j2)] - u));
                }
            }
        }
    }
}
