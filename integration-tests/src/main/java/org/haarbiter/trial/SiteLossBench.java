package org.haarbiter.trial;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** How long it takes until all groups that lost their primaries with a site, and the masters' leader, take writes again. */
@Command(
        name = "site",
        mixinStandardHelpOptions = true,
        description = "A site is lost with the leader and the primaries of many groups, whose servers are in memory.")
public final class SiteLossBench implements Callable<Integer> {
    private static final int MOST_GROUPS = 250;

    @Option(
            names = "--groups",
            description = "groups with their primary in the lost site, 1 to 250 (default: ${DEFAULT-VALUE})",
            defaultValue = "50")
    private int groups = 50;

    @Option(names = "--profile", description = "timing profile (default: ${DEFAULT-VALUE})", defaultValue = "fast")
    private String profile = "fast";

    @Option(names = "--json", description = "the last line is one JSON object")
    private boolean json;

    /** Exits with 0 when every group took writes again. */
    public static void main(String[] arguments) {
        System.exit(new CommandLine(new SiteLossBench()).execute(arguments));
    }

    @Override
    public Integer call() throws IOException, SQLException, InterruptedException, ExecutionException {
        if (groups < 1 || groups > MOST_GROUPS) {
            System.err.println("--groups: " + groups + " (must be 1 to " + MOST_GROUPS + ")");
            return CommandLine.ExitCode.USAGE;
        }
        SiteLoss.Outcome outcome = SiteLoss.play(groups, Arena.passingWorkDirectory("ha-arbiter-bench-"), profile, "");
        outcome.said().forEach(sentence -> System.out.println("the leader said: " + sentence));
        Spread written = Spread.of(
                outcome.written().stream().mapToDouble(Double::doubleValue).toArray());
        written.print(groups + " groups acknowledge writes again, from the loss");
        System.out.printf("%d names show the new primaries after %.1f ms%n", groups, outcome.namesServed());
        if (json) {
            Map<String, Object> values = new LinkedHashMap<>();
            values.put("groups", groups);
            values.put("profile", profile);
            values.put("written_ms", written);
            values.put("names_served_ms", outcome.namesServed());
            System.out.println(new ObjectMapper().writeValueAsString(values));
        }
        return 0;
    }
}
