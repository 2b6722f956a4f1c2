package org.haarbiter.dns.server;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.haarbiter.dns.zone.ZoneReader;
import org.jspecify.annotations.Nullable;

/**
 * Turns a query into a response, byte by byte; for an ordinary answer it makes no object. It knows nothing of sockets. One a
 * thread.
 *
 * <p>What a query may hold and what it gets: RFC 1034, 1035 and 2181 (answers), 2308 (negative ones), 4592 (wildcards), 6891
 * (EDNS), 7871 (client subnet), 7873 and 9018 (cookies), 8482 (ANY), 8914 (extended errors), 5001 (server identity).
 */
final class Responder {

    /** What this server sends by UDP at most: fits into one packet on any way (DNS flag day 2020). */
    static final int UDP_BYTES = 1_232;

    static final int MAX_BYTES = 65_535;

    /** Of {@link #respond}: the query gets no response. */
    static final int NOTHING = 0;

    /** Of {@link #respond}: a transfer, or signed; it goes the long way. */
    static final int LONG_WAY = -1;

    private static final int EDNS_FIXED_BYTES = 11;
    private static final int OPTION_NSID = 3;
    private static final int OPTION_SUBNET = 8;
    private static final int OPTION_COOKIE = 10;
    private static final int OPTION_ERROR = 15;
    private static final int OPTION_USUAL_ANSWER = ZoneReader.OPTION_USUAL_ANSWER;
    private static final int ERROR_NOT_READY = 14;
    private static final int ERROR_NOT_AUTHORITATIVE = 20;
    private static final int NO_ERROR_INFO = -1;

    private static final int MAX_LABELS = 128;
    private static final int MAX_ALIASES = 8;
    private static final byte[] NO_TEXT = new byte[0];
    private static final byte[] NO_CONTENTS =
            "this server has no contents of the zone yet".getBytes(StandardCharsets.UTF_8);

