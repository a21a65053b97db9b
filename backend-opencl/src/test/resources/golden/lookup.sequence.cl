void take_0(
        const long task,
        global const float *restrict t_base, const ulong t_at,
        global const int *restrict i_base, const ulong i_at,
        global float *restrict y_base, const ulong y_at,
        const long n_D,
        const long n_N,
        const long n_V,
        global int *failed, const int launch) {
    global const float *t = t_base + t_at;
    global const int *i = i_base + i_at;
    global float *y = y_base + y_at;
    const long tiles = (n_D + 1023) / 1024;
    const long d_begin = task % tiles * 1024;
    const long d_low = d_begin, d_high = min(d_begin + 1024, (long)n_D);
    const long rest = task / tiles;
    const long tiles2 = (n_N + 15) / 16;
    const long n_begin = rest * 16;
    const long n_low = n_begin, n_high = min(n_begin + 16, (long)n_N);
    {
        for (long n2 = n_low; n2 < n_high; n2++) {
            if (d_low < d_high) {
                const int u = i[n2];
                const long row = tfx_index(u, n_V, failed, launch);
                long d2 = d_low;
                for (; d2 + 16 <= d_high; d2 += 16) {
                    vstore16((n_V > 0 ? vload16(0, t + (n_D * row + d2)) : (float16)(0)), 0, y + (n_D * n2 + d2));
                }
                for (; d2 < d_high; d2++) {
                    y[(n_D * n2 + d2)] = (n_V > 0 ? t[(n_D * row + d2)] : 0);
                }
            }
        }
    }
}

kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void sequence(
        global const long *table, global volatile int *counts, global int *failed,
        global uchar *m0, global uchar *m1, global uchar *m2, global uchar *m3) {
    global uchar *memory[] = {m0, m1, m2, m3};
    global const long *launch = table + 1;
    int at = 0, ended = 0;
    for (int n = atomic_inc(counts); n < table[0]; n = atomic_inc(counts)) {
        for (; n >= launch[1] + launch[2]; launch += 5) at++;
        for (; ended < launch[3]; ended++) {
            while (counts[1 + ended] < table[3 + 5 * ended]) {}
            atomic_add(counts + 1 + ended, 0);
        }
        mem_fence(CLK_GLOBAL_MEM_FENCE); // from here on, what they wrote is seen
        const long task = n - launch[1];
        global const long *a = table + launch[4];
        switch (launch[0]) {
            case 0: take_0(task, (global const float *)memory[a[0]], a[1], (global const int *)memory[a[2]], a[3], (global float *)memory[a[4]], a[5], a[6], a[7], a[8], failed, a[9]); break;
        }
        mem_fence(CLK_GLOBAL_MEM_FENCE);
        atomic_inc(counts + 1 + at);
    }
}
