package org.haarbiter.lab;

import java.sql.Connection;
import java.sql.Driver;
import java.sql.SQLException;
import java.util.Properties;
import org.haarbiter.words.Endpoint;

/** Connections by Connector/J, with as few round trips as it can be told to make. */
final class Jdbc {

    private static final Driver DRIVER = driver();

    private Jdbc() {}

    private static Driver driver() {
        try {
            return new com.mysql.cj.jdbc.Driver();
        } catch (SQLException e) {
            throw new IllegalStateException("Connector/J didn't load", e);
        }
    }

    /** Both limits in milliseconds; 0 is none. */
    static String url(Endpoint server, Account account, int connectTimeoutMillis, int socketTimeoutMillis) {
        // Without TLS a cold caching_sha2_password login needs the server's public key. cacheServerConfiguration saves
        // the
        // query of some twenty variables at each connect, useLocalSessionState and elideSetAutoCommits the SETs.
        return "jdbc:mysql://" + server + "/app?user=" + account.user() + "&password=" + account.password()
                + "&sslMode=DISABLED&allowPublicKeyRetrieval=true&cacheServerConfiguration=true"
                + "&useLocalSessionState=true&elideSetAutoCommits=true&maintainTimeStats=false"
                + "&connectTimeout=" + connectTimeoutMillis + "&socketTimeout=" + socketTimeoutMillis;
    }

    static Connection connect(String url) throws SQLException {
        Connection connection = DRIVER.connect(url, new Properties());
        if (connection == null) {
            throw new SQLException("not an address that Connector/J knows: " + url);
        }
        return connection;
    }
}
