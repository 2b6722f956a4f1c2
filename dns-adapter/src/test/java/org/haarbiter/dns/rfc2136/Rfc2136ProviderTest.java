package org.haarbiter.dns.rfc2136;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import javax.crypto.spec.SecretKeySpec;
import org.haarbiter.dns.PublishOutcome;
import org.haarbiter.dns.PublishOutcome.Result;
import org.haarbiter.dns.ServerReading;
import org.haarbiter.dns.WantedNames;
import org.haarbiter.dns.WantedNames.AddressName;
import org.haarbiter.dns.rfc2136.FakeDnsServer.Request;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xbill.DNS.AAAARecord;
import org.xbill.DNS.CNAMERecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.TSIG;
import org.xbill.DNS.TSIGRecord;
import org.xbill.DNS.TXTRecord;
import org.xbill.DNS.Type;

/** What a hostile, broken or silent server can and can't do to an update. */
class Rfc2136ProviderTest {

    private static final String SECRET = "c2VjcmV0IG9mIHRoZSB0ZXN0cyBvbmx5IQ==";
    private static final Duration LIMIT = Duration.ofMillis(900);
    private static final WantedNames WANTED = new WantedNames(
            "orders", 5, "_ha-epoch.orders", List.of(new AddressName("orders-rw", List.of("10.0.0.2"), 1)));

    /** A zone of records, changed by tests, which answers queries properly. */
    private final List<Record> zone = new ArrayList<>();

    private final TSIG key = key(SECRET);

    private static TSIG key(String secret) {
        return new TSIG(
                TSIG.HMAC_SHA256,
                Name.fromConstantString("k1."),
                new SecretKeySpec(Base64.getDecoder().decode(secret), "hmac-sha256"),
                Clock.systemUTC());
    }

    private static Name name(String relative) {
        return Name.fromConstantString(relative + ".db.test.");
    }

    private void holdEpoch(String text) {
        synchronized (zone) {
            zone.clear();
            zone.add(new TXTRecord(name("_ha-epoch.orders"), DClass.IN, 1, text));
        }
    }

    private static Message replyTo(Request request, int rcode) {
        Message reply = new Message(request.message().getHeader().getID());
        reply.getHeader().setOpcode(request.message().getHeader().getOpcode());
        reply.getHeader().setFlag(Flags.QR);
        reply.getHeader().setRcode(rcode);
        reply.addRecord(request.message().getQuestion(), Section.QUESTION);
        return reply;
    }

    private static byte[] signed(Message reply, Request request, TSIG key) {
        TSIGRecord signature = key.generate(
                reply, reply.toWire(), Rcode.NOERROR, request.message().getTSIG());
        reply.addRecord(signature, Section.ADDITIONAL);
        return reply.toWire();
    }

    private byte[] answerQuery(Request request) {
        Message reply = replyTo(request, Rcode.NOERROR);
        reply.getHeader().setFlag(Flags.AA);
        Record question = request.message().getQuestion();
        synchronized (zone) {
            for (Record record : zone) {
                if (record.getName().equals(question.getName())
                        && (record.getType() == question.getType() || record.getType() == Type.CNAME)) {
                    reply.addRecord(record, Section.ANSWER);
                }
            }
        }
        return request.message().getTSIG() == null ? reply.toWire() : signed(reply, request, key);
    }

    /** Takes over what an update adds, as a server would whose prerequisites hold. */
    private void apply(Request update) {
        synchronized (zone) {
            zone.clear();
            for (Record record : update.message().getSection(Section.UPDATE)) {
                if (record.getDClass() == DClass.IN) {
                    zone.add(record);
                }
            }
        }
    }

    private FakeDnsServer server(Function<Request, List<byte[]>> onUpdate) throws IOException {
        return new FakeDnsServer(request -> {
            if (request.isProbe()) {
                return List.of(signed(replyTo(request, Rcode.NXRRSET), request, key));
            }
            return request.isUpdate() ? onUpdate.apply(request) : List.of(answerQuery(request));
        });
    }

