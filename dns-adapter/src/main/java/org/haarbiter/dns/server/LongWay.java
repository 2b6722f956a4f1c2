package org.haarbiter.dns.server;

import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.TSIG;
import org.xbill.DNS.TSIGRecord;
import org.xbill.DNS.TextParseException;

/**
 * Queries that are signed, and transfers of zones: on threads of their own, so that ordinary queries never wait for them. Any
 * thread may hand them in.
 */
final class LongWay implements AutoCloseable {

    private static final int MAX_WAITING = 1_000;
    private static final int MAX_TRANSFERS = 8;

    /** Whoever asked. */
    interface Client {
        /** Whether it asked by TCP. */
        boolean tcp();

        /**
         * Sends one message; the array may be used again afterwards. May wait until the client has read something.
         *
         * @throws IOException where the client is gone or doesn't read
         */
        void send(byte[] message, int bytes) throws IOException;

        /** No more comes for this query. */
        void done();
    }

    /** What the transfers of a zone are made from. */
    interface Zones {
        Catalog catalog();

        ZoneHistory history(String zone);

        /** A secondary, perhaps, has the zone at this serial number. */
        void has(String zone, InetSocketAddress client, long serial);
    }

    private record Key(String name, Name algorithm, TSIG tsig) {}

    private final DnsServerSettings settings;
    private final DnsServerMetrics metrics;
    private final Warnings warnings;
    private final Zones zones;
    private final Map<Name, Key> keys = new HashMap<>();
    private final Supplier<Responder> responders;
    private final ThreadPoolExecutor signed;
    private final ThreadPoolExecutor transfers;

    /** Of the one thread that answers signed queries. */
    private @Nullable Responder responder;

    private final byte[] response = new byte[Responder.MAX_BYTES];

    LongWay(
            DnsServerSettings settings,
            DnsServerMetrics metrics,
            Warnings warnings,
            Zones zones,
            Supplier<Responder> responders) {
        this.settings = settings;
        this.metrics = metrics;
        this.warnings = warnings;
        this.zones = zones;
        this.responders = responders;
        settings.keys().forEach((name, key) -> keys.put(name(name), new Key(name, algorithm(key), tsig(key))));
        signed = new ThreadPoolExecutor(
                1,
                1,
                0,
                TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(MAX_WAITING),
                new DefaultThreadFactory("dns-signed", true));
        transfers = new ThreadPoolExecutor(
                0,
                MAX_TRANSFERS,
                10,
                TimeUnit.SECONDS,
                new SynchronousQueue<>(),
                new DefaultThreadFactory("dns-transfer", true));
    }

    static TSIG tsig(SigningKey key) {
        return new TSIG(
                algorithm(key),
                name(key.name()),
                Base64.getDecoder().decode(key.secret().strip()));
    }

    private static Name algorithm(SigningKey key) {
        return TSIG.algorithmToName(key.algorithm());
    }

    static Name name(String absolute) {
        try {
            return Name.fromString(absolute);
        } catch (TextParseException e) {
            throw new IllegalArgumentException(absolute + " (must be a domain name)", e);
        }
    }

    /** Takes a query on; it is dropped where too many wait already. The array isn't used by the caller any more. */
    void take(byte[] query, InetSocketAddress client, Client reply) {
        run(signed, reply, client, () -> begin(query, client, reply));
    }

    /** @param work returns true where it goes on elsewhere, which says then that it is done */
    private void run(ThreadPoolExecutor pool, Client reply, InetSocketAddress client, BooleanSupplier work) {
        try {
            pool.execute(() -> {
                boolean goesOn = false;
                try {
                    goesOn = work.getAsBoolean();
                } catch (RuntimeException e) {
                    metrics.defects.increment();
                    warnings.defect("query of " + client, e);
                } finally {
                    if (!goesOn) {
                        reply.done();
                    }
                }
            });
        } catch (RejectedExecutionException e) {
            metrics.overloadDropped.increment();
            warnings.warn(
                    Warnings.Kind.OVERLOAD,
                    () -> "query of " + client + " dropped: " + MAX_WAITING + " signed ones wait, or " + MAX_TRANSFERS
                            + " transfers are under way");
            reply.done();
        }
    }

