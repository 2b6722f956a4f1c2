package org.haarbiter.trial;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine;

/** Constants as commands write them. */
final class Words {
    private Words() {}

    static <E extends Enum<E>> E constant(Class<E> type, String word) {
        for (E constant : type.getEnumConstants()) {
            if (word(constant).equals(word)) {
                return constant;
            }
        }
        throw new CommandLine.TypeConversionException("'" + word + "' (must be one of "
                + Arrays.stream(type.getEnumConstants()).map(Words::word).collect(Collectors.joining(", ")) + ")");
    }

    private static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