    private static Rfc2136Provider provider(Endpoint endpoint) {
        return new Rfc2136Provider(
                new Rfc2136Settings("db.test", endpoint, List.of(endpoint), "k1", "hmac-sha256", SECRET, 1));
    }

    private static PublishOutcome publish(FakeDnsServer server) {
        try (Rfc2136Provider provider = provider(server.endpoint())) {
            return provider.publish(WANTED, LIMIT);
        }
    }

    @Test
    void unsignedNoerrorIsNotBelieved() throws IOException {
        holdEpoch("4");
        try (FakeDnsServer server =
                server(request -> List.of(replyTo(request, Rcode.NOERROR).toWire()))) {
            PublishOutcome outcome = publish(server);
            assertThat(outcome.result()).isEqualTo(Result.UNKNOWN);
            assertThat(outcome.detail()).contains("NOERROR without a valid signature");
        }
    }

    @Test
    void noerrorSignedWithAnotherSecretIsNotBelieved() throws IOException {
        holdEpoch("4");
        TSIG forged = key("YW5vdGhlciBzZWNyZXQsIGFsc28gZm9yIHRlc3Rz");
        try (FakeDnsServer server =
                server(request -> List.of(signed(replyTo(request, Rcode.NOERROR), request, forged)))) {
            assertThat(publish(server).result()).isEqualTo(Result.UNKNOWN);
        }
    }

    @Test
    void unsignedPrerequisiteFailureIsNotBelieved() throws IOException {
        holdEpoch("4");
        try (FakeDnsServer server =
                server(request -> List.of(replyTo(request, Rcode.NXRRSET).toWire()))) {
            PublishOutcome outcome = publish(server);
            assertThat(outcome.result()).isEqualTo(Result.UNKNOWN);
            assertThat(outcome.detail()).contains("NXRRSET without a valid signature");
        }
    }

    @Test
    void forgedAnswerDoesNotShutOutTheTrueOne() throws IOException {
        holdEpoch("4");
        try (FakeDnsServer server = server(request -> List.of(
                new byte[] {1, 2, 3},
                replyTo(request, Rcode.NOERROR).toWire(),
                signed(replyTo(request, Rcode.NOERROR), request, key)))) {
            assertThat(publish(server)).isEqualTo(new PublishOutcome(Result.PUBLISHED, ""));
            assertThat(server.updates()).hasSize(1);
        }
    }

    @Test
    void unsignedNewerEpochIsNotBelieved() throws IOException {
        try (FakeDnsServer server = new FakeDnsServer(request -> {
            Message reply = replyTo(request, Rcode.NOERROR);
            reply.getHeader().setFlag(Flags.AA);
            reply.addRecord(new TXTRecord(name("_ha-epoch.orders"), DClass.IN, 1, "99"), Section.ANSWER);
            return List.of(reply.toWire());
        })) {
            PublishOutcome outcome = publish(server);
            assertThat(outcome.result()).isEqualTo(Result.UNKNOWN);
            assertThat(outcome.detail()).contains("without a valid signature");
            assertThat(server.updates()).isEmpty();
        }
    }

    @Test
    void silenceEndsAtTheLimit() throws IOException {
        try (FakeDnsServer server = new FakeDnsServer(request -> List.of())) {
            assertInTime(server);
        }
    }

    @Test
    void garbageIsSilence() throws IOException {
        byte[] pointerLoop = new byte[20];
        pointerLoop[2] = (byte) 0x80;
        pointerLoop[5] = 1;
        pointerLoop[12] = (byte) 0xc0;
        pointerLoop[13] = 12;
        try (FakeDnsServer server = new FakeDnsServer(request -> {
            byte[] broken = pointerLoop.clone();
            broken[0] = request.wire()[0];
            broken[1] = request.wire()[1];
            return List.of(new byte[0], new byte[] {7}, request.wire(), broken);
        })) {
            assertInTime(server);
        }
    }