    /** Answers the query, or lets a transfer of it begin; true in the latter case. */
    private boolean begin(byte[] query, InetSocketAddress client, Client reply) {
        Message message;
        try {
            message = new Message(query);
        } catch (IOException e) {
            metrics.malformed.increment();
            send(reply, client, bare(query, Wire.FORMERR));
            return false;
        }
        TSIGRecord signature = message.getTSIG();
        Key key = null;
        if (signature != null) {
            key = keys.get(signature.getName());
            int problem = key == null || !key.algorithm().equals(signature.getAlgorithm())
                    ? Rcode.BADKEY
                    : key.tsig().verify(message, query, null);
            if (problem != Rcode.NOERROR) {
                refuseSignature(query, client, reply, key, signature, problem);
                return false;
            }
        }
        Record question = message.getQuestion();
        if (question != null
                && question.getDClass() == DClass.IN
                && (question.getType() == Wire.TYPE_AXFR || question.getType() == Wire.TYPE_IXFR)) {
            Key signer = key;
            run(transfers, reply, client, () -> {
                transfer(query, message, question, client, reply, signer, signature);
                return false;
            });
            return true;
        }
        if (key == null || signature == null) {
            throw new IllegalStateException("neither signed nor a transfer: " + message);
        }
        answerSigned(query, client, reply, key, signature);
        return false;
    }

    private void answerSigned(byte[] query, InetSocketAddress client, Client reply, Key key, TSIGRecord signature) {
        Responder own = responder;
        if (own == null) {
            own = responders.get();
            responder = own;
        }
        own.at(zones.catalog(), System.nanoTime(), System.currentTimeMillis() / 1_000);
        byte[] address = client.getAddress().getAddress();
        int bytes = own.respondChecked(
                query,
                query.length,
                Network.high(address),
                Network.low(address),
                reply.tcp(),
                key.tsig().recordLength(),
                response);
        send(reply, client, signed(Arrays.copyOf(response, bytes), key.tsig(), Rcode.NOERROR, signature));
    }

    /** RFC 8945 5.2: who can't be believed gets an unsigned refusal, who has the wrong time a signed one. */
    private void refuseSignature(
            byte[] query,
            InetSocketAddress client,
            Client reply,
            @Nullable Key key,
            TSIGRecord signature,
            int problem) {
        metrics.badSignatures.increment();
        warnings.warn(
                Warnings.Kind.BAD_SIGNATURE,
                () -> "query of " + client + " signed with key " + signature.getName() + " ("
                        + signature.getAlgorithm() + "): " + Rcode.TSIGstring(problem)
                        + " (BADKEY: the key isn't known here; BADSIG: it has another secret; BADTIME: the clocks differ"
                        + " by more than 300 s)");
        byte[] refusal = bare(query, Wire.NOTAUTH);
        if (problem == Rcode.BADTIME && key != null) {
            send(reply, client, signed(refusal, key.tsig(), Rcode.BADTIME, signature));
            return;
        }
        TSIGRecord unsigned = new TSIGRecord(
                signature.getName(),
                DClass.ANY,
                0,
                signature.getAlgorithm(),
                Instant.now(),
                signature.getFudge(),
                new byte[0],
                Wire.getShort(query, 0),
                problem,
                new byte[0]);
        byte[] whole = Arrays.copyOf(refusal, Responder.MAX_BYTES);
        int bytes = append(whole, refusal.length, unsigned.toWire(Section.ADDITIONAL));
        send(reply, client, Arrays.copyOf(whole, bytes));
    }

    /** A response of header and question. */
    private byte[] bare(byte[] query, int rcode) {
        int end = Wire.HEADER_BYTES;
        if (Wire.getShort(query, 4) == 1) {
            while (end < query.length && query[end] != 0) {
                end += 1 + (query[end] & 0x3f);
            }
            end += 5;
        }
        boolean whole = end > Wire.HEADER_BYTES && end <= query.length;
        byte[] bare = Arrays.copyOf(query, whole ? end : Wire.HEADER_BYTES);
        bare[2] = (byte) (0x80 | (query[2] & 0x79));
        bare[3] = (byte) rcode;
        Arrays.fill(bare, 4, Wire.HEADER_BYTES, (byte) 0);
        Wire.putShort(bare, 4, whole ? 1 : 0);
        metrics.responded(rcode);
        return bare;
    }

    private static byte[] signed(byte[] message, TSIG key, int error, TSIGRecord querySignature) {
        TSIGRecord signature = key.generate(new Message(Wire.getShort(message, 0)), message, error, querySignature);
        byte[] record = signature.toWire(Section.ADDITIONAL);
        byte[] whole = Arrays.copyOf(message, message.length + record.length);
        append(whole, message.length, record);
        return whole;
    }

