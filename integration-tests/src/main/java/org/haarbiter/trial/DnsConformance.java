package org.haarbiter.trial;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.ClientSubnetOption;
import org.xbill.DNS.CookieOption;
import org.xbill.DNS.DClass;
import org.xbill.DNS.EDNSOption;
import org.xbill.DNS.Flags;
import org.xbill.DNS.GenericEDNSOption;
import org.xbill.DNS.Message;
import org.xbill.DNS.NSIDOption;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.TSIG;
import org.xbill.DNS.TSIGRecord;
import org.xbill.DNS.Type;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Sends packets to a DNS server and says of each kind whether the answer is what the RFCs ask for. BIND, Knot and PowerDNS
 * can be tried by the same packets, so that it shows where a check, rather than a server, is wrong.
 */
@Command(
        name = "dns-conformance",
        mixinStandardHelpOptions = true,
        description = "Tries a DNS server with proper and improper packets.")
public final class DnsConformance implements Callable<Integer> {

    private static final int NAMES = 400;
    private static final String ZONE = DnsTrialZone.ZONE;
    private static final String ADDRESS_NAME = "group00001-rw." + ZONE;
    private static final int UDP_BYTES = 1_232;
    private static final int EXPIRE = 9;
    private static final int UNKNOWN_OPTION = 100;
    private static final int FULL_SECRET_BYTES = 32;

    @Option(
            names = "--server",
            defaultValue = "embedded",
            description = "embedded, BIND, Knot or PowerDNS (default: ${DEFAULT-VALUE})")
    private String server = "embedded";

    @Option(
            names = "--packets",
            defaultValue = "20000",
            description = "mutated packets that are sent (default: ${DEFAULT-VALUE})")
    private int packets = 20_000;

    @Option(names = "--seed", defaultValue = "1", description = "of the mutations (default: ${DEFAULT-VALUE})")
    private long seed = 1;

    private int passed;
    private int failed;

    /** One check: null where it holds, else what was seen instead. */
    private interface Check {
        @Nullable
        String problem() throws IOException;
    }

    /** What a message is asked for. */
    private interface Wanted {
        @Nullable
        String problem(Message message) throws IOException;
    }

    /** Exits with 0 when everything passed. */
    public static void main(String[] arguments) {
        System.exit(new CommandLine(new DnsConformance()).execute(arguments));
    }

    @Override
    public Integer call() throws IOException {
        Path work = Arena.passingWorkDirectory("ha-arbiter-dns-");
        DnsTrialZone zone = new DnsTrialZone(NAMES);
        try (DnsContender contender = contender(work.resolve("server"), zone)) {
            contender.start();
            Endpoint address = contender.address();
            edns(address);
            header(address);
            answers(address);
            types(address);
            transport(address);
            signatures(address);
            if (server.equals("embedded")) {
                aboutTheServer(address);
            }
            malformed(address);
            mutations(address);
        }
        if (server.equals("embedded")) {
            DnsTransferTrial.run(work, this::check);
        }
        System.out.printf("%d passed, %d failed%n", passed, failed);
        return failed == 0 ? 0 : 1;
    }

    private DnsContender contender(Path work, DnsTrialZone zone) throws IOException {
        return switch (server) {
            case "embedded" -> DnsContender.embedded(work, NAMES, List.of("-Xmx128m"));
            case "BIND" -> DnsContender.bind(work, zone);
            case "Knot" -> DnsContender.knot(work, zone);
            case "PowerDNS" -> DnsContender.powerDns(work, zone);
            default ->
                throw new CommandLine.TypeConversionException(
                        "--server: '" + server + "' (must be embedded, BIND, Knot or PowerDNS)");
        };
    }

    private void check(String name, @Nullable String problem) {
        if (problem == null) {
            passed++;
        } else {
            failed++;
        }
        System.out.println(problem == null ? "PASS  " + name : "FAIL  " + name + ": " + problem);
    }

    private void check(String name, Check check) {
        try {
            check(name, check.problem());
        } catch (IOException e) {
            check(name, String.valueOf(e));
        }
    }

    // ---------------------------------------------------------------- what a query is made of

    private static Message query(String name, int type) {
        return Message.newQuery(Record.newRecord(Name.fromConstantString(name), type, DClass.IN));
    }

    private static Message edns(Message query, int version, int flags, EDNSOption... options) {
        query.addRecord(new OPTRecord(UDP_BYTES, 0, version, flags, options), Section.ADDITIONAL);
        return query;
    }