    private static void assertInTime(FakeDnsServer server) {
        long started = System.nanoTime();
        PublishOutcome outcome = publish(server);
        Duration took = Duration.ofNanos(System.nanoTime() - started);
        assertThat(outcome.result()).isEqualTo(Result.UNKNOWN);
        assertThat(outcome.detail()).contains(server.endpoint() + ": no answer by UDP");
        assertThat(took).isBetween(LIMIT, LIMIT.plusSeconds(2));
    }

    @Test
    void closedPortIsToldAtOnce() throws IOException {
        Endpoint closed;
        try (DatagramSocket socket = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
            closed = new Endpoint("127.0.0.1", socket.getLocalPort());
        }
        try (Rfc2136Provider provider = provider(closed)) {
            Duration patient = Duration.ofSeconds(30);
            long started = System.nanoTime();
            PublishOutcome outcome = provider.publish(WANTED, patient);
            assertThat(outcome.result()).isEqualTo(Result.UNKNOWN);
            assertThat(outcome.detail()).contains("nobody listens at UDP port " + closed.port());
            ServerReading reading = provider.readBack(WANTED, patient).get(0);
            assertThat(reading.state()).isEqualTo(ServerReading.State.UNREACHABLE);
            assertThat(reading.server()).isEqualTo(closed.toString());
            assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(patient.dividedBy(2));
        }
    }

    @Test
    void updateWhoseAnswerIsLostIsLookedUpNotRepeated() throws IOException {
        holdEpoch("4");
        try (FakeDnsServer server = server(request -> {
            apply(request);
            return List.of();
        })) {
            assertThat(publish(server)).isEqualTo(new PublishOutcome(Result.PUBLISHED, ""));
            assertThat(server.updates()).hasSize(1);
        }
    }

    @Test
    void lostUpdateIsMadeAndSignedAnew() throws IOException {
        holdEpoch("4");
        try (FakeDnsServer server = server(request ->
                request.tcp() ? List.of(signed(replyTo(request, Rcode.NOERROR), request, key)) : List.of())) {
            assertThat(publish(server)).isEqualTo(new PublishOutcome(Result.PUBLISHED, ""));
            assertThat(server.updates()).hasSize(2);
            Set<Integer> numbers = new HashSet<>();
            for (Request update : server.updates()) {
                numbers.add(update.message().getHeader().getID());
                assertThat(update.message().getSection(Section.ADDITIONAL))
                        .extracting(Record::getType)
                        .containsExactly(Type.TSIG);
            }
            assertThat(numbers).hasSize(2);
        }
    }

    @Test
    void knownEpochNeedsNoRead() throws IOException {
        holdEpoch("4");
        try (FakeDnsServer server = server(request -> {
                    apply(request);
                    return List.of(signed(replyTo(request, Rcode.NOERROR), request, key));
                });
                Rfc2136Provider provider = provider(server.endpoint())) {
            assertThat(provider.publish(WANTED, LIMIT).result()).isEqualTo(Result.PUBLISHED);
            int queries = server.queries().size();
            assertThat(queries).isPositive();
            WantedNames next = new WantedNames(
                    "orders", 6, "_ha-epoch.orders", List.of(new AddressName("orders-rw", List.of("10.0.0.3"), 1)));
            assertThat(provider.publish(next, LIMIT).result()).isEqualTo(Result.PUBLISHED);
            assertThat(server.queries()).hasSize(queries);
            Record prerequisite =
                    server.updates().get(1).message().getSection(Section.PREREQ).get(0);
            assertThat(prerequisite).isEqualTo(new TXTRecord(name("_ha-epoch.orders"), DClass.IN, 0, "5"));
            assertThat(prerequisite.getTTL()).isZero();
        }
    }

