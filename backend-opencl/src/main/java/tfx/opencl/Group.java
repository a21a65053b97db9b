package tfx.opencl;

import tfx.ir.Target;

/// How a task runs on a device: by so many work-items, each of which takes vectors of so many floats.
///
/// A processor with wide vectors takes one work-item a task, which walks tiles with vector types, as compiled code
/// for such a machine does; a GPU takes many, which share the points of a tile among them.
///
/// @param items   work-items of a group; a task is a group
/// @param width   floats in the vectors of one work-item: 1, 4, 8 or 16
/// @param doubles whether the device has f64
public record Group(int items, int width, boolean doubles) {
    private static final int LEAST_COLUMNS = 32;

    /// What lowering needs to know of who works on a task. Register tiles are one panel wide, so that tasks of a
    /// processor need not be wider: products of few rows then are shared more evenly.
    public Target target() {
        if (!alone()) {
            return Target.gpu();
        }
        Target cpu = Target.cpu(width);
        return cpu.withColumns(Math.max(cpu.panel(), LEAST_COLUMNS));
    }

    /// What functions begin with that run as such groups.
    String attribute() {
        return "kernel __attribute__((reqd_work_group_size(" + items + ", 1, 1)))";
    }

    /// Whether one work-item does all of a task.
    boolean alone() {
        return items == 1;
    }
}