    /** Puts a record behind the others of the additional section; where the next byte goes. */
    static int append(byte[] message, int at, byte[] record) {
        System.arraycopy(record, 0, message, at, record.length);
        Wire.putShort(message, 10, Wire.getShort(message, 10) + 1);
        return at + record.length;
    }

    private void send(Client reply, InetSocketAddress client, byte[] message) {
        try {
            reply.send(message, message.length);
        } catch (IOException e) {
            metrics.sendFailures.increment();
            warnings.warn(Warnings.Kind.SEND_FAILURE, () -> "answer to " + client + ": " + e.getMessage());
        }
    }

    // ---------------------------------------------------------------- transfers

    private void transfer(
            byte[] query,
            Message message,
            Record question,
            InetSocketAddress client,
            Client reply,
            @Nullable Key key,
            @Nullable TSIGRecord signature) {
        String name = ZoneContents.origin(question.getName().toString());
        boolean incremental = question.getType() == Wire.TYPE_IXFR;
        int refusal = refusal(name, client, key, incremental, reply.tcp());
        Catalog.Zone zone = zones.catalog().zone(name);
        if (refusal != Wire.NOERROR || zone == null || zone.snapshot == null) {
            int code = refusal == Wire.NOERROR ? Wire.SERVFAIL : refusal;
            byte[] bare = bare(query, code);
            send(reply, client, key == null || signature == null ? bare : signed(bare, key.tsig(), 0, signature));
            return;
        }
        ZoneContents contents = zone.snapshot.contents;
        TransferWriter writer =
                new TransferWriter(query, zone.origin, key == null ? null : key.tsig(), signature, reply);
        try {
            write(writer, message, zone, zone.snapshot, incremental, reply.tcp());
            metrics.responded(Wire.NOERROR);
            zones.has(name, client, contents.serial());
        } catch (IOException e) {
            metrics.failedTransfers.increment();
            warnings.warn(
                    Warnings.Kind.FAILED_TRANSFER,
                    () -> "transfer of " + name + " to " + client + " broke off after " + writer.sentBytes()
                            + " bytes: " + e.getMessage());
        }
    }

    private int refusal(String name, InetSocketAddress client, @Nullable Key key, boolean incremental, boolean tcp) {
        DnsServerSettings.Zone rights = settings.zones().get(name);
        if (rights == null) {
            return Wire.NOTAUTH;
        }
        byte[] address = client.getAddress().getAddress();
        boolean allowed = (key != null && rights.transferKeys().contains(key.name()))
                || Network.anyContains(rights.transferNetworks(), Network.high(address), Network.low(address));
        if (!allowed) {
            metrics.refusedTransfers.increment();
            warnings.warn(
                    Warnings.Kind.REFUSED_TRANSFER,
                    () -> "transfer of " + name + " to " + client + " refused: "
                            + (key == null ? "unsigned, and not from transfer-networks" : "signed with " + key.name())
                            + " (transfer-keys are " + rights.transferKeys() + ")");
            return Wire.REFUSED;
        }
        if (!zones.catalog().notCaughtUp().isEmpty()) {
            return Wire.SERVFAIL;
        }
        return incremental || tcp ? Wire.NOERROR : Wire.FORMERR; // RFC 5936 4.2: whole zones go by TCP only
    }

    private void write(
            TransferWriter writer,
            Message message,
            Catalog.Zone zone,
            ZoneSnapshot snapshot,
            boolean incremental,
            boolean tcp)
            throws IOException {
        ZoneContents contents = snapshot.contents;
        ZoneRecords records = new ZoneRecords(writer, contents);
        Long held = incremental ? heldSerial(message) : null;
        records.soa(contents.serial());
        if (incremental && (!tcp || (held != null && !ZoneContents.newer(contents.serial(), held)))) {
            writer.flush(); // RFC 1995 2: nothing newer, or too much for a datagram
            return;
        }
        List<ZoneHistory.Step> steps =
                held == null ? null : zones.history(zone.name).between(held, contents.serial());
        if (steps == null) {
            records.all();
            metrics.fullTransfers.increment();
        } else {
            for (ZoneHistory.Step step : steps) {
                records.step(step);
            }
            metrics.incrementalTransfers.increment();
        }
        records.soa(contents.serial());
        writer.flush();
    }

    private static @Nullable Long heldSerial(Message message) {
        for (Record record : message.getSection(Section.AUTHORITY)) {
            if (record instanceof SOARecord soa) {
                return soa.getSerial();
            }
        }
        return null;
    }

    @Override
    public void close() {
        signed.shutdownNow();
        transfers.shutdownNow();
    }
}
