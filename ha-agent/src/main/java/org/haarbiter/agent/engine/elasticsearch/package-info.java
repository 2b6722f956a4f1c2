/** Elasticsearch 8 and newer: the member is a cluster, and an agent is beside each of its nodes. */
@org.jspecify.annotations.NullMarked
package org.haarbiter.agent.engine.elasticsearch;
