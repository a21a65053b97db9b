kernel __attribute__((reqd_work_group_size(32, 1, 1)))
void contract_0(
        global const float *restrict a_base, const ulong a_at,
        global const float *restrict b_base, const ulong b_at,
        global float *restrict y_base, const ulong y_at,
        const long n_N,
        global int *failed, const int launch) {
    global const float *a = a_base + a_at;
    global const float *b = b_base + b_at;
    global float *y = y_base + y_at;
    local float acc[32] __attribute__((aligned(64)));
    local float acc_left[32] __attribute__((aligned(64)));
    local float acc_right[256] __attribute__((aligned(64)));
    const uint item = get_local_id(0);
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
        const uint across = item % 8;
        const uint down = item / 8;
        float sum = 0.0f;
        float sum2 = 0.0f;
        for (long base = k_low; base < k_high; base += 16) {
            const uint depth = (uint)min(k_high - base, 16L);
            for (uint p = item; p < 32; p += 32) {
                const uint k2 = p % 16;
                const uint point = p / 16;
                float element = 0.0f;
                if (k2 < depth && i_low + point < i_high) {
                    element = a[(40L * (i_low + point) + (base + k2))];
                }
                acc_left[k2 * 2 + point] = element;
            }
            for (uint p2 = item; p2 < 256; p2 += 32) {
                const uint k3 = p2 / 16;
                const uint point2 = p2 % 16;
                float element2 = 0.0f;
                if (k3 < depth && j_low + point2 < j_high) {
                    element2 = b[((j_low + point2) + 16L * (base + k3))];
                }
                acc_right[k3 * 16 + point2] = element2;
            }
            barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
            for (uint k4 = 0; k4 < depth; k4++) {
                const float left = acc_left[k4 * 2 + min(down + 0, 1u)];
                const float right = acc_right[k4 * 16 + across + 0];
                sum = fma(left, right, sum);
                const float right2 = acc_right[k4 * 16 + across + 8];
                sum2 = fma(left, right2, sum2);
            }
            barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
        }
        if (i_low + down + 0 < i_high && j_low + across + 0 < j_high) {
            acc[((i_low + down + 0) - i_low) * 16 + ((j_low + across + 0) - j_low)] = sum;
        }
        if (i_low + down + 0 < i_high && j_low + across + 8 < j_high) {
            acc[((i_low + down + 0) - i_low) * 16 + ((j_low + across + 8) - j_low)] = sum2;
        }
    }
    barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
    {
        const uint count = (uint)(i_high - i_low);
        const uint count2 = (uint)(j_high - j_low);
        for (uint point3 = item; point3 < count * count2; point3 += 32) {
            const long j2 = j_low + point3 % count2;
            const uint rest2 = point3 / count2;
            const long i2 = i_low + rest2;
            y[(16L * i2 + j2)] = acc[(i2 - i_low) * 16 + (j2 - j_low)];
        }
    }
    barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
}
