package org.haarbiter.master.codec;

import java.util.SortedSet;
import java.util.TreeSet;
import org.haarbiter.master.core.Testimony;
import org.haarbiter.master.core.Testimony.MemberName;
import org.haarbiter.wire.HearingAnswer;
import org.haarbiter.wire.HearingRequest;
import org.haarbiter.wire.MemberNameMessage;

/** What masters ask each other about the members that one doesn't hear, as it crosses the wire. */
public final class TestimonyCodec {
    private TestimonyCodec() {}

    /** The question of a leader. */
    public static HearingRequest request(SortedSet<MemberName> unheard) {
        return HearingRequest.newBuilder()
                .addAllUnheard(unheard.stream().map(TestimonyCodec::message).toList())
                .build();
    }

    /** About whom it was asked. */
    public static SortedSet<MemberName> asked(HearingRequest request) {
        return names(request.getUnheardList());
    }

    /** The answer to it. */
    public static HearingAnswer answer(Testimony testimony) {
        return HearingAnswer.newBuilder()
                .addAllHeard(
                        testimony.heard().stream().map(TestimonyCodec::message).toList())
                .setTells(!testimony.asked().equals(testimony.heard()))
                .setHearing(testimony.hearing())
                .build();
    }

    /** What was said about those who were asked about; of others nothing is believed. */
    public static Testimony testimony(SortedSet<MemberName> asked, HearingAnswer answer) {
        SortedSet<MemberName> heard = names(answer.getHeardList());
        heard.retainAll(asked);
        return new Testimony(answer.getTells() ? asked : heard, heard, answer.getHearing());
    }

    private static MemberNameMessage message(MemberName name) {
        return MemberNameMessage.newBuilder()
                .setGroup(name.group())
                .setMember(name.member())
                .build();
    }

    private static SortedSet<MemberName> names(Iterable<MemberNameMessage> messages) {
        TreeSet<MemberName> names = new TreeSet<>();
        for (MemberNameMessage message : messages) {
            names.add(new MemberName(message.getGroup(), message.getMember()));
        }
        return names;
    }
}