    @Test
    void readBackTeachesTheEpoch() throws IOException {
        holdEpoch("4");
        try (FakeDnsServer server = server(request -> List.of(signed(replyTo(request, Rcode.NOERROR), request, key)));
                Rfc2136Provider provider = provider(server.endpoint())) {
            provider.readBack(WANTED, LIMIT);
            int queries = server.queries().size();
            assertThat(provider.publish(WANTED, LIMIT).result()).isEqualTo(Result.PUBLISHED);
            assertThat(server.queries()).hasSize(queries);
        }
    }

    @Test
    void largeUpdateGoesByTcp() throws IOException {
        holdEpoch("4");
        List<String> many = new ArrayList<>();
        for (int i = 1; i <= 100; i++) {
            many.add("10.0.1." + i);
        }
        try (FakeDnsServer server = server(request -> List.of(signed(replyTo(request, Rcode.NOERROR), request, key)));
                Rfc2136Provider provider = provider(server.endpoint())) {
            WantedNames large =
                    new WantedNames("orders", 5, "_ha-epoch.orders", List.of(new AddressName("orders-ro", many, 1)));
            assertThat(provider.publish(large, LIMIT).result()).isEqualTo(Result.PUBLISHED);
            assertThat(server.updates()).hasSize(1).allMatch(Request::tcp);
        }
    }

    @Test
    void cutAnswersAreAskedForByTcp() throws IOException {
        holdEpoch("4");
        try (FakeDnsServer server = new FakeDnsServer(request -> {
            if (request.isUpdate()) {
                return List.of(signed(replyTo(request, Rcode.NOERROR), request, key));
            }
            if (request.tcp()) {
                return List.of(answerQuery(request));
            }
            Message cut = replyTo(request, Rcode.NOERROR);
            cut.getHeader().setFlag(Flags.TC);
            return List.of(request.message().getTSIG() == null ? cut.toWire() : signed(cut, request, key));
        })) {
            assertThat(publish(server).result()).isEqualTo(Result.PUBLISHED);
            assertThat(server.queries())
                    .filteredOn(query -> query.message().getQuestion().getType() == Type.TXT)
                    .extracting(Request::tcp)
                    .containsExactly(false, true);
            assertThat(server.updates().get(0).message().getSection(Section.PREREQ))
                    .containsExactly(new TXTRecord(name("_ha-epoch.orders"), DClass.IN, 0, "4"));
        }
    }