    private static EDNSOption unknownOption() {
        return new GenericEDNSOption(UNKNOWN_OPTION, new byte[] {1, 2, 3});
    }

    private void udp(Endpoint address, String name, Message query, Wanted wanted) {
        check(name, () -> {
            byte[] response = DnsExchange.udp(address, query.toWire());
            return response == null ? "no response" : wanted.problem(new Message(response));
        });
    }

    private static @Nullable String rcode(Message message, int wanted) {
        return message.getRcode() == wanted
                ? null
                : "rcode " + Rcode.string(message.getRcode()) + " (must be " + Rcode.string(wanted) + ")";
    }

    private static @Nullable String first(@Nullable String... problems) {
        for (String problem : problems) {
            if (problem != null) {
                return problem;
            }
        }
        return null;
    }

    private static @Nullable String unless(boolean holds, String problem) {
        return holds ? null : problem;
    }

    private static @Nullable String soa(Message message, boolean there) {
        boolean found = message.getSection(Section.ANSWER).stream().anyMatch(SOARecord.class::isInstance);
        return unless(found == there, there ? "no SOA record" : "an SOA record (must be none)");
    }

    /** An OPT record of version 0, with flags and without options that weren't understood. */
    private static @Nullable String opt(Message message, boolean dnssecOk) {
        OPTRecord opt = message.getOPT();
        if (opt == null) {
            return "no OPT record";
        }
        return first(
                unless(opt.getVersion() == 0, "EDNS version " + opt.getVersion() + " (must be 0)"),
                unless(
                        (opt.getFlags() & 0x7fff) == 0,
                        "EDNS flags " + Integer.toHexString(opt.getFlags()) + " (unknown ones must be 0)"),
                unless(((opt.getFlags() & 0x8000) != 0) == dnssecOk, "DO bit isn't as asked"),
                unless(
                        opt.getOptions(UNKNOWN_OPTION).isEmpty(),
                        "option " + UNKNOWN_OPTION + " came back (must be ignored)"));
    }

    // ---------------------------------------------------------------- the checks

    private void edns(Endpoint address) {
        udp(
                address,
                "plain DNS: SOA, no OPT record",
                query(ZONE, Type.SOA),
                m -> first(rcode(m, Rcode.NOERROR), soa(m, true), unless(m.getOPT() == null, "an OPT record")));
        udp(
                address,
                "EDNS 0 (RFC 6891)",
                edns(query(ZONE, Type.SOA), 0, 0),
                m -> first(rcode(m, Rcode.NOERROR), soa(m, true), opt(m, false)));
        udp(
                address,
                "EDNS 0, DO bit comes back (RFC 3225)",
                edns(query(ZONE, Type.SOA), 0, Flags.DO),
                m -> first(rcode(m, Rcode.NOERROR), soa(m, true), opt(m, true)));
        udp(
                address,
                "EDNS 0, unknown option is ignored",
                edns(query(ZONE, Type.SOA), 0, 0, unknownOption()),
                m -> first(rcode(m, Rcode.NOERROR), soa(m, true), opt(m, false)));
        udp(
                address,
                "EDNS 0, unknown flag doesn't come back",
                edns(query(ZONE, Type.SOA), 0, 0x0080),
                m -> first(rcode(m, Rcode.NOERROR), soa(m, true), opt(m, false)));
        udp(
                address,
                "EDNS 1: BADVERS, version 0, no answer",
                edns(query(ZONE, Type.SOA), 1, 0),
                m -> first(rcode(m, Rcode.BADVERS), soa(m, false), opt(m, false)));
        udp(
                address,
                "EDNS 1, unknown option",
                edns(query(ZONE, Type.SOA), 1, 0, unknownOption()),
                m -> first(rcode(m, Rcode.BADVERS), soa(m, false), opt(m, false)));
        udp(
                address,
                "EDNS 1, unknown flag",
                edns(query(ZONE, Type.SOA), 1, 0x0080),
                m -> first(rcode(m, Rcode.BADVERS), soa(m, false), opt(m, false)));
        udp(
                address,
                "EDNS 0, NSID, cookie, expire and client subnet at once",
                edns(
                        query(ZONE, Type.SOA),
                        0,
                        0,
                        new NSIDOption(new byte[0]),
                        new CookieOption(new byte[8]),
                        new GenericEDNSOption(EXPIRE, new byte[0]),
                        subnet("10.0.0.0", 24)),
                m -> first(rcode(m, Rcode.NOERROR), soa(m, true), opt(m, false)));
        udp(
                address,
                "client subnet of an answer for all: scope 0, or no option (RFC 7871)",
                edns(query(ZONE, Type.SOA), 0, 0, subnet("10.1.2.0", 24)),
                m -> first(rcode(m, Rcode.NOERROR), scope(m)));
        udp(
                address,
                "client subnet of a negative answer: scope 0, or no option",
                edns(query("missing." + ZONE, Type.A), 0, 0, subnet("10.1.2.0", 24)),
                m -> first(rcode(m, Rcode.NXDOMAIN), scope(m)));
        udp(
                address,
                "client subnet with bits behind its prefix: FORMERR, or ignored",
                edns(query(ZONE, Type.SOA), 0, 0, new GenericEDNSOption(8, new byte[] {0, 1, 23, 0, 10, 1, (byte) 255
                })),
                m -> m.getRcode() == Rcode.NOERROR ? null : rcode(m, Rcode.FORMERR));
        udp(
                address,
                "cookie of 4 bytes: FORMERR (RFC 7873)",
                edns(query(ZONE, Type.SOA), 0, 0, new GenericEDNSOption(10, new byte[4])),
                m -> rcode(m, Rcode.FORMERR));
    }

