package org.haarbiter.master.sentinel;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.haarbiter.settings.Credentials;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConversationTest {
    private static final Endpoint PRIMARY = new Endpoint("10.0.0.1", 6379);
    private static final Watched CART = new Watched(
            "cart",
            7,
            PRIMARY,
            false,
            List.of(
                    new Watched.Replica(new Endpoint("10.0.0.2", 6379), false, true, 50),
                    new Watched.Replica(new Endpoint("10.0.0.3", 6379), true, false, 100)));
    private static final Watched DOWN = new Watched("stock", 3, new Endpoint("10.0.1.1", 6380), true, List.of());

    private Conversation talk = conversation(null);

    private static Conversation conversation(@Nullable Credentials credentials) {
        TreeMap<String, Watched> groups = new TreeMap<>();
        groups.put("cart", CART);
        groups.put("stock", DOWN);
        return new Conversation(
                new Conversation.Self(
                        "id-of-m1",
                        List.of(new Endpoint("10.0.9.2", 26379), new Endpoint("10.0.9.3", 26379)),
                        List.of("id-of-m2", "id-of-m3"),
                        credentials),
                42,
                new Conversation.Groups() {
                    @Override
                    public SortedMap<String, Watched> all() {
                        return groups;
                    }

                    @Override
                    public @Nullable Watched of(String name) {
                        return groups.get(name);
                    }
                });
    }

    /** The answer's bytes, with a blank for each end of line. */
    private String say(String command) {
        Conversation.Answer answer = talk.answer(List.of(command.split(" ")));
        return text(answer.replies());
    }

    private String text(List<Reply> replies) {
        ByteBuf bytes = Unpooled.buffer();
        replies.forEach(reply -> ReplyWriter.write(reply, talk.version(), bytes));
        return bytes.toString(StandardCharsets.UTF_8).replace("\r\n", " ").strip();
    }

    @Test
    void thePrimaryIsAnAddressAndAPort() {
        assertThat(say("SENTINEL GET-MASTER-ADDR-BY-NAME cart")).isEqualTo("*2 $8 10.0.0.1 $4 6379");
        assertThat(say("sentinel get-master-addr-by-name cart")).isEqualTo("*2 $8 10.0.0.1 $4 6379");
        assertThat(say("SENTINEL GET-MASTER-ADDR-BY-NAME nothing")).isEqualTo("*-1");
        say("HELLO 3");
        assertThat(say("SENTINEL GET-MASTER-ADDR-BY-NAME nothing")).isEqualTo("_");
    }

    @Test
    void versionThreeHasMapsAndVersionTwoListsOfNamesAndValues() {
        assertThat(say("SENTINEL MASTER cart"))
                .startsWith("*20 $4 name $4 cart $2 ip $8 10.0.0.1 $4 port $4 6379")
                .contains("$5 flags $6 master")
                .contains("$19 num-other-sentinels $1 2");
        assertThat(say("HELLO 3")).startsWith("%7 $6 server $5 redis").contains("$5 proto :3", "$4 mode $8 sentinel");
        assertThat(say("SENTINEL MASTER cart")).startsWith("%10 $4 name $4 cart");
        assertThat(say("SENTINEL MASTERS"))
                .startsWith("*2 %10 $4 name $4 cart")
                .contains("$5 flags $20 master,s_down,o_down");
    }

    @Test
    void replicasSayWhetherTheyMayBeReadFrom() {
        String replicas = say("SENTINEL REPLICAS cart");
        assertThat(replicas)
                .startsWith("*2 *20 $4 name $13 10.0.0.2:6379")
                .contains("$5 flags $5 slave $13 role-reported", "$18 master-link-status $2 ok")
                .contains("$5 flags $25 slave,s_down,disconnected", "$18 master-link-status $3 err")
                .contains("$11 master-host $8 10.0.0.1", "$11 master-port $4 6379", "$14 slave-priority $2 50");
        assertThat(say("SENTINEL SLAVES cart")).isEqualTo(replicas);
    }

    @Test
    void theOtherMastersAreTheOtherSentinels() {
        assertThat(say("SENTINEL SENTINELS cart"))
                .isEqualTo(
                        "*2 *10 $4 name $8 id-of-m2 $2 ip $8 10.0.9.2 $4 port $5 26379 $5 runid $8 id-of-m2 $5 flags $8 sentinel"
                                + " *10 $4 name $8 id-of-m3 $2 ip $8 10.0.9.3 $4 port $5 26379 $5 runid $8 id-of-m3 $5 flags $8 sentinel");
        assertThat(say("SENTINEL MYID")).isEqualTo("$8 id-of-m1");
    }

    @ParameterizedTest
    @CsvSource({
        "SENTINEL MASTER nothing, -ERR No such master with that name",
        "SENTINEL REPLICAS nothing, -ERR No such master with that name",
        "SENTINEL MASTER, -ERR wrong number of arguments for 'sentinel|master' command",
        "SENTINEL FAILOVER cart, -ERR SENTINEL FAILOVER isn't available",
        "SENTINEL RESET *, -ERR SENTINEL RESET isn't available",
        "SENTINEL WHAT, -ERR unknown subcommand 'WHAT' of SENTINEL",
        "SET a b, -ERR unknown command 'SET'",
        "CLIENT KILL, -ERR unknown subcommand 'KILL' of CLIENT",
        "HELLO 4, -NOPROTO unsupported protocol version",
        "HELLO 3 WHAT, -ERR Syntax error in HELLO option 'WHAT'",
        "PING a b, -ERR wrong number of arguments for 'ping' command",
        "SUBSCRIBE, -ERR wrong number of arguments for 'subscribe' command",
        "PSUBSCRIBE [z-a], -ERR '[z-a]' isn't a pattern",
        "AUTH secret, -ERR AUTH called without any password configured"
    })
    void whatCantBeAnsweredIsAnError(String command, String answer) {
        assertThat(say(command)).startsWith(answer.replace("''", "'"));
    }

    @ParameterizedTest
    @CsvSource({
        "PING, +PONG",
        "PING a, $1 a",
        "CLIENT ID, :42",
        "CLIENT SETINFO LIB-NAME jedis, +OK",
        "CLIENT MAINT_NOTIFICATIONS ON, +OK",
        "COMMAND, *0",
        "ROLE, *2 $8 sentinel *2 $4 cart $5 stock"
    })
    void whatClientsSayAtFirstIsAnswered(String command, String answer) {
        assertThat(say(command)).isEqualTo(answer);
    }

    @Test
    void subscribersAreToldInTheirVersion() {
        assertThat(say("SUBSCRIBE +switch-master +slave"))
                .isEqualTo("*3 $9 subscribe $14 +switch-master :1 *3 $9 subscribe $6 +slave :2");
        assertThat(say("PING")).isEqualTo("*2 $4 pong $0");
        assertThat(say("SENTINEL MASTERS")).startsWith("-ERR Can't execute 'SENTINEL'");
        assertThat(text(talk.told("+switch-master", "cart a 1 b 2")))
                .isEqualTo("*3 $7 message $14 +switch-master $12 cart a 1 b 2");
        assertThat(talk.told("+sdown", "x")).isEmpty();
        assertThat(say("UNSUBSCRIBE"))
                .isEqualTo("*3 $11 unsubscribe $6 +slave :1 *3 $11 unsubscribe $14 +switch-master :0");
        assertThat(say("UNSUBSCRIBE")).isEqualTo("*3 $11 unsubscribe *-1 :0");
        say("HELLO 3");
        assertThat(say("PSUBSCRIBE *")).isEqualTo(">3 $10 psubscribe $1 * :1");
        assertThat(text(talk.told("+switch-master", "cart a 1 b 2")))
                .isEqualTo(">4 $8 pmessage $1 * $14 +switch-master $12 cart a 1 b 2");
        assertThat(say("SENTINEL GET-MASTER-ADDR-BY-NAME cart")).isEqualTo("*2 $8 10.0.0.1 $4 6379");
    }

    @Test
    void withoutThePasswordNothingIsSaid() {
        talk = conversation(new Credentials("apps", "secret"));
        assertThat(say("SENTINEL MASTERS")).isEqualTo("-NOAUTH Authentication required.");
        assertThat(talk.needsGroups(List.of("SENTINEL", "MASTERS"))).isFalse();
        assertThat(say("HELLO 3")).startsWith("-NOAUTH");
        assertThat(say("HELLO 3 AUTH apps wrong")).startsWith("-WRONGPASS");
        assertThat(talk.version()).isEqualTo(2);
        assertThat(say("AUTH wrong")).startsWith("-WRONGPASS");
        assertThat(say("AUTH secret")).isEqualTo("+OK");
        assertThat(say("SENTINEL MYID")).isEqualTo("$8 id-of-m1");
        talk = conversation(new Credentials("apps", "secret"));
        assertThat(say("HELLO 3 AUTH apps secret SETNAME me")).startsWith("%7");
        assertThat(say("CLIENT GETNAME")).isEqualTo("$2 me");
    }

    @Test
    void anErrorNeverEndsTheLineEarly() {
        assertThat(text(talk.answer(List.of("a\r\n+OK")).replies())).startsWith("-ERR unknown command 'a  +OK'");
    }

    @ParameterizedTest
    @CsvSource({
        "*, +switch-master, true",
        "+switch-*, +switch-master, true",
        "+s?itch-master, +switch-master, true",
        "+[st]witch-master, +switch-master, true",
        "+[^s]witch-master, +switch-master, false",
        "\\*, +switch-master, false",
        "+switch-master, +switch-masters, false",
        "+switch.master, +switch-master, false"
    })
    void patternsAreThoseOfRedis(String pattern, String channel, boolean matches) {
        assertThat(Glob.of(pattern).matches(channel)).isEqualTo(matches);
    }
}
