package org.haarbiter.master.endpoints;

import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * What checks by TLS share, so that sessions are resumed instead of begun anew each time. Made when first needed: the bundle of
 * authorities takes a while to read. Confined to the checks' event loop.
 */
final class TlsClients {
    private @Nullable SslContext trusting;
    private @Nullable SslContext checking;

    /**
     * For one check.
     *
     * @param trusted whether the server's certificate must be of an authority that this Java installation trusts; a check that
     *     asks no more than whether somebody answers sends no secret, and takes any
     * @throws IllegalStateException where this Java installation can't do TLS, or can't read its authorities
     */
    SslContext context(boolean trusted) {
        SslContext present = trusted ? checking : trusting;
        if (present != null) {
            return present;
        }
        SslContextBuilder builder = SslContextBuilder.forClient().sslProvider(SslProvider.JDK);
        try {
            if (trusted) {
                SslContext made = builder.build();
                checking = made;
                return made;
            }
            SslContext made =
                    builder.trustManager(InsecureTrustManagerFactory.INSTANCE).build();
            trusting = made;
            return made;
        } catch (SSLException e) {
            throw new IllegalStateException("checks by TLS can't be made: " + e.getMessage(), e);
        }
    }
}
