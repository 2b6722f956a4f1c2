package org.haarbiter.link;

import io.netty.handler.ssl.JdkSslContext;
import java.security.KeyManagementException;
import java.security.SecureRandom;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLContextSpi;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocketFactory;
import javax.net.ssl.SSLSessionContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManager;
import org.jspecify.annotations.Nullable;

/** For who keeps one context for ever, as the JDK's HTTP server does: each connection begins with the files of then. */
final class RenewedContext extends SSLContext {

    RenewedContext(Tls tls) {
        super(new Spi(tls), current(tls).getProvider(), "TLS");
    }

    private static SSLContext current(Tls tls) {
        return ((JdkSslContext) tls.server()).context();
    }

    private static final class Spi extends SSLContextSpi {
        private final Tls tls;

        Spi(Tls tls) {
            this.tls = tls;
        }

        @Override
        protected void engineInit(
                KeyManager @Nullable [] keys, TrustManager @Nullable [] trust, @Nullable SecureRandom random)
                throws KeyManagementException {
            throw new KeyManagementException("its keys are those of the TLS files");
        }

        @Override
        protected SSLSocketFactory engineGetSocketFactory() {
            return current(tls).getSocketFactory();
        }

        @Override
        protected SSLServerSocketFactory engineGetServerSocketFactory() {
            return current(tls).getServerSocketFactory();
        }

        @Override
        protected SSLEngine engineCreateSSLEngine() {
            return current(tls).createSSLEngine();
        }

        @Override
        protected SSLEngine engineCreateSSLEngine(String host, int port) {
            return current(tls).createSSLEngine(host, port);
        }

        @Override
        protected SSLSessionContext engineGetServerSessionContext() {
            return current(tls).getServerSessionContext();
        }

        @Override
        protected SSLSessionContext engineGetClientSessionContext() {
            return current(tls).getClientSessionContext();
        }

        @Override
        protected SSLParameters engineGetDefaultSSLParameters() {
            return current(tls).getDefaultSSLParameters();
        }

        @Override
        protected SSLParameters engineGetSupportedSSLParameters() {
            return current(tls).getSupportedSSLParameters();
        }
    }
}
