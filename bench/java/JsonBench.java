import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.json.JsonConverter;

/**
 * The Java side of the comparison of JSON converters: reads records, one a line, from the file that is its first argument. Told "go" it
 * converts as many as its second argument says, from bytes to value and back; told "print" it prints what each comes to. It says
 * "ready" first and "done" after each.
 */
public class JsonBench {
    private static final String TOPIC = "topic";

    /** Keeps the compiler from leaving out work whose result nobody wants. */
    private static volatile long written;

    public static void main(String[] args) throws Exception {
        List<byte[]> records = Files.readAllLines(Path.of(args[0])).stream().map(s -> s.getBytes(StandardCharsets.UTF_8)).toList();
        long count = Long.parseLong(args[1]);
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        try (JsonConverter converter = new JsonConverter()) {
            converter.configure(Map.of(), false);
            say(out, "ready");
            BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            for (String word = in.readLine(); word != null; word = in.readLine()) {
                switch (word) {
                    case "go" -> run(converter, records, count);
                    case "print" -> records.forEach(r -> out.print(new String(convert(converter, r), StandardCharsets.UTF_8) + "\n"));
                    default -> throw new IllegalArgumentException(word);
                }
                say(out, "done");
            }
        }
    }

    private static void say(PrintStream out, String word) {
        out.print(word + "\n");
        out.flush();
    }

    private static void run(JsonConverter converter, List<byte[]> records, long count) {
        long bytes = 0;
        for (long n = 0; n < count; n += records.size()) {
            for (byte[] r : records) {
                bytes += convert(converter, r).length;
            }
        }
        written += bytes;
    }

    private static byte[] convert(JsonConverter converter, byte[] record) {
        SchemaAndValue v = converter.toConnectData(TOPIC, record);
        return converter.fromConnectData(TOPIC, v.schema(), v.value());
    }
}
