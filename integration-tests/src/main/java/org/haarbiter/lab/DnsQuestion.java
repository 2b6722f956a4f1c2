package org.haarbiter.lab;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import org.haarbiter.words.Endpoint;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.SimpleResolver;
import org.xbill.DNS.Type;

/** Asks one server of this machine about one name, by dnsjava. Any thread. */
public final class DnsQuestion {
    private static final Duration TIMEOUT = Duration.ofSeconds(5);

    private DnsQuestion() {}

    /**
     * What the records of a name hold; empty where there are none.
     *
     * @param type such as {@code A}
     * @throws IOException where the server doesn't answer, or says that something is wrong
     */
    public static List<String> ask(Endpoint server, String name, String type) throws IOException {
        SimpleResolver resolver = new SimpleResolver(new InetSocketAddress(server.host(), server.port()));
        resolver.setTimeout(TIMEOUT);
        Record question = Record.newRecord(Name.fromString(name, Name.root), Type.value(type), DClass.IN);
        Message answer = resolver.send(Message.newQuery(question));
        if (answer.getRcode() != Rcode.NOERROR && answer.getRcode() != Rcode.NXDOMAIN) {
            throw new IOException(server + " answers " + Rcode.string(answer.getRcode()) + " for " + name);
        }
        return answer.getSection(Section.ANSWER).stream()
                .map(Record::rdataToString)
                .toList();
    }
}
