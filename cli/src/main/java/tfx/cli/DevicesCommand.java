package tfx.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import tfx.opencl.host.Device;
import tfx.runtime.RunException;

@CommandLine.Command(name = "devices", description = "List the OpenCL devices, by the numbers that --device takes.")
final class DevicesCommand implements Callable<Integer> {
    @CommandLine.Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    @Override
    public Integer call() throws Exception {
        List<Device> devices = Device.list();
        if (devices.isEmpty()) {
            throw new RunException(Device.NONE);
        }
        if (json) {
            System.out.println(JsonValues.write(toJson(devices)));
            return Main.OK;
        }
        for (Device device : devices) {
            System.out.println(device.number() + "  " + device.name());
            System.out.println("   platform   " + device.platformName() + ", " + device.version());
            System.out.println("   driver     " + device.driver());
            System.out.println("   kind       " + device.kind().name().toLowerCase(Locale.ROOT) + ", " + device.units()
                    + " compute units at " + device.clock() + " MHz");
            System.out.println("   memory     " + Device.amount(device.memory()) + ", at most "
                    + Device.amount(device.largest()) + " in one piece, " + Device.amount(device.local())
                    + " a group" + (device.unified() ? "; shared with the host" : ""));
            System.out.println("   computes   " + String.join(", ", computes(device)) + "; vectors of " + device.width()
                    + " floats; groups of up to " + device.group());
        }
        return Main.OK;
    }

    private static List<String> computes(Device device) {
        List<String> types = new ArrayList<>(List.of("f32"));
        if (device.doubles()) {
            types.add("f64");
        }
        if (device.halves()) {
            types.add("f16");
        }
        if (device.subgroups()) {
            types.add("sub-groups");
        }
        return types;
    }

    private static ObjectNode toJson(List<Device> devices) {
        ObjectNode all = JsonNodeFactory.instance.objectNode();
        ArrayNode list = all.putArray("devices");
        for (Device device : devices) {
            ObjectNode node = list.addObject();
            node.put("device", device.number())
                    .put("name", device.name())
                    .put("platform", device.platformName())
                    .put("version", device.version())
                    .put("driver", device.driver())
                    .put("kind", device.kind().name().toLowerCase(Locale.ROOT))
                    .put("units", device.units())
                    .put("clock", device.clock())
                    .put("memory", device.memory())
                    .put("largest", device.largest())
                    .put("local", device.local())
                    .put("group", device.group())
                    .put("width", device.width())
                    .put("unified", device.unified());
            ArrayNode types = node.putArray("computes");
            computes(device).forEach(types::add);
        }
        return all;
    }
}
