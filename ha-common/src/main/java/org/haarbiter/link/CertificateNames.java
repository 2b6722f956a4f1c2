package org.haarbiter.link;

import java.security.cert.Certificate;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;

/**
 * Whom a certificate names. Immutable; for any thread.
 *
 * @param names its subject's common name first, if it has one, then its alternative names: DNS, mail and URI
 * @param units its subject's organizational units
 */
public record CertificateNames(List<String> names, List<String> units) {
    /** Of a certificate that names nobody. */
    public static final CertificateNames NONE = new CertificateNames(List.of(), List.of());

    private static final int MAIL = 1;
    private static final int DNS = 2;
    private static final int URI = 6;

    /** Copies the lists. */
    public CertificateNames {
        names = List.copyOf(names);
        units = List.copyOf(units);
    }

    /** Of the other end of a connection; {@link #NONE} where it showed no certificate. */
    public static CertificateNames of(SSLSession session) {
        Certificate[] chain;
        try {
            chain = session.getPeerCertificates();
        } catch (SSLPeerUnverifiedException e) {
            // It showed none, which is what this exception is for.
            return NONE;
        }
        return chain[0] instanceof X509Certificate certificate ? of(certificate) : NONE;
    }

    /** Of one certificate. What can't be parsed names nobody. */
    static CertificateNames of(X509Certificate certificate) {
        List<String> names = new ArrayList<>();
        List<String> units = new ArrayList<>();
        try {
            for (Rdn part : new LdapName(certificate.getSubjectX500Principal().getName()).getRdns()) {
                if (part.getType().equalsIgnoreCase("CN") && part.getValue() instanceof String name) {
                    names.add(name);
                } else if (part.getType().equalsIgnoreCase("OU") && part.getValue() instanceof String unit) {
                    units.add(unit);
                }
            }
        } catch (InvalidNameException e) {
            throw new IllegalStateException("the JDK writes a name that it can't read", e);
        }
        Collection<List<?>> alternatives;
        try {
            alternatives = certificate.getSubjectAlternativeNames();
        } catch (CertificateParsingException e) {
            alternatives = List.of();
        }
        if (alternatives != null) {
            for (List<?> alternative : alternatives) {
                if (alternative.get(0) instanceof Integer kind
                        && (kind == MAIL || kind == DNS || kind == URI)
                        && alternative.get(1) instanceof String name) {
                    names.add(name);
                }
            }
        }
        return new CertificateNames(names, units);
    }

    /** For messages. */
    @Override
    public String toString() {
        return names.isEmpty() ? "nobody" : String.join(", ", names);
    }
}
