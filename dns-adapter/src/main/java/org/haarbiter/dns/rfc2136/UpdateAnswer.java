package org.haarbiter.dns.rfc2136;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import org.haarbiter.dns.PublishOutcome;
import org.haarbiter.dns.PublishOutcome.Result;
import org.haarbiter.dns.zone.Reply;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.Message;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.TSIGRecord;

/** What a server's reply to a signed message means, and what an operator should do about it. */
final class UpdateAnswer {

    private final Rfc2136Settings settings;
    private final Clock clock;

    UpdateAnswer(Rfc2136Settings settings, Clock clock) {
        this.settings = settings;
        this.clock = clock;
    }

    /** The codes that say "the prerequisite doesn't hold": the only ones that tell of another writer. */
    static boolean isPrerequisiteFailure(Reply reply) {
        Message message = reply.message();
        if (reply.kind() != Reply.Kind.ANSWERED || message == null) {
            return false;
        }
        int rcode = message.getHeader().getRcode();
        return rcode == Rcode.NXRRSET || rcode == Rcode.NXDOMAIN || rcode == Rcode.YXRRSET || rcode == Rcode.YXDOMAIN;
    }

    static boolean isTaken(Reply reply) {
        Message message = reply.message();
        return reply.kind() == Reply.Kind.ANSWERED
                && message != null
                && message.getHeader().getRcode() == Rcode.NOERROR;
    }

    /** True where the update may yet be applied, or may have been: only a look at the zone can tell. */
    static boolean isOpen(Reply reply) {
        Message message = reply.message();
        return switch (reply.kind()) {
            case SILENT -> true;
            case UNVERIFIED -> message == null || !isRefusal(message.getHeader().getRcode());
            case ANSWERED, UNDELIVERED -> false;
        };
    }

    private static boolean isRefusal(int rcode) {
        return rcode != Rcode.NOERROR
                && rcode != Rcode.NXRRSET
                && rcode != Rcode.NXDOMAIN
                && rcode != Rcode.YXRRSET
                && rcode != Rcode.YXDOMAIN;
    }

    /**
     * True where a refusal of several groups in one message may be due to the records of one of them: a name that the key may not
     * change, a CNAME beside it. Trouble with the key or the zone concerns all alike.
     */
    boolean mayConcernOneGroup(Reply reply) {
        Message message = reply.message();
        if (reply.kind() != Reply.Kind.ANSWERED || message == null) {
            return false;
        }
        int rcode = message.getHeader().getRcode();
        return rcode == Rcode.REFUSED || rcode == Rcode.NOTZONE || rcode == Rcode.FORMERR;
    }

