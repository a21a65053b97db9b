kernel __attribute__((reqd_work_group_size(32, 1, 1)))
void rows_0(
        global const float *restrict x_base, const ulong x_at,
        global float *restrict y_base, const ulong y_at,
        const long n_N,
        global int *failed, const int launch) {
    global const float *x = x_base + x_at;
    global float *y = y_base + y_at;
    local float t[1] __attribute__((aligned(64)));
    local float shared[32] __attribute__((aligned(64)));
    const uint item = get_local_id(0);
    const long r_low = 0, r_high = 100L;
    const long j_low = 0, j_high = 100L;
    const long task = get_group_id(0);
    const long tiles = (n_N + 0) / 1;
    const long i_begin = task;
    const long i_low = i_begin, i_high = i_begin + 1;
    {
        for (long i2 = i_low; i2 < i_high; i2++) {
            float sum = -INFINITY;
            for (long r2 = r_low + item; r2 < r_high; r2 += 32) {
                sum = tfx_max_f32(sum, x[(100L * i2 + r2)]);
            }
            shared[item] = sum;
            barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
            for (uint half_ = 16; half_ > 0; half_ /= 2) {
                if (item < half_) {
                    shared[item] = tfx_max_f32(shared[item], shared[item + half_]);
                }
                barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
            }
            if (item == 0) {
                t[(i2 - i_low)] = shared[0];
            }
            barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
        }
    }
    barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
    {
        const uint count = (uint)(i_high - i_low);
        const uint count2 = (uint)(j_high - j_low);
        for (uint point = item; point < count * count2; point += 32) {
            const long j2 = j_low + point % count2;
            const uint rest = point / count2;
            const long i3 = i_low + rest;
            y[(100L * i3 + j2)] = tfx_exp((x[(100L * i3 + j2)] - t[(i3 - i_low)]));
        }
    }
    barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
}