    private static EDNSOption subnet(String network, int bits) {
        try {
            return new ClientSubnetOption(bits, InetAddress.getByName(network));
        } catch (IOException e) {
            throw new IllegalArgumentException(network + " (must be an address)", e);
        }
    }

    private static @Nullable String scope(Message message) {
        for (EDNSOption option : message.getOPT().getOptions()) {
            if (option instanceof ClientSubnetOption subnet && subnet.getScopePrefixLength() != 0) {
                return "scope " + subnet.getScopePrefixLength() + " (must be 0)";
            }
        }
        return null;
    }

    private void header(Endpoint address) {
        for (byte flag : new byte[] {Flags.AA, Flags.TC, Flags.RA, Flags.AD, Flags.CD, Flags.RD}) {
            Message query = query(ZONE, Type.SOA);
            query.getHeader().unsetFlag(Flags.RD);
            query.getHeader().setFlag(flag);
            udp(
                    address,
                    "query with flag " + Flags.string(flag) + " set",
                    query,
                    m -> first(
                            rcode(m, Rcode.NOERROR),
                            soa(m, true),
                            unless(m.getHeader().getFlag(Flags.AA), "no AA"),
                            unless(!m.getHeader().getFlag(Flags.TC), "TC"),
                            unless(!m.getHeader().getFlag(Flags.RA), "RA"),
                            unless(!m.getHeader().getFlag(Flags.AD), "AD"),
                            unless(m.getHeader().getFlag(Flags.RD) == (flag == Flags.RD), "RD isn't as asked")));
        }
        check("query with the reserved bit set: not in the response", () -> {
            byte[] query = query(ZONE, Type.SOA).toWire();
            query[3] |= 0x40;
            byte[] response = DnsExchange.udp(address, query);
            return response == null
                    ? "no response"
                    : first(
                            unless((response[3] & 0x40) == 0, "the bit is set"),
                            rcode(new Message(response), Rcode.NOERROR));
        });
        for (int opcode : new int[] {1, 2, 3, 15}) {
            Message query = query(ZONE, Type.SOA);
            query.getHeader().setOpcode(opcode);
            udp(
                    address,
                    "operation " + opcode + ": NOTIMP",
                    query,
                    m -> first(
                            rcode(m, Rcode.NOTIMP),
                            unless(m.getHeader().getOpcode() == opcode, "another operation in the response"),
                            soa(m, false)));
        }
        check("a response gets no response", () -> {
            byte[] query = query(ZONE, Type.SOA).toWire();
            query[2] |= (byte) 0x80;
            return unless(DnsExchange.silent(address, query), "it was answered");
        });
        check("letters' case comes back (draft-vixie-dnsext-dns0x20)", () -> {
            byte[] query = query("gROUP00001-Rw.tRiAl.TEST.", Type.A).toWire();
            byte[] response = DnsExchange.udp(address, query);
            return response == null
                    ? "no response"
                    : first(
                            rcode(new Message(response), Rcode.NOERROR),
                            unless(
                                    Arrays.equals(query, 12, query.length, response, 12, query.length),
                                    "another question came back"));
        });
    }

