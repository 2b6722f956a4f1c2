package org.haarbiter.master.sentinel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.haarbiter.time.Ticker;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SentinelServerTest {
    private static final int LIMIT_MILLIS = 20_000;

    private final List<CompletableFuture<Void>> asked = new ArrayList<>();
    private Endpoint address;
    private SentinelServer server;

    @BeforeEach
    void start() throws IOException {
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            address = new Endpoint("127.0.0.1", free.getLocalPort());
        }
        SentinelGroups groups = new SentinelGroups(1_000, Ticker.SYSTEM, (channel, message) -> {});
        TreeMap<String, Endpoint> masters = new TreeMap<>();
        masters.put("m1", address);
        server = new SentinelServer(new SentinelSettings("test", "m1", masters, null), groups, this::ask);
        server.start();
    }

    private CompletableFuture<Void> ask() {
        CompletableFuture<Void> answer = new CompletableFuture<>();
        synchronized (asked) {
            asked.add(answer);
            asked.notifyAll();
        }
        return answer;
    }

    private CompletableFuture<Void> awaitAsked(int number) throws InterruptedException {
        synchronized (asked) {
            long deadline = System.nanoTime() + LIMIT_MILLIS * 1_000_000L;
            while (asked.size() < number) {
                assertThat(System.nanoTime()).isLessThan(deadline);
                asked.wait(100);
            }
            return asked.get(number - 1);
        }
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private final class Client implements AutoCloseable {
        private final Socket socket = new Socket(address.host(), address.port());
        private final BufferedReader in;

        Client() throws IOException {
            socket.setSoTimeout(LIMIT_MILLIS);
            in = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
        }

        void send(String bytes) throws IOException {
            OutputStream out = socket.getOutputStream();
            out.write(bytes.getBytes(StandardCharsets.UTF_8));
            out.flush();
        }

        String line() throws IOException {
            return String.valueOf(in.readLine());
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }

    @Test
    void answersComeInTheOrderOfTheQuestions() throws Exception {
        try (Client client = new Client()) {
            // The second waits for the quorum; the third doesn't need to, and comes after it all the same.
            client.send("PING\r\n*2\r\n$8\r\nSENTINEL\r\n$7\r\nMASTERS\r\nPING again\r\n");
            assertThat(client.line()).isEqualTo("+PONG");
            awaitAsked(1).complete(null);
            assertThat(client.line()).isEqualTo("*0");
            assertThat(client.line()).isEqualTo("$5");
            assertThat(client.line()).isEqualTo("again");
        }
    }

    @Test
    void oneQuestionToTheQuorumServesAllWhoAskMeanwhile() throws Exception {
        CaughtUp caughtUp = new CaughtUp(this::ask);
        CompletableFuture<Void> first = caughtUp.ask();
        CompletableFuture<Void> second = caughtUp.ask();
        CompletableFuture<Void> third = caughtUp.ask();
        assertThat(asked).hasSize(1);
        awaitAsked(1).complete(null);
        assertThat(first).isCompleted();
        // What was asked before they came says nothing to them.
        assertThat(second).isNotDone();
        assertThat(asked).hasSize(2);
        awaitAsked(2).completeExceptionally(new IllegalStateException("no quorum"));
        assertThat(second).isCompletedExceptionally();
        assertThat(third).isCompletedExceptionally();
        CompletableFuture<Void> fourth = caughtUp.ask();
        awaitAsked(3).complete(null);
        assertThat(fourth).isCompleted();
    }

    @Test
    void withoutAQuorumNothingIsAnswered() throws Exception {
        try (Client client = new Client()) {
            client.send("SENTINEL GET-MASTER-ADDR-BY-NAME cart\r\n");
            awaitAsked(1).completeExceptionally(new IllegalStateException("no quorum"));
            assertThat(client.line()).startsWith("-ERR this master of HA Arbiter isn't in touch with a quorum");
            client.send("PING\r\n");
            assertThat(client.line()).isEqualTo("+PONG");
        }
    }

    @Test
    void whoListensIsTold() throws Exception {
        try (Client client = new Client();
                Client silent = new Client()) {
            client.send("PSUBSCRIBE *\r\n");
            for (String expected : List.of("*3", "$10", "psubscribe", "$1", "*", ":1")) {
                assertThat(client.line()).isEqualTo(expected);
            }
            silent.send("PING\r\n");
            assertThat(silent.line()).isEqualTo("+PONG");
            server.publish("+switch-master", "cart a 1 b 2");
            for (String expected :
                    List.of("*4", "$8", "pmessage", "$1", "*", "$14", "+switch-master", "$12", "cart a 1 b 2")) {
                assertThat(client.line()).isEqualTo(expected);
            }
            silent.send("PING\r\n");
            assertThat(silent.line()).isEqualTo("+PONG");
        }
    }

    @Test
    void whatIsTooLargeOrNoCommandEndsTheConnection() throws Exception {
        for (String nonsense : List.of(
                "*1000\r\n",
                "*1\r\n$100000\r\n",
                "*1\r\n:5\r\n",
                "+OK\r\n",
                "*2\r\n*1\r\n$1\r\na\r\n$1\r\nb\r\n",
                "*-1\r\n")) {
            try (Client client = new Client()) {
                client.send(nonsense);
                assertThat(client.line()).as(nonsense).startsWith("-ERR Protocol error");
                assertThat(client.line()).as(nonsense).isEqualTo("null");
            }
        }
        try (Client client = new Client()) {
            client.send("PING\r\n");
            assertThat(client.line()).isEqualTo("+PONG");
        }
    }

    @Test
    void whoIsGoneInTheMiddleOfACommandIsNoDefect() throws Exception {
        BlockingQueue<LogRecord> complaints = new LinkedBlockingQueue<>();
        BlockingQueue<LogRecord> all = new LinkedBlockingQueue<>();
        Handler handler = new Handler() {
            @Override
            public void publish(LogRecord record) {
                all.add(record);
                if (record.getLevel().intValue() > Level.INFO.intValue()) {
                    complaints.add(record);
                }
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        Logger logger = Logger.getLogger(SentinelServer.class.getName());
        Level before = logger.getLevel();
        logger.setLevel(Level.FINE);
        logger.addHandler(handler);
        try {
            try (Client client = new Client()) {
                client.send("PING\r\n*2\r\n$4\r\nPING\r\n");
                assertThat(client.line()).isEqualTo("+PONG");
            }
            assertThat(all.poll(LIMIT_MILLIS, TimeUnit.MILLISECONDS))
                    .as("a word about it")
                    .isNotNull();
        } finally {
            logger.removeHandler(handler);
            logger.setLevel(before);
        }
        assertThat(complaints).isEmpty();
    }
}
