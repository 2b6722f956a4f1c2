package org.haarbiter.admin;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Everything of a group. {@code GET /v1/groups/NAME}.
 *
 * @param name the group
 * @param engine {@code mysql}, {@code mariadb} ...; empty while nothing is known
 * @param state the word of a {@link GroupState}
 * @param epoch the fencing number; 0 while it isn't adopted
 * @param phase {@code steady}, {@code sealing}, {@code preparing}, {@code draining} or {@code promoting}; {@code none} while it isn't adopted
 * @param phaseDetail what the phase waits for, as a sentence; empty when steady
 * @param phaseMillis for how long the answering master has seen it in this phase
 * @param primary the member that takes writes, or is to; empty while it isn't adopted
 * @param durability {@code lossless}, {@code bounded} with its limits, or {@code available}; empty while it isn't adopted
 * @param unit what is counted of positions: {@code transactions} or {@code bytes}; empty while nothing is known
 * @param acknowledgement what its writes need of replicas, as a sentence; empty while it isn't adopted
 * @param acknowledgers how many acknowledgements each commit is known to have waited for
 * @param acknowledgersWanted how many it should wait for
 * @param peers whose agents must all permit it when the primary goes on without masters; empty where it would be fenced
 * @param agentLost what protects the group when the primary's agent dies or stands still while its server runs on, as a sentence;
 *     empty while it isn't adopted
 * @param expected what a person announced before it is adopted; null where nobody did, or it is adopted
 * @param pause of this group or of the fleet; null where none
 * @param settings what people settled of it, or the usual; null while it isn't adopted
 * @param members by name
 * @param names its DNS names
 * @param problems of the group and its members, the worst first, each with what to do
 */
public record GroupView(
        String name,
        String engine,
        String state,
        long epoch,
        String phase,
        String phaseDetail,
        long phaseMillis,
        String primary,
        String durability,
        String unit,
        String acknowledgement,
        int acknowledgers,
        int acknowledgersWanted,
        List<String> peers,
        String agentLost,
        @Nullable ExpectedView expected,
        @Nullable PauseView pause,
        @Nullable GroupSettings settings,
        List<MemberView> members,
        NamesView names,
        List<String> problems) {
    /** Copies the lists. */
    public GroupView {
        peers = List.copyOf(peers);
        members = List.copyOf(members);
        problems = List.copyOf(problems);
    }
}
