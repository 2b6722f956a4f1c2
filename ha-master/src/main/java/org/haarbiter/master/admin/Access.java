package org.haarbiter.master.admin;

import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.haarbiter.link.CertificateNames;
import org.haarbiter.link.PeerRules;
import org.haarbiter.master.admin.AdminException.Kind;
import org.jspecify.annotations.Nullable;

/** Who may do what at the admin port. For any thread. */
public final class Access {
    /** What somebody is called in the switch log. */
    static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9@._:/+-]{0,99}");

    private static final String BEARER = "Bearer ";
    private static final String UNIT = "OU=";

    /**
     * Somebody who has asked.
     *
     * @param name as a certificate or a token proves it; null where nothing is proved, and nothing needs to be
     * @param role what this one may do
     */
    public record Caller(@Nullable String name, Role role) {}

    private final boolean everybody;
    private final @Nullable PeerRules anyCertificateBut;
    private final SortedMap<String, Role> certificates;
    private final @Nullable TokenFile tokens;
    private final boolean openMetrics;

    private Access(
            boolean everybody,
            @Nullable PeerRules anyCertificateBut,
            SortedMap<String, Role> certificates,
            @Nullable TokenFile tokens,
            boolean openMetrics) {
        this.everybody = everybody;
        this.anyCertificateBut = anyCertificateBut;
        this.certificates = certificates;
        this.tokens = tokens;
        this.openMetrics = openMetrics;
    }

    /** Whoever reaches the port may do all. */
    public static Access everybody() {
        return new Access(true, null, new TreeMap<>(), null, true);
    }

    /** Whoever has a certificate of the authority may do all, but for agents. */
    public static Access anyCertificate(PeerRules rules) {
        return new Access(false, rules, new TreeMap<>(), null, false);
    }

    /**
     * As it is settled.
     *
     * @param certificates by a name in the certificate, or {@code OU=} and a unit of its subject
     * @param tokens null where there are none
     * @param openMetrics whether metrics are for everybody
     */
    public static Access of(SortedMap<String, Role> certificates, @Nullable TokenFile tokens, boolean openMetrics) {
        return new Access(false, null, new TreeMap<>(certificates), tokens, openMetrics);
    }

    /** The role of this word; null where there is none. */
    public static @Nullable Role role(String word) {
        for (Role role : Role.values()) {
            if (role.word().equals(word.toLowerCase(Locale.ROOT))) {
                return role;
            }
        }
        return null;
    }

    /** Whether metrics are for everybody. */
    boolean openMetrics() {
        return openMetrics;
    }

    /** What is wrong with the tokens' file; empty while nothing is. */
    public String problem() {
        return tokens == null ? "" : tokens.problem();
    }

    /**
     * Who asks.
     *
     * @param names of the certificate that was shown
     * @param authorization that header of the request; null where it has none
     * @throws AdminException where nobody that is known
     */
    Caller caller(CertificateNames names, @Nullable String authorization) throws AdminException {
        if (everybody) {
            return new Caller(null, Role.ADMIN);
        }
        if (authorization != null) {
            Caller owner = tokens == null || !authorization.startsWith(BEARER)
                    ? null
                    : tokens.owner(authorization.substring(BEARER.length()).strip());
            if (owner == null) {
                throw new AdminException(
                        Kind.UNAUTHENTICATED,
                        tokens == null
                                ? "a token was sent, and these masters know no tokens (access: tokens-file in their settings)"
                                : "the token isn't known here (access: tokens-file in the masters' settings has its hash)");
            }
            return owner;
        }
        if (names.names().isEmpty()) {
            throw new AdminException(
                    Kind.UNAUTHENTICATED,
                    "who asks isn't known: neither a certificate nor a token was sent (hactl: --cert and --key, or"
                            + " --token-file; a certificate of another authority isn't sent)");
        }
        if (anyCertificateBut != null) {
            if (anyCertificateBut.anyAgent(names)) {
                throw new AdminException(
                        Kind.FORBIDDEN,
                        "the certificate is that of an agent, " + names
                                + " (must be a person's, a program's or a master's)");
            }
            return new Caller(firstName(names), Role.ADMIN);
        }
        for (String name : names.names()) {
            Role role = certificates.get(name);
            if (role != null) {
                return new Caller(name, role);
            }
        }
        Role most = null;
        for (String unit : names.units()) {
            Role role = certificates.get(UNIT + unit);
            if (role != null && (most == null || role.covers(most))) {
                most = role;
            }
        }
        if (most != null) {
            return new Caller(firstName(names), most);
        }
        throw new AdminException(
                Kind.FORBIDDEN,
                "the certificate of " + names + " has no role here (access: certificates in the masters' settings gives"
                        + " one to a name or to OU=UNIT)");
    }

    private static String firstName(CertificateNames names) throws AdminException {
        String name = names.names().get(0);
        if (!NAME.matcher(name).matches()) {
            throw new AdminException(
                    Kind.FORBIDDEN,
                    "the certificate's name '" + name + "' can't stand in the switch log (must match " + NAME + ")");
        }
        return name;
    }

    /**
     * Nothing where this one may do it.
     *
     * @throws AdminException who is what, and what was needed
     */
    static void require(Caller caller, Role needed, String what) throws AdminException {
        if (!caller.role().covers(needed)) {
            throw new AdminException(
                    Kind.FORBIDDEN,
                    caller.name() + " is " + caller.role().phrase() + ", and " + what + " needs " + needed.phrase());
        }
    }

    /** What is wrong with a mapping of certificates; null where nothing is. */
    public static @Nullable String problem(Map<String, String> certificates) {
        for (Map.Entry<String, String> each : certificates.entrySet()) {
            String name = each.getKey().startsWith(UNIT) ? each.getKey().substring(UNIT.length()) : each.getKey();
            if (!each.getKey().startsWith(UNIT) && !NAME.matcher(name).matches()) {
                return "'" + name + "' (must be a name in a certificate, or OU=UNIT)";
            }
            if (role(each.getValue()) == null) {
                return each.getKey() + ": '" + each.getValue() + "' (must be viewer, operator or admin)";
            }
        }
        return null;
    }
}