    private static List<WantedNames> groups(int count, int epoch) {
        List<WantedNames> groups = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            groups.add(new WantedNames(
                    "g" + i,
                    epoch,
                    "_ha-epoch.g" + i,
                    List.of(
                            new AddressName("g" + i + "-rw", List.of("10.0.0." + (i % 200 + epoch)), 1),
                            new AddressName("g" + i + "-ro", List.of("10.0.1." + (i % 200 + epoch)), 1))));
        }
        return groups;
    }

    private static Set<String> groupsOf(Request update) {
        Set<String> groups = new HashSet<>();
        for (Record record : update.message().getSection(Section.PREREQ)) {
            groups.add(record.getName().getLabelString(1));
        }
        return groups;
    }

    @Test
    void severalGroupsAreOneMessageWithTheirEpochs() throws IOException {
        try (FakeDnsServer server = server(request -> List.of(signed(replyTo(request, Rcode.NOERROR), request, key)));
                Rfc2136Provider provider = provider(server.endpoint())) {
            assertThat(provider.publish(groups(4, 1), LIMIT)).containsOnly(new PublishOutcome(Result.PUBLISHED, ""));
            assertThat(provider.publish(groups(4, 2), LIMIT)).containsOnly(new PublishOutcome(Result.PUBLISHED, ""));

            assertThat(server.updates()).hasSize(2);
            assertThat(server.updates().get(1).tcp()).isFalse();
            assertThat(server.updates().get(1).message().getSection(Section.PREREQ))
                    .hasSize(4)
                    .allMatch(record -> record.rdataToString().equals("1"));
        }
    }

    @Test
    void oneThousandNamesAreTwoMessages() throws IOException {
        try (FakeDnsServer server = server(request -> List.of(signed(replyTo(request, Rcode.NOERROR), request, key)));
                Rfc2136Provider provider = provider(server.endpoint())) {
            assertThat(provider.publish(groups(500, 1), Duration.ofSeconds(20)))
                    .hasSize(500)
                    .containsOnly(new PublishOutcome(Result.PUBLISHED, ""));
            assertThat(server.updates()).hasSize(2).allMatch(Request::tcp);
            assertThat(server.updates())
                    .extracting(request -> request.wire().length)
                    .allMatch(bytes -> bytes <= 65_535);
        }
    }

    @Test
    void refusedGroupIsFoundByHalving() throws IOException {
        try (FakeDnsServer server = server(request -> List.of(signed(
                        replyTo(request, groupsOf(request).contains("g37") ? Rcode.REFUSED : Rcode.NOERROR),
                        request,
                        key)));
                Rfc2136Provider provider = provider(server.endpoint())) {
            List<PublishOutcome> outcomes = provider.publish(groups(64, 1), Duration.ofSeconds(20));
            for (int i = 0; i < 64; i++) {
                assertThat(outcomes.get(i).result()).isEqualTo(i == 37 ? Result.REFUSED : Result.PUBLISHED);
            }
            assertThat(server.updates()).hasSize(1 + 2 * 6);
        }
    }

    @Test
    void troubleWithTheKeyConcernsAllGroups() throws IOException {
        try (FakeDnsServer server = server(
                        request -> List.of(replyTo(request, Rcode.REFUSED).toWire()));
                Rfc2136Provider provider = provider(server.endpoint())) {
            assertThat(provider.publish(groups(64, 1), Duration.ofSeconds(20)))
                    .extracting(PublishOutcome::result)
                    .containsOnly(Result.REFUSED);
            assertThat(server.updates()).hasSize(1);
        }
    }

    /** As where a leader that was replaced wakes up: of one group it doesn't know yet that another has switched it. */
    @Test
    void staleGroupIsFoundByItsEpochAndTheOthersGoOn() throws IOException {
        try (FakeDnsServer server = server(request -> {
                    boolean holds = request.message().getSection(Section.PREREQ).stream()
                            .noneMatch(record -> record.getName().equals(name("_ha-epoch.g5"))
                                    && record.rdataToString().equals("1"));
                    if (!holds) {
                        zone.add(new TXTRecord(name("_ha-epoch.g5"), DClass.IN, 1, "9"));
                    }
                    return List.of(signed(replyTo(request, holds ? Rcode.NOERROR : Rcode.NXRRSET), request, key));
                });
                Rfc2136Provider provider = provider(server.endpoint())) {
            provider.publish(groups(20, 1), Duration.ofSeconds(20));
            List<PublishOutcome> outcomes = provider.publish(groups(20, 2), Duration.ofSeconds(20));
            for (int i = 0; i < 20; i++) {
                assertThat(outcomes.get(i).result())
                        .as(outcomes.get(i).detail())
                        .isEqualTo(i == 5 ? Result.NEWER_EPOCH : Result.PUBLISHED);
            }
            assertThat(server.updates()).hasSize(3);
        }
    }

    @Test
    void whereALargeMessageIsNotAnsweredTheNextIsSmaller() throws IOException {
        try (FakeDnsServer server = server(request -> request.wire().length > 20_000
                        ? List.of()
                        : List.of(signed(replyTo(request, Rcode.NOERROR), request, key)));
                Rfc2136Provider provider = provider(server.endpoint())) {
            assertThat(provider.publish(groups(400, 1), LIMIT))
                    .extracting(PublishOutcome::result)
                    .containsOnly(Result.UNKNOWN);
            assertThat(server.updates()).hasSize(1);
            assertThat(provider.publish(groups(400, 1), Duration.ofSeconds(20)))
                    .containsOnly(new PublishOutcome(Result.PUBLISHED, ""));
            int smaller = server.updates().size() - 1;
            assertThat(smaller).isBetween(3, 10);
            // and grows again
            assertThat(provider.publish(groups(400, 2), LIMIT))
                    .extracting(PublishOutcome::result)
                    .contains(Result.UNKNOWN);
        }
    }

    /** A third of a large update's work on BIND; and what else stands there is deleted all the same. */
    @Test
    void whatIsntThereIsntDeleted() throws IOException {
        holdEpoch("4");
        zone.add(new AAAARecord(name("orders-rw"), DClass.IN, 1, InetAddress.getByName("fd00::1")));
        try (FakeDnsServer server = server(request -> List.of(signed(replyTo(request, Rcode.NOERROR), request, key)));
                Rfc2136Provider provider = provider(server.endpoint())) {
            provider.publish(WANTED, LIMIT);
            provider.publish(
                    new WantedNames(
                            "orders",
                            6,
                            "_ha-epoch.orders",
                            List.of(new AddressName("orders-rw", List.of("10.0.0.3"), 1))),
                    LIMIT);
            assertThat(server.updates())
                    .extracting(Rfc2136ProviderTest::deleted)
                    .containsExactly(
                            List.of("orders-rw AAAA", "_ha-epoch.orders TXT"),
                            List.of("orders-rw A", "_ha-epoch.orders TXT"));
        }
    }

    private static List<String> deleted(Request update) {
        return update.message().getSection(Section.UPDATE).stream()
                .filter(record -> record.getDClass() == DClass.ANY)
                .map(record -> record.getName().relativize(Name.fromConstantString("db.test.")) + " "
                        + Type.string(record.getType()))
                .toList();
    }

    /** Two groups that claim one name: as one message the second would delete what the first added. */
    @Test
    void groupsWithTheSameNameDontShareAMessage() throws IOException {
        WantedNames other = new WantedNames(
                "other", 5, "_ha-epoch.other", List.of(new AddressName("orders-rw", List.of("10.0.0.9"), 1)));
        try (FakeDnsServer server = server(request -> List.of(signed(replyTo(request, Rcode.NOERROR), request, key)));
                Rfc2136Provider provider = provider(server.endpoint())) {
            provider.publish(List.of(WANTED, other), LIMIT);
            assertThat(server.updates()).hasSize(2);
        }
    }

    @Test
    void theAnswersOfManyQueriesMayComeInAnyOrderAndTheConnectionMayEnd() throws IOException {
        List<byte[]> kept = new ArrayList<>();
        FakeDnsServer.Limits limits = new FakeDnsServer.Limits();
        try (FakeDnsServer server = new FakeDnsServer(
                        request -> {
                            byte[] answer = answerQuery(request);
                            if (!request.tcp()) {
                                return List.of(answer);
                            }
                            synchronized (kept) {
                                kept.add(0, answer);
                                if (kept.size() < 5) {
                                    return List.of();
                                }
                                List<byte[]> reversed = List.copyOf(kept);
                                kept.clear();
                                return reversed;
                            }
                        },
                        limits);
                Rfc2136Provider provider = provider(server.endpoint())) {
            limits.messagesOfAConnection = 35;
            for (WantedNames group : groups(20, 1)) {
                zone.add(new TXTRecord(name(group.epochName()), DClass.IN, 1, "7"));
            }
            assertThat(provider.readBack(groups(20, 1), Duration.ofSeconds(20)))
                    .hasSize(20)
                    .allSatisfy(readings -> assertThat(readings.get(0).detail()).contains("7 (must be 1)"));
            assertThat(server.connections()).isGreaterThan(1);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whereTcpIsShutOrDeafManyQueriesGoByUdp(boolean shut) throws IOException {
        FakeDnsServer.Limits limits = new FakeDnsServer.Limits();
        limits.withoutTcp = shut;
        limits.deafByTcp = !shut;
        try (FakeDnsServer server = new FakeDnsServer(request -> List.of(answerQuery(request)), limits);
                Rfc2136Provider provider = provider(server.endpoint())) {
            assertThat(provider.readBack(groups(50, 1), Duration.ofSeconds(4)))
                    .extracting(readings -> readings.get(0).state())
                    .hasSize(50)
                    .containsOnly(ServerReading.State.DIFFERS);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "5  | true  | REFUSED | allow it to change A, AAAA and TXT records of db.test.",
                "5  | false | REFUSED | unsigned: check key name k1., its secret and algorithm (hmac-sha256), the clocks",
                "9  | true  | REFUSED | isn't the primary of zone db.test.",
                "9  | false | REFUSED | unsigned: check key name k1., its secret and algorithm (hmac-sha256), the clocks",
                "10 | true  | REFUSED | a name lies outside zone db.test.",
                "1  | true  | REFUSED | doesn't understand the update",
                "4  | true  | REFUSED | doesn't take dynamic updates",
                "2  | true  | UNKNOWN | full disk",
                "11 | true  | REFUSED | no usual answer",
            })
    void refusalSaysWhatToDo(int rcode, boolean isSigned, Result result, String words) throws IOException {
        holdEpoch("4");
        try (FakeDnsServer server = server(request -> List.of(
                isSigned
                        ? signed(replyTo(request, rcode), request, key)
                        : replyTo(request, rcode).toWire()))) {
            PublishOutcome outcome = publish(server);
            assertThat(outcome.result()).isEqualTo(result);
            assertThat(outcome.detail())
                    .startsWith(server.endpoint().toString())
                    .contains(Rcode.string(rcode))
                    .contains(words);
            assertThat(server.updates()).hasSize(1);
        }
    }

    @ParameterizedTest
    @CsvSource({"soon", "''", "-1", "99999999999999999999", "9999999999999999999"})
    void somebodyElsesTextAtTheEpochNameStopsTheUpdate(String text) throws IOException {
        holdEpoch(text);
        try (FakeDnsServer server = server(request -> List.of())) {
            PublishOutcome outcome = publish(server);
            assertThat(outcome.result()).isEqualTo(Result.REFUSED);
            assertThat(outcome.detail())
                    .contains("_ha-epoch.orders.db.test.")
                    .contains("\"" + text + "\"")
                    .contains("must be one TXT record with one decimal number");
            assertThat(server.updates()).isEmpty();
        }
    }

    @Test
    void twoEpochsStopTheUpdate() throws IOException {
        holdEpoch("3");
        zone.add(new TXTRecord(name("_ha-epoch.orders"), DClass.IN, 1, "4"));
        try (FakeDnsServer server = server(request -> List.of())) {
            PublishOutcome outcome = publish(server);
            assertThat(outcome.result()).isEqualTo(Result.REFUSED);
            assertThat(outcome.detail()).contains("TXT \"3\", TXT \"4\"");
            assertThat(server.updates()).isEmpty();
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "orders-rw        | db2.example | must be an IPv4 or IPv6 address",
                "orders-rw        | 10.0.0.256  | must be an IPv4 or IPv6 address",
                "orders.elsewhere.| 10.0.0.1    | must be a name below db.test.",
                "a..b             | 10.0.0.1    | must be a domain name",
            })
    void whatCannotStandInAZoneIsRefused(String wantedName, String address, String words) throws IOException {
        try (FakeDnsServer server = server(request -> List.of());
                Rfc2136Provider provider = provider(server.endpoint())) {
            WantedNames wrong = new WantedNames(
                    "orders", 5, "_ha-epoch.orders", List.of(new AddressName(wantedName, List.of(address), 1)));
            PublishOutcome outcome = provider.publish(wrong, LIMIT);
            assertThat(outcome.result()).isEqualTo(Result.REFUSED);
            assertThat(outcome.detail()).contains(words);
            assertThat(provider.readBack(wrong, LIMIT).get(0).state()).isEqualTo(ServerReading.State.DIFFERS);
            assertThat(server.updates()).isEmpty();
        }
    }

    @Test
    void readBackIsNotTakenFromAResolver() throws IOException {
        holdEpoch("5");
        try (FakeDnsServer server = new FakeDnsServer(request -> {
                    Message reply = replyTo(request, Rcode.NOERROR);
                    reply.getHeader().setFlag(Flags.RA);
                    return List.of(reply.toWire());
                });
                Rfc2136Provider provider = provider(server.endpoint())) {
            ServerReading reading = provider.readBack(WANTED, LIMIT).get(0);
            assertThat(reading.state()).isEqualTo(ServerReading.State.UNREACHABLE);
            assertThat(reading.detail()).contains("without authority");
        }
    }

    @Test
    void readBackAsksNoRecursionAndNamesACname() throws IOException {
        holdEpoch("5");
        zone.add(new CNAMERecord(name("orders-rw"), DClass.IN, 1, name("elsewhere")));
        try (FakeDnsServer server = server(request -> List.of());
                Rfc2136Provider provider = provider(server.endpoint())) {
            ServerReading reading = provider.readBack(WANTED, LIMIT).get(0);
            assertThat(reading.state()).isEqualTo(ServerReading.State.DIFFERS);
            assertThat(reading.detail()).contains("orders-rw.db.test.: CNAME elsewhere.db.test. (must be address");
            assertThat(server.queries())
                    .hasSize(3)
                    .noneMatch(query -> query.message().getHeader().getFlag(Flags.RD));
        }
    }

    @Test
    void longNegativeTtlIsWarnedOf() throws IOException {
        Name origin = Name.fromConstantString("db.test.");
        zone.add(new SOARecord(origin, DClass.IN, 3600, origin, origin, 1, 60, 60, 3600, 300));
        try (FakeDnsServer server = server(request -> List.of());
                Rfc2136Provider provider = provider(server.endpoint())) {
            assertThat(provider.warnings(WANTED, LIMIT))
                    .singleElement()
                    .asString()
                    .contains("zone db.test.")
                    .contains("300 s (should be at most 5)");
            zone.clear();
            zone.add(new SOARecord(origin, DClass.IN, 3600, origin, origin, 1, 60, 60, 3600, 2));
            assertThat(provider.warnings(WANTED, LIMIT)).isEmpty();
        }
    }

    @Test
    void serverThatIgnoresPrerequisitesIsWarnedOf() throws IOException {
        holdEpoch("4");
        try (FakeDnsServer server = new FakeDnsServer(request -> List.of(
                        request.isUpdate()
                                ? signed(replyTo(request, Rcode.NOERROR), request, key)
                                : answerQuery(request)));
                Rfc2136Provider provider = provider(server.endpoint())) {
            assertThat(provider.warnings(WANTED, LIMIT))
                    .singleElement()
                    .asString()
                    .contains("it doesn't fence old epochs");
        }
    }

    @Test
    void closedItAsksNobody() throws IOException {
        try (FakeDnsServer server = server(request -> List.of())) {
            Rfc2136Provider provider = provider(server.endpoint());
            provider.close();
            assertThat(provider.publish(WANTED, LIMIT).result()).isEqualTo(Result.UNKNOWN);
            assertThat(provider.readBack(WANTED, LIMIT))
                    .extracting(ServerReading::state)
                    .containsExactly(ServerReading.State.UNREACHABLE);
            assertThat(server.updates()).isEmpty();
            assertThat(server.queries()).isEmpty();
        }
    }
}