    private void answers(Endpoint address) {
        udp(
                address,
                "an address, with authority",
                query(ADDRESS_NAME, Type.A),
                m -> first(
                        rcode(m, Rcode.NOERROR),
                        unless(m.getHeader().getFlag(Flags.AA), "no AA"),
                        unless(m.getSection(Section.ANSWER).size() == 1, "not one record")));
        udp(
                address,
                "no such name: NXDOMAIN with SOA (RFC 2308)",
                query("missing." + ZONE, Type.A),
                m -> negative(m, Rcode.NXDOMAIN));
        udp(address, "no such type: NOERROR with SOA", query(ADDRESS_NAME, Type.AAAA), m -> negative(m, Rcode.NOERROR));
        udp(
                address,
                "a name that only bears others: NOERROR with SOA (RFC 8020)",
                query("_tcp.group00034." + ZONE, Type.A),
                m -> negative(m, Rcode.NOERROR));
        udp(
                address,
                "wildcard (RFC 4592)",
                query("x.wild." + ZONE, Type.A),
                m -> first(
                        rcode(m, Rcode.NOERROR),
                        unless(
                                m.getSection(Section.ANSWER).size() == 1
                                        && m.getSection(Section.ANSWER)
                                                .get(0)
                                                .getName()
                                                .equals(Name.fromConstantString("x.wild." + ZONE)),
                                "not one record of the name that was asked for")));
        udp(address, "wildcard, two labels", query("a.b.wild." + ZONE, Type.A), m -> rcode(m, Rcode.NOERROR));
        udp(address, "wildcard, no such type", query("x.wild." + ZONE, Type.TXT), m -> negative(m, Rcode.NOERROR));
        udp(
                address,
                "alias is followed in the zone",
                query("alias." + ZONE, Type.A),
                m -> first(
                        rcode(m, Rcode.NOERROR),
                        unless(m.getSection(Section.ANSWER).size() == 2, "not CNAME and A")));
        udp(
                address,
                "another zone: REFUSED, without authority",
                query("www.example.org.", Type.A),
                m -> first(rcode(m, Rcode.REFUSED), unless(!m.getHeader().getFlag(Flags.AA), "AA")));
        udp(address, "the root: REFUSED", query(".", Type.NS), m -> rcode(m, Rcode.REFUSED));
        udp(
                address,
                "ANY by UDP is answered, not truncated (RFC 8482)",
                query(ADDRESS_NAME, Type.ANY),
                m -> first(
                        rcode(m, Rcode.NOERROR),
                        unless(
                                !m.getSection(Section.ANSWER).isEmpty()
                                        || m.getHeader().getFlag(Flags.TC),
                                "empty")));
    }

    /** In three attempts: its queue may be full of what was sent just before. */
    private static boolean answers(Endpoint address, String name) throws IOException {
        for (int attempt = 0; attempt < 3; attempt++) {
            byte[] response = DnsExchange.udp(address, query(name, Type.A).toWire());
            if (response != null
                    && new Message(response).getSection(Section.ANSWER).size() == 1) {
                return true;
            }
        }
        return false;
    }

    private static @Nullable String negative(Message message, int rcode) {
        List<Record> authority = message.getSection(Section.AUTHORITY);
        return first(
                rcode(message, rcode),
                unless(message.getHeader().getFlag(Flags.AA), "no AA"),
                unless(
                        authority.size() == 1
                                && authority.get(0) instanceof SOARecord soa
                                && soa.getTTL() <= soa.getMinimum(),
                        "no SOA record in the authority section with a TTL of at most its minimum"),
                unless(message.getSection(Section.ANSWER).isEmpty(), "an answer"));
    }

    private void types(Endpoint address) {
        check("types of data from 1 to 260, 1000 and 65280: NOERROR", () -> {
            Set<Integer> wrong = new TreeSet<>();
            List<Integer> types = new ArrayList<>(List.of(1_000, 65_280));
            for (int type = 1; type <= 260; type++) {
                // RFC 6895 3.1: 128 to 255 are for questions about the protocol, as OPT is.
                if (type != Type.OPT && (type < 128 || type > 255)) {
                    types.add(type);
                }
            }
            for (int type : types) {
                byte[] query = query(ADDRESS_NAME, Type.A).toWire();
                query[query.length - 4] = (byte) (type >>> 8);
                query[query.length - 3] = (byte) type;
                byte[] response = DnsExchange.udp(address, query);
                if (response == null || (response[3] & 0x0f) != Rcode.NOERROR) {
                    wrong.add(type);
                }
            }
            return unless(wrong.isEmpty(), "not NOERROR for " + wrong);
        });
    }

