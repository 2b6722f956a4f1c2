package org.haarbiter.agent.engine.mysql;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** What the authentication plugins want to hear. Over a Unix socket a password may go in clear: nobody else can read it. */
final class Login {
    private Login() {}

    /** The plugins that {@link #answer} knows. */
    static boolean knows(String plugin) {
        return switch (plugin) {
            case "caching_sha2_password",
                    "mysql_native_password",
                    "mysql_clear_password",
                    "sha256_password",
                    "auth_socket",
                    "unix_socket" -> true;
            default -> false;
        };
    }

    static byte[] answer(String plugin, byte[] nonce, String password) {
        byte[] secret = password.getBytes(StandardCharsets.UTF_8);
        return switch (plugin) {
            case "caching_sha2_password" -> secret.length == 0 ? secret : sha2(nonce, secret);
            case "mysql_native_password" -> secret.length == 0 ? secret : nativePassword(nonce, secret);
            case "mysql_clear_password", "sha256_password" -> clear(password);
            case "auth_socket", "unix_socket" -> new byte[0];
            default -> throw new IllegalArgumentException("authentication plugin " + plugin);
        };
    }

    /** The password with its end mark. */
    static byte[] clear(String password) {
        return (password + '\0').getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] sha2(byte[] nonce, byte[] secret) {
        byte[] once = digest("SHA-256", secret);
        byte[] twice = digest("SHA-256", once);
        return xor(once, digest("SHA-256", twice, nonce));
    }

    private static byte[] nativePassword(byte[] nonce, byte[] secret) {
        byte[] once = digest("SHA-1", secret);
        byte[] twice = digest("SHA-1", once);
        return xor(once, digest("SHA-1", nonce, twice));
    }

    private static byte[] digest(String algorithm, byte[]... parts) {
        try {
            MessageDigest digest = MessageDigest.getInstance(algorithm);
            for (byte[] part : parts) {
                digest.update(part);
            }
            return digest.digest();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this Java has no " + algorithm, e);
        }
    }

    private static byte[] xor(byte[] one, byte[] other) {
        byte[] result = new byte[one.length];
        for (int i = 0; i < one.length; i++) {
            result[i] = (byte) (one[i] ^ other[i]);
        }
        return result;
    }
}
