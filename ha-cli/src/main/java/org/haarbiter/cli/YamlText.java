package org.haarbiter.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.snakeyaml.engine.v2.api.Dump;
import org.snakeyaml.engine.v2.api.DumpSettings;
import org.snakeyaml.engine.v2.common.FlowStyle;

/** JSON as YAML. */
final class YamlText {
    private static final int NEVER_FOLDED = Integer.MAX_VALUE;

    private YamlText() {}

    /** One document, with its beginning marked, so that several make a stream. */
    static String of(String json) throws CliException {
        Object value;
        try {
            value = new ObjectMapper().readValue(json, Object.class);
        } catch (JsonProcessingException e) {
            throw new CliException(
                    ExitCode.UNREACHABLE, "a master's answer isn't JSON: " + e.getOriginalMessage() + ": " + json);
        }
        return of(value);
    }

    /** The same of mappings, lists and words. */
    static String of(Object value) {
        return new Dump(DumpSettings.builder()
                        .setDefaultFlowStyle(FlowStyle.BLOCK)
                        .setExplicitStart(true)
                        .setWidth(NEVER_FOLDED)
                        .build())
                .dumpToString(value);
    }
}
