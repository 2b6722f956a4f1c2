package org.haarbiter.admin;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What a person can set of a group of endpoints, as {@code set-endpoints} names it and {@code GET /v1/endpoints/NAME} shows it.
 *
 * @param ttlSeconds for how long resolvers may keep the name, 0 to 86400
 * @param mode {@code all}: the name holds every endpoint that is served; {@code first}: those of the lowest order of which any is
 * @param minHealthy with fewer healthy endpoints nobody is taken out; 0 to as many as there are
 * @param check how the masters look at each
 * @param loads by region, how much its clients send at the most, in the unit of the capacities; under the empty name, what comes
 *     from those of no region
 * @param endpoints by name, 1 to 64
 */
public record EndpointsChange(
        int ttlSeconds,
        String mode,
        int minHealthy,
        Check check,
        SortedMap<String, Long> loads,
        SortedMap<String, Endpoint> endpoints) {

    /** Copies the collections. */
    public EndpointsChange {
        loads = Collections.unmodifiableSortedMap(new TreeMap<>(loads));
        endpoints = Collections.unmodifiableSortedMap(new TreeMap<>(endpoints));
    }

    /**
     * How the masters look at an endpoint.
     *
     * @param kind {@code tcp}, {@code http}, {@code https} or {@code tls}
     * @param port 1 to 65535
     * @param path with HTTP and HTTPS, what is asked for; empty otherwise
     * @param host the Host header and the name that a TLS server is asked for; empty for the address
     * @param expectedStatus with HTTP and HTTPS, 100 to 599; 0 for any from 200 to 399
     * @param expectedBody with HTTP and HTTPS, what must stand in the first 64 kB of the answer; empty for anything
     * @param trusted with HTTPS and TLS, whether the certificate must be of an authority that the masters trust, and for {@code host}
     * @param intervalMillis 200 to 3600000
     * @param timeoutMillis of the whole check, 50 to the interval
     * @param rise so many successes in a row make it healthy, 1 to 100
     * @param fall so many failures in a row make it unhealthy, 1 to 100
     */
    public record Check(
            String kind,
            int port,
            String path,
            String host,
            int expectedStatus,
            String expectedBody,
            boolean trusted,
            int intervalMillis,
            int timeoutMillis,
            int rise,
            int fall) {}

    /**
     * One endpoint.
     *
     * @param address a literal IPv4 or IPv6 address
     * @param site where it stands; empty where that isn't told
     * @param weight how much of the traffic it takes beside others, 1 to 1000
     * @param order with {@code first}, the lower the better; 0 to 1000
     * @param capacity how much it can hold, 0 to 1000000000; 0 where that isn't told
     */
    public record Endpoint(String address, String site, int weight, int order, long capacity) {}
}