    private void transport(Endpoint address) {
        udp(
                address,
                "a large answer without EDNS: TC, at most 512 bytes",
                query("large." + ZONE, Type.A),
                m -> first(
                        unless(m.getHeader().getFlag(Flags.TC), "no TC"),
                        unless(m.numBytes() <= 512, m.numBytes() + " bytes")));
        udp(
                address,
                "a large answer with EDNS: TC, at most 1232 bytes, OPT record",
                edns(query("large." + ZONE, Type.A), 0, 0),
                m -> first(
                        unless(m.getHeader().getFlag(Flags.TC), "no TC"),
                        unless(m.numBytes() <= UDP_BYTES, m.numBytes() + " bytes"),
                        opt(m, false)));
        check("the same by TCP: whole (RFC 7766)", () -> {
            Message message = new Message(
                    DnsExchange.tcp(address, query("large." + ZONE, Type.A).toWire()));
            return first(
                    rcode(message, Rcode.NOERROR),
                    unless(!message.getHeader().getFlag(Flags.TC), "TC"),
                    unless(
                            message.getSection(Section.ANSWER).size() == DnsTrialZone.LARGE_RECORDS,
                            message.getSection(Section.ANSWER).size() + " records"));
        });
        check("EDNS by TCP", () -> {
            Message message = new Message(DnsExchange.tcp(
                    address, edns(query(ZONE, Type.SOA), 0, 0).toWire()));
            return first(rcode(message, Rcode.NOERROR), soa(message, true), opt(message, false));
        });
        check("100 queries at once on one connection", () -> {
            try (Socket socket = DnsExchange.connect(address)) {
                for (int i = 0; i < 100; i++) {
                    Message query = query(ADDRESS_NAME, Type.A);
                    query.getHeader().setID(i);
                    socket.getOutputStream().write(DnsExchange.framed(query.toWire()));
                }
                Set<Integer> ids = new TreeSet<>();
                for (int i = 0; i < 100; i++) {
                    ids.add(new Message(DnsExchange.receive(socket)).getHeader().getID());
                }
                return unless(ids.size() == 100, "responses to " + ids.size() + " of 100");
            }
        });
        check("a query that comes byte by byte by TCP", () -> {
            try (Socket socket = DnsExchange.connect(address)) {
                for (byte octet : DnsExchange.framed(query(ADDRESS_NAME, Type.A).toWire())) {
                    socket.getOutputStream().write(octet);
                }
                return rcode(new Message(DnsExchange.receive(socket)), Rcode.NOERROR);
            }
        });
    }

    private void signatures(Endpoint address) {
        TSIG unknown = new TSIG(TSIG.HMAC_SHA256, Name.fromConstantString("unknown."), new byte[FULL_SECRET_BYTES]);
        Message query = query(ZONE, Type.SOA);
        TSIGRecord signature = unknown.generate(query, query.toWire(), Rcode.NOERROR, null);
        query.addRecord(signature, Section.ADDITIONAL);
        udp(
                address,
                "a signature of an unknown key: NOTAUTH, BADKEY (RFC 8945)",
                query,
                m -> first(
                        unless(
                                m.getHeader().getRcode() == Rcode.NOTAUTH,
                                "rcode " + Rcode.string(m.getHeader().getRcode())),
                        unless(m.getTSIG() != null && m.getTSIG().getError() == Rcode.BADKEY, "no BADKEY")));
        check("the whole zone for nobody: REFUSED or NOTAUTH", () -> {
            int rcode =
                    new Message(DnsExchange.tcp(address, query(ZONE, Type.AXFR).toWire())).getRcode();
            return unless(rcode == Rcode.REFUSED || rcode == Rcode.NOTAUTH, "rcode " + Rcode.string(rcode));
        });
    }