    private static final byte[] VERSION = "HA Arbiter".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] VERSION_BIND = WireName.of("version.bind.");
    private static final byte[] VERSION_SERVER = WireName.of("version.server.");
    private static final byte[] HOSTNAME_BIND = WireName.of("hostname.bind.");
    private static final byte[] ID_SERVER = WireName.of("id.server.");

    private final DnsServerMetrics metrics;
    private final @Nullable ResponseRate rate;
    private final List<Network> rateExempt;
    private final List<Network> subnetFrom;
    private final Cookies cookies;
    private final byte[] serverId;
    private final Supplier<StateAge> stateAge;

    private Catalog catalog;
    private long seconds;
    private long nanos;
    private int turn;

    // The query.
    private byte[] in = NO_TEXT;
    private int length;
    private long clientHigh;
    private long clientLow;
    private int questionEnd;
    private int type;
    private int clazz;
    private boolean edns;
    private int ednsVersion;
    private boolean dnssecOk;
    private int udpBytes;
    private boolean wantsServerId;
    private boolean wantsUsualAnswer;
    private int cookieAt;
    private int cookieBytes;
    private boolean cookieValid;
    private int subnetAt;
    private int subnetBytes;
    private int subnetSourceBits;
    private boolean signed;

    // A name, in small letters, with the start and the hash of each of its ends.
    private final byte[] name = new byte[WireName.MAX_BYTES];
    private int nameBytes;
    private final int[] labelAt = new int[MAX_LABELS];
    private final int[] hashes = new int[MAX_LABELS];
    private int labels;

    // The response.
    private byte[] out = NO_TEXT;
    private int at;
    private int limit;
    private boolean authoritative;
    private boolean truncated;
    private int questions;
    private int answers;
    private int authorities;
    private int errorInfo;
    private byte[] errorText = NO_TEXT;
    private int scopeBits;
    private int region;

    Responder(
            DnsServerMetrics metrics,
            @Nullable ResponseRate rate,
            List<Network> rateExempt,
            List<Network> subnetFrom,
            Cookies cookies,
            String serverId,
            Supplier<StateAge> stateAge,
            Catalog catalog) {
        this.metrics = metrics;
        this.rate = rate;
        this.rateExempt = rateExempt;
        this.subnetFrom = subnetFrom;
        this.cookies = cookies;
        this.serverId = serverId.getBytes(StandardCharsets.UTF_8);
        this.stateAge = stateAge;
        this.catalog = catalog;
    }

    /**
     * What the next queries are answered from, and when.
     *
     * @param nowNanos on the monotonic clock, for the rate limit
     * @param nowSeconds since 1970, for cookies
     */
    void at(Catalog newCatalog, long nowNanos, long nowSeconds) {
        catalog = newCatalog;
        nanos = nowNanos;
        seconds = nowSeconds;
    }

    /**
     * Answers one message.
     *
     * @param query the message, from the first byte on
     * @param queryBytes its length, 0 or more
     * @param high the first 64 bits of the client's address, as {@link Network} has it
     * @param low the last 64
     * @param response where the response goes: {@link #MAX_BYTES} bytes, {@link #UDP_BYTES} suffice for UDP
     * @param tcp whether it came by TCP, so that the response may have any length and its sender isn't forged
     * @return the length of the response, or {@link #NOTHING}, or {@link #LONG_WAY}
     */
    int respond(byte[] query, int queryBytes, long high, long low, boolean tcp, byte[] response) {
        if (queryBytes < Wire.HEADER_BYTES || query[2] < 0) {
            metrics.unanswerable.increment(); // a response to a response could go on for ever
            return NOTHING;
        }
        begin(query, queryBytes, high, low, response);
        int opcode = (in[2] >>> 3) & 0x0f;
        boolean wellFormed = opcode == 0 && parse();
        limit = tcp ? MAX_BYTES : udpBytes;
        if (!tcp && !mayRespond()) {
            return held();
        }
        if (opcode != 0) {
            return finish(Wire.NOTIMP);
        }
        return wellFormed && (signed || isTransfer()) ? LONG_WAY : respond(wellFormed);
    }

    /**
     * Answers a query that has gone the long way: its signature was right, and the rate limit has let it pass.
     *
     * @param reservedBytes of the response, for its signature
     */
    int respondChecked(
            byte[] query, int queryBytes, long high, long low, boolean tcp, int reservedBytes, byte[] response) {
        begin(query, queryBytes, high, low, response);
        boolean wellFormed = parse();
        limit = (tcp ? MAX_BYTES : udpBytes) - reservedBytes;
        return respond(wellFormed);
    }

    private int respond(boolean wellFormed) {
        if (!wellFormed) {
            metrics.malformed.increment();
            return finish(Wire.FORMERR);
        }
        copyQuestion();
        return finish(edns && ednsVersion > 0 ? Wire.BADVERS : answer());
    }

    private boolean isTransfer() {
        return (type == Wire.TYPE_AXFR || type == Wire.TYPE_IXFR)
                && clazz == Wire.CLASS_IN
                && questionEnd > Wire.HEADER_BYTES
                && ednsVersion == 0;
    }

    private void begin(byte[] query, int queryBytes, long high, long low, byte[] response) {
        in = query;
        length = queryBytes;
        clientHigh = high;
        clientLow = low;
        out = response;
        questionEnd = Wire.HEADER_BYTES;
        at = Wire.HEADER_BYTES;
        type = 0;
        clazz = 0;
        edns = false;
        ednsVersion = 0;
        dnssecOk = false;
        udpBytes = 512;
        wantsServerId = false;
        wantsUsualAnswer = false;
        cookieBytes = 0;
        cookieValid = false;
        subnetBytes = 0;
        signed = false;
        authoritative = false;
        truncated = false;
        questions = 0;
        answers = 0;
        authorities = 0;
        errorInfo = NO_ERROR_INFO;
        errorText = NO_TEXT;
        scopeBits = 0;
    }

    // ---------------------------------------------------------------- reading

    /** Reads the whole message; false where it isn't well formed, and what was read until then is told in the response. */
    private boolean parse() {
        int questions = Wire.getShort(in, 4);
        if (questions > 1) {
            return false;
        }
        int end = Wire.HEADER_BYTES;
        if (questions == 1) {
            end = readQuestion();
            if (end < 0) {
                return false;
            }
        }
        int answerAndAuthority = Wire.getShort(in, 6) + Wire.getShort(in, 8);
        for (int i = 0; i < answerAndAuthority; i++) {
            end = skipRecord(end);
            if (end < 0) {
                return false;
            }
        }
        int additional = Wire.getShort(in, 10);
        for (int i = 0; i < additional; i++) {
            end = readAdditional(end, i == additional - 1);
            if (end < 0) {
                return false;
            }
        }
        // RFC 7873 5.4: with a cookie, no question asks for a server cookie.
        return end == length && (questions == 1 || cookieBytes > 0);
    }

    private int readQuestion() {
        int end = readName(in, Wire.HEADER_BYTES, length);
        if (end < 0 || end + 4 > length) {
            return -1;
        }
        type = Wire.getShort(in, end);
        clazz = Wire.getShort(in, end + 2);
        if (type == Wire.TYPE_OPT || type == Wire.TYPE_TSIG || type == Wire.TYPE_TKEY) {
            return -1;
        }
        questionEnd = end + 4;
        return questionEnd;
    }

    /** Takes a name without pointers in, in small letters; the end of it, or -1 where it isn't one. */
    private int readName(byte[] from, int start, int end) {
        int count = 0;
        int read = start;
        while (true) {
            if (read >= end || count >= MAX_LABELS) {
                return -1;
            }
            int label = from[read] & 0xff;
            int size = read - start;
            if (label > 63 || size + label + 1 > WireName.MAX_BYTES - (label == 0 ? 0 : 1)) {
                return -1; // a pointer has nothing to point to in the first name
            }
            labelAt[count++] = size;
            name[size] = (byte) label;
            if (label == 0) {
                break;
            }
            if (read + label >= end) {
                return -1;
            }
            int hash = label;
            for (int i = 1; i <= label; i++) {
                byte small = WireName.small(from[read + i]);
                name[size + i] = small;
                hash = WireName.next(hash, small);
            }
            hashes[count - 1] = hash;
            read += 1 + label;
        }
        labels = count - 1;
        nameBytes = read + 1 - start;
        int hash = WireName.ROOT_HASH;
        hashes[labels] = hash;
        for (int i = labels - 1; i >= 0; i--) {
            hash = WireName.join(hashes[i], hash);
            hashes[i] = hash;
        }
        return read + 1;
    }

    /** The end of a name that may end with a pointer; -1 where it isn't one. */
    private int skipName(int start) {
        int read = start;
        while (read < length) {
            int label = in[read] & 0xff;
            if (label == 0) {
                return read + 1;
            }
            if (label >= 0xc0) {
                return read + 2 <= length ? read + 2 : -1;
            }
            if (label > 63) {
                return -1;
            }
            read += 1 + label;
        }
        return -1;
    }

    private int skipRecord(int start) {
        int fields = skipName(start);
        if (fields < 0 || fields + 10 > length) {
            return -1;
        }
        int recordType = Wire.getShort(in, fields);
        int end = fields + 10 + Wire.getShort(in, fields + 8);
        return end > length || recordType == Wire.TYPE_OPT || recordType == Wire.TYPE_TSIG ? -1 : end;
    }

    private int readAdditional(int start, boolean last) {
        int fields = skipName(start);
        if (fields < 0 || fields + 10 > length) {
            return -1;
        }
        int recordType = Wire.getShort(in, fields);
        int end = fields + 10 + Wire.getShort(in, fields + 8);
        if (end > length) {
            return -1;
        }
        if (recordType == Wire.TYPE_TSIG) {
            signed = true;
            return last ? end : -1; // RFC 8945 5.1: nothing stands behind it
        }
        if (recordType == Wire.TYPE_OPT) {
            // RFC 6891 6.1.1: one, and its owner is the root.
            if (edns || fields != start + 1) {
                return -1;
            }
            edns = true;
            udpBytes = Math.max(512, Math.min(UDP_BYTES, Wire.getShort(in, fields + 2)));
            ednsVersion = in[fields + 5] & 0xff;
            dnssecOk = in[fields + 6] < 0;
            // Of a version that we don't know, nothing but the version is understood.
            return ednsVersion > 0 || readOptions(fields + 10, end) ? end : -1;
        }
        return end;
    }

    private boolean readOptions(int start, int end) {
        int read = start;
        while (read < end) {
            if (read + 4 > end) {
                return false;
            }
            int option = Wire.getShort(in, read);
            int bytes = Wire.getShort(in, read + 2);
            read += 4;
            if (read + bytes > end) {
                return false;
            }
            if (option == OPTION_NSID) {
                wantsServerId = true;
            } else if (option == OPTION_COOKIE) {
                if (!readCookie(read, bytes)) {
                    return false;
                }
            } else if (option == OPTION_USUAL_ANSWER) {
                wantsUsualAnswer = true;
            } else if (option == OPTION_SUBNET && !readSubnet(read, bytes)) {
                return false;
            }
            read += bytes;
        }
        return true;
    }

    private boolean readCookie(int start, int bytes) {
        if (bytes != Cookies.CLIENT_BYTES && (bytes < 16 || bytes > 40)) {
            return false; // RFC 7873 5.2.2
        }
        if (cookieBytes == 0) { // of several, the first counts
            cookieAt = start;
            cookieBytes = bytes;
            cookieValid = bytes == Cookies.CLIENT_BYTES + Cookies.SERVER_BYTES
                    && cookies.valid(in, start, clientHigh, clientLow, seconds);
        }
        return true;
    }

    /** RFC 7871 6 and 7.1.2. */
    private boolean readSubnet(int start, int bytes) {
        if (bytes < 4) {
            return false;
        }
        int family = Wire.getShort(in, start);
        int sourceBits = in[start + 2] & 0xff;
        int most = family == 1 ? 32 : family == 2 ? 128 : 0;
        int addressBytes = (sourceBits + 7) / 8;
        if (family > 2 || sourceBits > most || in[start + 3] != 0 || bytes != 4 + addressBytes) {
            return false;
        }
        if (sourceBits % 8 != 0 && (in[start + bytes - 1] & (0xff >>> (sourceBits % 8))) != 0) {
            return false;
        }
        if (subnetBytes == 0 && Network.anyContains(subnetFrom, clientHigh, clientLow)) {
            subnetAt = start;
            subnetBytes = bytes;
            subnetSourceBits = sourceBits;
        }
        return true;
    }

    // ---------------------------------------------------------------- answering

    private boolean mayRespond() {
        if (rate == null || cookieValid || Network.anyContains(rateExempt, clientHigh, clientLow)) {
            return true;
        }
        ResponseRate.Verdict verdict = rate.take(clientHigh, clientLow, nanos);
        truncated = verdict == ResponseRate.Verdict.SLIP;
        return verdict == ResponseRate.Verdict.SEND;
    }

    private int held() {
        if (!truncated || questionEnd == Wire.HEADER_BYTES) {
            metrics.rateDropped.increment();
            return NOTHING;
        }
        metrics.rateSlipped.increment();
        copyQuestion();
        return finish(Wire.NOERROR);
    }

    private void copyQuestion() {
        // Byte for byte: resolvers put chance into the letters' case and look whether it comes back.
        System.arraycopy(in, Wire.HEADER_BYTES, out, Wire.HEADER_BYTES, questionEnd - Wire.HEADER_BYTES);
        at = questionEnd;
        questions = questionEnd > Wire.HEADER_BYTES ? 1 : 0;
    }

    /** Writes what stands between question and OPT record; the response's code. */
    private int answer() {
        if (questionEnd == Wire.HEADER_BYTES) {
            return Wire.NOERROR; // asked for a cookie only
        }
        if (clazz == Wire.CLASS_CH) {
            return aboutTheServer();
        }
        Catalog.Zone zone = clazz == Wire.CLASS_IN ? zone() : null;
        if (zone == null) {
            return error(Wire.REFUSED, ERROR_NOT_AUTHORITATIVE, NO_TEXT);
        }
        ZoneSnapshot snapshot = zone.snapshot;
        if (!catalog.notCaughtUp().isEmpty()) {
            return error(Wire.SERVFAIL, ERROR_NOT_READY, catalog.notCaughtUp().getBytes(StandardCharsets.UTF_8));
        }
        if (snapshot == null) {
            return error(Wire.SERVFAIL, ERROR_NOT_READY, NO_CONTENTS);
        }
        authoritative = true;
        return fromZone(snapshot);
    }

    private int error(int code, int info, byte[] text) {
        errorInfo = info;
        errorText = text;
        return code;
    }

    private Catalog.@Nullable Zone zone() {
        List<Catalog.Zone> zones = catalog.zones();
        for (int i = 0; i < zones.size(); i++) {
            Catalog.Zone zone = zones.get(i);
            int from = nameBytes - zone.origin.length;
            if (from < 0) {
                continue;
            }
            for (int label = 0; label <= labels && labelAt[label] <= from; label++) {
                if (labelAt[label] == from
                        && hashes[label] == zone.hash
                        && Arrays.equals(name, from, nameBytes, zone.origin, 0, zone.origin.length)) {
                    return zone;
                }
            }
        }
        return null;
    }

    private int fromZone(ZoneSnapshot snapshot) {
        int apexPointer = 0xc000 | (Wire.HEADER_BYTES + nameBytes - snapshot.origin.length);
        int owner = Answer.QUESTION_POINTER;
        region = RegionNames.NONE;
        boolean regionKnown = false;
        for (int aliases = 0; ; aliases++) {
            Node node = find(snapshot);
            if (node == null) {
                scopeBits = 0;
                negative(snapshot, apexPointer);
                return Wire.NXDOMAIN;
            }
            if (node.state) {
                return state(snapshot, apexPointer, owner);
            }
            EncodedSet set = choose(node);
            if (set == null) {
                scopeBits = 0;
                negative(snapshot, apexPointer);
                return Wire.NOERROR;
            }
            if (set.regional() && !regionKnown) {
                regionKnown = true;
                findRegion();
            }
            Answer answer = set.of(region);
            int writtenAt = at;
            if (!write(answer, owner)) {
                return Wire.NOERROR;
            }
            answers += answer.count;
            byte[] target = answer.target;
            if (target == null || type == set.type || type == Wire.TYPE_ANY || aliases == MAX_ALIASES) {
                return Wire.NOERROR;
            }
            // RFC 1034 4.3.2: the answer goes on at the other name, where that is ours too.
            readName(target, 0, target.length);
            int from = nameBytes - snapshot.origin.length;
            if (from < 0 || !Arrays.equals(name, from, nameBytes, snapshot.origin, 0, snapshot.origin.length)) {
                return Wire.NOERROR;
            }
            owner = 0xc000 | (writtenAt + Answer.DATA_OFFSET);
        }
    }

    /** The node that answers for the name: its own, or that of the wildcard that stands for it (RFC 4592 3.3.1). */
    private @Nullable Node find(ZoneSnapshot snapshot) {
        for (int label = 0; label <= labels; label++) {
            int from = labelAt[label];
            if (nameBytes - from < snapshot.origin.length) {
                break;
            }
            Node node = snapshot.find(name, from, nameBytes, hashes[label]);
            if (node != null) {
                return label == 0 ? node : snapshot.wildcard(name, from, nameBytes, hashes[label]);
            }
        }
        return null;
    }

    private @Nullable EncodedSet choose(Node node) {
        EncodedSet first = node.first;
        if (first == null || first.type == type || first.type == RecordType.CNAME.code()) {
            return first;
        }
        for (EncodedSet other : node.others) {
            if (other.type == type) {
                return other;
            }
        }
        // RFC 8482 4.1: one of the sets, whichever.
        return type == Wire.TYPE_ANY ? first : null;
    }

    private void findRegion() {
        if (wantsUsualAnswer) {
            return;
        }
        RegionTable table = catalog.regions();
        long high = clientHigh;
        long low = clientLow;
        if (subnetBytes > 0 && subnetSourceBits > 0) {
            boolean four = Wire.getShort(in, subnetAt) == 1;
            high = 0;
            low = 0;
            for (int i = 0; i < subnetBytes - 4; i++) {
                long octet = in[subnetAt + 4 + i] & 0xff;
                if (four) {
                    low |= octet << (24 - 8 * i);
                } else if (i < 8) {
                    high |= octet << (56 - 8 * i);
                } else {
                    low |= octet << (120 - 8 * i);
                }
            }
            if (four) {
                low |= Network.IPV4_LOW;
            }
            int bits = table.scopeBits(high, low);
            scopeBits = four ? Math.max(0, bits - Network.IPV4_BITS) : bits;
        }
        region = table.of(high, low);
    }

    private int aboutTheServer() {
        authoritative = true;
        boolean id = nameIs(HOSTNAME_BIND) || nameIs(ID_SERVER);
        boolean version = nameIs(VERSION_BIND) || nameIs(VERSION_SERVER);
        byte[] text = id ? serverId : version ? VERSION : NO_TEXT;
        if (text.length == 0) {
            authoritative = false;
            return error(Wire.REFUSED, ERROR_NOT_AUTHORITATIVE, NO_TEXT);
        }
        if (type == Wire.TYPE_TXT || type == Wire.TYPE_ANY) {
            writeText(Answer.QUESTION_POINTER, Wire.CLASS_CH, text);
        }
        return Wire.NOERROR;
    }

    private boolean nameIs(byte[] other) {
        return Arrays.equals(name, 0, nameBytes, other, 0, other.length);
    }

    private int state(ZoneSnapshot snapshot, int apexPointer, int owner) {
        if (type != Wire.TYPE_TXT && type != Wire.TYPE_ANY) {
            negative(snapshot, apexPointer);
            return Wire.NOERROR;
        }
        StateAge age = stateAge.get();
        String text = "applied-index=" + age.appliedIndex() + " leader-silence-millis=" + age.leaderSilenceMillis();
        writeText(owner, Wire.CLASS_IN, text.getBytes(StandardCharsets.US_ASCII));
        return Wire.NOERROR;
    }

    // ---------------------------------------------------------------- writing

    private boolean fits(int bytes) {
        if (at + bytes + ednsBytes() <= limit) {
            return true;
        }
        // RFC 2181 9 allows parts of an answer; none at all is what no client misreads.
        truncated = true;
        metrics.truncated.increment();
        at = questionEnd;
        answers = 0;
        authorities = 0;
        return false;
    }

    /** Writes the records, beginning with another one each time, so that clients that take the first spread. */
    private boolean write(Answer answer, int owner) {
        byte[] bytes = answer.bytes;
        if (!fits(bytes.length)) {
            return false;
        }
        int begin = at;
        int count = answer.count;
        if (count == 1) {
            System.arraycopy(bytes, 0, out, at, bytes.length);
        } else {
            int split = answer.firsts[(turn++ & Integer.MAX_VALUE) % answer.firsts.length];
            System.arraycopy(bytes, split, out, at, bytes.length - split);
            System.arraycopy(bytes, 0, out, at + bytes.length - split, split);
        }
        at += bytes.length;
        if (owner != Answer.QUESTION_POINTER) {
            for (int record = begin; record < at; ) {
                Wire.putShort(out, record, owner);
                record += Answer.DATA_OFFSET + Wire.getShort(out, record + Answer.DATA_OFFSET - 2);
            }
        }
        return true;
    }

    private void writeText(int owner, int recordClass, byte[] text) {
        if (!fits(Answer.DATA_OFFSET + 1 + text.length)) {
            return;
        }
        at = Wire.putShort(out, at, owner);
        at = Wire.putShort(out, at, Wire.TYPE_TXT);
        at = Wire.putShort(out, at, recordClass);
        at = Wire.putInt(out, at, 0);
        at = Wire.putShort(out, at, 1 + text.length);
        out[at++] = (byte) text.length;
        System.arraycopy(text, 0, out, at, text.length);
        at += text.length;
        answers++;
    }

    /** The zone's SOA record in the authority section, for how long what isn't there may be remembered (RFC 2308 2). */
    private void negative(ZoneSnapshot snapshot, int apexPointer) {
        byte[] bytes = snapshot.negative.bytes;
        if (!fits(bytes.length)) {
            return;
        }
        System.arraycopy(bytes, 0, out, at, bytes.length);
        Wire.putShort(out, at, apexPointer);
        at += bytes.length;
        authorities++;
    }

    private int ednsBytes() {
        if (!edns) {
            return 0;
        }
        int bytes = EDNS_FIXED_BYTES;
        if (ednsVersion > 0) {
            return bytes;
        }
        if (wantsServerId && serverId.length > 0) {
            bytes += 4 + serverId.length;
        }
        if (cookieBytes > 0) {
            bytes += 4 + Cookies.CLIENT_BYTES + Cookies.SERVER_BYTES;
        }
        if (subnetBytes > 0) {
            bytes += 4 + subnetBytes;
        }
        if (errorInfo != NO_ERROR_INFO) {
            bytes += 6 + errorText.length;
        }
        return bytes;
    }

    private void writeEdns(int rcode) {
        int bytes = ednsBytes();
        out[at++] = 0;
        at = Wire.putShort(out, at, Wire.TYPE_OPT);
        at = Wire.putShort(out, at, UDP_BYTES);
        out[at++] = (byte) (rcode >>> 4);
        out[at++] = 0; // the version that we know
        at = Wire.putShort(out, at, dnssecOk ? 0x8000 : 0);
        at = Wire.putShort(out, at, bytes - EDNS_FIXED_BYTES);
        if (ednsVersion > 0) {
            return;
        }
        if (wantsServerId && serverId.length > 0) {
            putOption(OPTION_NSID, serverId, 0, serverId.length);
        }
        if (cookieBytes > 0) {
            int both = Cookies.CLIENT_BYTES + Cookies.SERVER_BYTES;
            if (cookieValid && cookies.fresh(in, cookieAt, seconds)) {
                putOption(OPTION_COOKIE, in, cookieAt, both);
            } else {
                at = Wire.putShort(out, at, OPTION_COOKIE);
                at = Wire.putShort(out, at, both);
                System.arraycopy(in, cookieAt, out, at, Cookies.CLIENT_BYTES);
                cookies.write(out, at, clientHigh, clientLow, seconds);
                at += both;
            }
        }
        if (subnetBytes > 0) {
            putOption(OPTION_SUBNET, in, subnetAt, subnetBytes);
            out[at - subnetBytes + 3] = (byte) scopeBits;
        }
        if (errorInfo != NO_ERROR_INFO) {
            at = Wire.putShort(out, at, OPTION_ERROR);
            at = Wire.putShort(out, at, 2 + errorText.length);
            at = Wire.putShort(out, at, errorInfo);
            System.arraycopy(errorText, 0, out, at, errorText.length);
            at += errorText.length;
        }
    }

    private void putOption(int option, byte[] from, int start, int bytes) {
        at = Wire.putShort(out, at, option);
        at = Wire.putShort(out, at, bytes);
        System.arraycopy(from, start, out, at, bytes);
        at += bytes;
    }

    private int finish(int rcode) {
        if (at + ednsBytes() > limit) {
            errorText = NO_TEXT; // the number alone must do
        }
        if (edns) {
            writeEdns(rcode);
        }
        out[0] = in[0];
        out[1] = in[1];
        // Opcode and RD come back as they came; never TC, AA or AD of the query.
        out[2] = (byte) (0x80 | (in[2] & 0x79) | (authoritative ? 0x04 : 0) | (truncated ? 0x02 : 0));
        out[3] = (byte) (rcode & 0x0f);
        Wire.putShort(out, 4, questions);
        Wire.putShort(out, 6, answers);
        Wire.putShort(out, 8, authorities);
        Wire.putShort(out, 10, edns ? 1 : 0);
        metrics.responded(rcode);
        return at;
    }
}
