package org.haarbiter.master.codec;

import java.util.TreeMap;
import org.haarbiter.master.core.EndpointReport;
import org.haarbiter.wire.EndpointFindingMessage;
import org.haarbiter.wire.EndpointGroupMessage;
import org.haarbiter.wire.EndpointsAnswer;

/** What a master tells the leader of the endpoints, as it crosses the wire. */
public final class EndpointReportCodec {
    private EndpointReportCodec() {}

    /** The answer to a leader. */
    public static EndpointsAnswer answer(EndpointReport report) {
        EndpointsAnswer.Builder answer = EndpointsAnswer.newBuilder();
        report.groups().forEach((name, group) -> {
            EndpointGroupMessage.Builder message =
                    EndpointGroupMessage.newBuilder().setGroup(name).setSetIndex(group.setIndex());
            group.found()
                    .forEach((endpoint, finding) -> message.addFound(EndpointFindingMessage.newBuilder()
                            .setEndpoint(endpoint)
                            .setHealthy(finding.healthy())
                            .setDetail(finding.detail())));
            answer.addGroups(message);
        });
        return answer.build();
    }

    /** What the answer says. */
    public static EndpointReport report(EndpointsAnswer answer) {
        TreeMap<String, EndpointReport.OfGroup> groups = new TreeMap<>();
        for (EndpointGroupMessage group : answer.getGroupsList()) {
            TreeMap<String, EndpointReport.Finding> found = new TreeMap<>();
            for (EndpointFindingMessage finding : group.getFoundList()) {
                found.put(finding.getEndpoint(), new EndpointReport.Finding(finding.getHealthy(), finding.getDetail()));
            }
            groups.put(group.getGroup(), new EndpointReport.OfGroup(group.getSetIndex(), found));
        }
        return new EndpointReport(groups);
    }
}