    private void aboutTheServer(Endpoint address) {
        for (String name : List.of("version.bind.", "version.server.", "hostname.bind.", "id.server.")) {
            Message query = Message.newQuery(Record.newRecord(Name.fromConstantString(name), Type.TXT, DClass.CH));
            udp(
                    address,
                    name + " CH TXT (RFC 4892)",
                    query,
                    m -> first(
                            rcode(m, Rcode.NOERROR),
                            unless(m.getSection(Section.ANSWER).size() == 1, "no answer")));
        }
        udp(
                address,
                "NSID (RFC 5001)",
                edns(query(ZONE, Type.SOA), 0, 0, new NSIDOption(new byte[0])),
                m -> first(
                        rcode(m, Rcode.NOERROR),
                        unless(!m.getOPT().getOptions(EDNSOption.Code.NSID).isEmpty(), "no NSID")));
        udp(
                address,
                "a cookie is answered with a server cookie (RFC 7873, 9018)",
                edns(query(ZONE, Type.SOA), 0, 0, new CookieOption(new byte[] {1, 2, 3, 4, 5, 6, 7, 8})),
                m -> first(
                        rcode(m, Rcode.NOERROR),
                        unless(
                                m.getOPT().getOptions(EDNSOption.Code.COOKIE).stream()
                                        .anyMatch(option -> option instanceof CookieOption cookie
                                                && cookie.getServerCookie().isPresent()),
                                "no server cookie")));
        udp(
                address,
                "client subnet of a regional answer: its scope",
                edns(query(ADDRESS_NAME, Type.A), 0, 0, subnet("10.1.1.0", 24)),
                m -> first(
                        rcode(m, Rcode.NOERROR),
                        unless(
                                m.getOPT().getOptions().stream()
                                        .anyMatch(option -> option instanceof ClientSubnetOption subnet
                                                && subnet.getScopePrefixLength() == 24),
                                "no scope of 24")));
        udp(
                address,
                "how old its state is",
                query("_ha-state." + ZONE, Type.TXT),
                m -> first(
                        rcode(m, Rcode.NOERROR),
                        unless(m.getSection(Section.ANSWER).size() == 1, "no answer"),
                        unless(m.getSection(Section.ANSWER).get(0).getTTL() == 0, "a TTL that isn't 0")));
    }

    private void malformed(Endpoint address) {
        String[][] packets = {
            {"a name without an end", "000100000001000000000000 0161026462"},
            {"a question without a class", "000100000001000000000000 00 0001"},
            {"a name that points to itself", "000100000001000000000000 c00c 0001 0001"},
            {"a label of an unknown kind", "000100000001000000000000 4061 00 0001 0001"},
            {"a record that isn't there", "000100000001000000000001 00 0006 0001"},
            {"an OPT record that is cut", "000100000001000000000001 00 0006 0001 00 0029 1000 00000000 0008"},
            {
                "two OPT records",
                "000100000001000000000002 00 0006 0001 00 0029 04d0 00000000 0000 00 0029 04d0 00000000 0000"
            },
        };
        for (String[] packet : packets) {
            check(packet[0] + ": FORMERR, or no response", () -> {
                byte[] bytes = HexFormat.of().parseHex(packet[1].replace(" ", ""));
                byte[] response = DnsExchange.udp(address, bytes);
                return response == null
                        ? null
                        : unless((response[3] & 0x0f) == Rcode.FORMERR, "rcode " + Rcode.string(response[3] & 0x0f));
            });
        }
        for (int length : new int[] {0, 1, 11}) {
            check(
                    "a packet of " + length + " bytes: no response",
                    () -> unless(DnsExchange.silent(address, new byte[length]), "it was answered"));
        }
    }

    /** Whatever comes, it goes on to answer. */
    private void mutations(Endpoint address) {
        check(packets + " packets mutated by chance (seed " + seed + "): it goes on to answer", () -> {
            Random random = new Random(seed);
            List<byte[]> good = List.of(
                    query(ADDRESS_NAME, Type.A).toWire(),
                    edns(query("alias." + ZONE, Type.A), 0, Flags.DO, new CookieOption(new byte[8], new byte[16]))
                            .toWire(),
                    edns(query("x.wild." + ZONE, Type.ANY), 0, 0, subnet("10.1.2.0", 24), unknownOption())
                            .toWire(),
                    query(ZONE, Type.IXFR).toWire());
            try (DatagramSocket socket = new DatagramSocket()) {
                socket.connect(InetAddress.getByName(address.host()), address.port());
                for (int i = 1; i <= packets; i++) {
                    byte[] packet = good.get(random.nextInt(good.size())).clone();
                    for (int change = random.nextInt(5); change >= 0; change--) {
                        packet[random.nextInt(packet.length)] = (byte) random.nextInt();
                    }
                    int length = random.nextInt(4) == 0 ? random.nextInt(packet.length + 1) : packet.length;
                    socket.send(new DatagramPacket(packet, length));
                    if (i % 1_000 == 0 || i == packets) {
                        if (!answers(address, ADDRESS_NAME)) {
                            return "no answer after " + i + " packets";
                        }
                    }
                }
            }
            return null;
        });
    }
}
