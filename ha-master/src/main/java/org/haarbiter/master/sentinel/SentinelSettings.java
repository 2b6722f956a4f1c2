package org.haarbiter.master.sentinel;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import org.haarbiter.settings.Credentials;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;

/**
 * Where masters answer clients of Redis Sentinel.
 *
 * @param cluster the arbiter's identity
 * @param name this master's name
 * @param masters where each master answers, by name, this one among them
 * @param credentials what clients must know; null for nothing
 */
public record SentinelSettings(
        String cluster,
        String name,
        SortedMap<String, Endpoint> masters,
        @Nullable Credentials credentials) {

    /** Refuses one that doesn't answer itself. */
    public SentinelSettings {
        if (!masters.containsKey(name)) {
            throw new IllegalArgumentException(
                    "sentinel: '" + name + "' has no address (known: " + masters.keySet() + ")");
        }
    }

    Endpoint bind() {
        Endpoint own = masters.get(name);
        if (own == null) {
            throw new IllegalStateException("checked before");
        }
        return own;
    }

    Conversation.Self self() {
        List<Endpoint> others = new ArrayList<>();
        List<String> ids = new ArrayList<>();
        for (Map.Entry<String, Endpoint> master : masters.entrySet()) {
            if (!master.getKey().equals(name)) {
                others.add(master.getValue());
                ids.add(id(master.getKey()));
            }
        }
        return new Conversation.Self(id(name), others, ids, credentials);
    }

    /** 40 hexadecimal digits, as clients expect of a run ID; the same after a restart. */
    private String id(String master) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-1")
                    .digest((cluster + "/" + master).getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-1", e);
        }
    }
}