    /** The outcome for a reply that is neither taken nor a prerequisite failure. */
    PublishOutcome outcome(Reply reply) {
        Endpoint server = settings.updateServer();
        Message message = reply.message();
        if (message == null) {
            return new PublishOutcome(Result.UNKNOWN, server + ": " + reply.detail());
        }
        int rcode = message.getHeader().getRcode();
        boolean signed = reply.kind() == Reply.Kind.ANSWERED;
        if (!signed && !isRefusal(rcode)) {
            return unknown(server + " answered " + Rcode.string(rcode) + " without a valid signature: it counts as no"
                    + " answer. Either somebody forges answers, or something on the way strips signatures, or the"
                    + " server's key " + settings.keyName() + " has another secret");
        }
        TSIGRecord signature = message.getTSIG();
        int keyError = signature == null ? Rcode.NOERROR : signature.getError();
        if (keyError != Rcode.NOERROR) {
            return refused(keyTrouble(server, keyError, signature));
        }
        return switch (rcode) {
            case Rcode.REFUSED ->
                refused(
                        signed
                                ? server + " answered REFUSED to key " + settings.keyName()
                                        + ": allow it to change A, AAAA and"
                                        + " TXT records of " + settings.zone() + " (BIND: update-policy { grant "
                                        + bare(settings.keyName())
                                        + " zonesub A AAAA TXT; }; PowerDNS: TSIG-ALLOW-DNSUPDATE), and see that this is"
                                        + " the zone's primary, not a secondary, and that names of addresses hold no"
                                        + " underscore (BIND: check-names)"
                                : server + " answered REFUSED, unsigned: " + checkKey()
                                        + ", that updates from this machine are allowed (PowerDNS: dnsupdate=yes,"
                                        + " allow-dnsupdate-from, TSIG-ALLOW-DNSUPDATE), and that it serves zone "
                                        + settings.zone());
            case Rcode.NOTAUTH ->
                refused(
                        signed
                                ? server + " answered NOTAUTH: it isn't the primary of zone " + settings.zone()
                                        + " Correct update-server or zone"
                                : server + " answered NOTAUTH, unsigned: " + checkKey()
                                        + ", and that it is the primary of zone " + settings.zone());
            case Rcode.NOTZONE ->
                refused(server + " answered NOTZONE: a name lies outside zone " + settings.zone()
                        + ". Nothing was changed. Correct the group's names");
            case Rcode.FORMERR ->
                refused(server
                        + " answered FORMERR: it doesn't understand the update. Nothing was changed. See that it is"
                        + " a server with RFC 2136 updates, and look into its log");
            case Rcode.NOTIMP ->
                refused(server + " answered NOTIMP: it doesn't take dynamic updates. Switch them on for zone "
                        + settings.zone() + ", or correct update-server");
            case Rcode.SERVFAIL ->
                unknown(server
                        + " answered SERVFAIL: it couldn't write. Look for a full disk, a directory that is missing or that it may not"
                        + " write to, or a zone that failed to load; its log says which. It is tried again");
            default ->
                refused(server + " answered " + Rcode.string(rcode)
                        + ", which is no usual answer to an update. Look into" + " its log");
        };
    }

    private String keyTrouble(Endpoint server, int keyError, @Nullable TSIGRecord signature) {
        return switch (keyError) {
            case Rcode.BADKEY ->
                server + " doesn't know key " + settings.keyName() + " with " + settings.algorithm()
                        + ", or allows it nothing in zone " + settings.zone()
                        + " (BADKEY). Give the server a key of this name and algorithm (Knot: and the zone, on its primary,"
                        + " an acl with this key and action [update, query]), or correct key-file and algorithm here";
            case Rcode.BADSIG ->
                server + " has another secret for key " + settings.keyName() + " (BADSIG). Copy the secret from the"
                        + " server's key block";
            case Rcode.BADTIME ->
                server + " refuses the time of the signature (BADTIME): its clock is " + offset(signature)
                        + ". Set both clocks by NTP; at most 300 s of difference are allowed";
            default ->
                server + " refuses the signature of key " + settings.keyName() + " (" + Rcode.TSIGstring(keyError)
                        + "). Look into its log";
        };
    }

    /** The server's clock against ours; RFC 8945 5.2.3 puts its time, 48 bits of seconds, into the refusal. */
    private String offset(@Nullable TSIGRecord signature) {
        byte[] other = signature == null ? null : signature.getOther();
        if (other == null || other.length != 6) {
            return "too far from this machine's";
        }
        long seconds = 0;
        for (byte b : other) {
            seconds = (seconds << 8) | (b & 0xff);
        }
        long ahead = Duration.between(clock.instant(), Instant.ofEpochSecond(seconds))
                .toSeconds();
        return Math.abs(ahead) + " s " + (ahead >= 0 ? "ahead of" : "behind") + " this machine's";
    }

    /** Of what a server refuses without a signature, it doesn't tell which part of the key is wrong. */
    private String checkKey() {
        return "check key name " + settings.keyName() + ", its secret and algorithm (" + settings.algorithm()
                + "), the clocks of both machines";
    }

    private static String bare(String name) {
        return name.substring(0, name.length() - 1);
    }

    private static PublishOutcome refused(String detail) {
        return new PublishOutcome(Result.REFUSED, detail);
    }

    private static PublishOutcome unknown(String detail) {
        return new PublishOutcome(Result.UNKNOWN, detail);
    }
}
