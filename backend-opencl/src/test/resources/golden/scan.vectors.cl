kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void scan_0(
        global const int *restrict x_base, const ulong x_at,
        global int *restrict y_base, const ulong y_at,
        const long n_M,
        const long n_N,
        global int *failed, const int launch) {
    global const int *x = x_base + x_at;
    global int *y = y_base + y_at;
    const long r_low = 0, r_high = n_M;
    const long task = get_group_id(0);
    const long tiles = (n_N + 0) / 1;
    const long i_begin = task;
    const long i_low = i_begin, i_high = i_begin + 1;
    {
        for (long i2 = i_low; i2 < i_high; i2++) {
            int sum = 0;
            const long count = r_high - r_low;
            for (long step = 0; step < count; step++) {
                const long r2 = r_low + step;
                const int value = x[(n_M * i2 + r2)];
                sum = tfx_add_i32(sum, value);
                y[(n_M * i2 + r2)] = sum;
            }
        }
    }
}
