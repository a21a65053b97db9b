kernel __attribute__((reqd_work_group_size(32, 1, 1)))
void scan_0(
        global const int *restrict x_base, const ulong x_at,
        global int *restrict y_base, const ulong y_at,
        const long n_M,
        const long n_N,
        global int *failed, const int launch) {
    global const int *x = x_base + x_at;
    global int *y = y_base + y_at;
    local int shared[32] __attribute__((aligned(64)));
    const uint item = get_local_id(0);
    const long r_low = 0, r_high = n_M;
    const long task = get_group_id(0);
    const long tiles = (n_N + 0) / 1;
    const long i_begin = task;
    const long i_low = i_begin, i_high = i_begin + 1;
    {
        for (long i2 = i_low; i2 < i_high; i2++) {
            int sum = 0;
            const long count = r_high - r_low;
            const long length = (count + 31) / 32;
            const long begin = min(count, item * length);
            const long end = min(count, begin + length);
            for (long step = begin; step < end; step++) {
                const long r2 = r_low + step;
                const int value = x[(n_M * i2 + r2)];
                sum = tfx_add_i32(sum, value);
            }
            shared[item] = sum;
            barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
            sum = 0;
            for (uint before = 0; before < item; before++) {
                sum = tfx_add_i32(sum, shared[before]);
            }
            for (long step2 = begin; step2 < end; step2++) {
                const long r3 = r_low + step2;
                const int value2 = x[(n_M * i2 + r3)];
                sum = tfx_add_i32(sum, value2);
                y[(n_M * i2 + r3)] = sum;
            }
            barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
        }
    }
    barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
}
