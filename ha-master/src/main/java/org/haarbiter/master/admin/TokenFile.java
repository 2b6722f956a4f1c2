package org.haarbiter.master.admin;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.haarbiter.settings.OwnerOnlyFile;
import org.haarbiter.settings.SettingsException;
import org.haarbiter.time.Ticker;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tokens of people and programs: lines of {@code NAME ROLE SHA256}, the last being the token's hash in hexadecimal, so that
 * whoever reads the file has no token. A token must be random, not a password: its hash is neither salted nor slow. A changed file
 * counts within a second; one with a mistake doesn't, and {@link #problem} says so. For any thread; may block as reading a
 * file does.
 */
public final class TokenFile {
    private static final Logger LOG = LoggerFactory.getLogger(TokenFile.class);
    private static final long LOOK_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final Pattern HASH = Pattern.compile("[0-9a-fA-F]{64}");

    private record Token(Access.Caller owner, String hash) {}

    private final Path file;
    private final Ticker ticker;
    private String content;
    private List<Token> tokens;
    private String problem = "";
    private long lookedNanos;

    /**
     * Reads it.
     *
     * @throws SettingsException naming each line that is wrong, or where somebody but its owner may read the file
     */
    public TokenFile(Path file, Ticker ticker) {
        this.file = file;
        this.ticker = ticker;
        this.content = OwnerOnlyFile.read(file);
        this.tokens = parse(file, content);
        this.lookedNanos = ticker.nanos();
    }

    /** Whose token this is; null where nobody's. Takes the same time for each token that isn't in the file. */
    synchronized Access.@Nullable Caller owner(String token) {
        look();
        byte[] hash = sha256(token);
        Access.Caller owner = null;
        for (Token known : tokens) {
            if (MessageDigest.isEqual(HexFormat.of().parseHex(known.hash()), hash)) {
                owner = known.owner();
            }
        }
        return owner;
    }

    /** Why the file as it is now can't be used; empty while it can. */
    public synchronized String problem() {
        look();
        return problem;
    }

    private void look() {
        long now = ticker.nanos();
        if (now - lookedNanos < LOOK_NANOS) {
            return;
        }
        lookedNanos = now;
        String found = "";
        try {
            String read = OwnerOnlyFile.read(file);
            if (!read.equals(content)) {
                tokens = parse(file, read);
                content = read;
                LOG.info("access: {} has changed; {} tokens", file, tokens.size());
            }
        } catch (SettingsException e) {
            found = "access: " + e.getMessage() + "; the tokens that were read before stay valid";
        }
        if (!found.isEmpty() && !found.equals(problem)) {
            LOG.warn("{}", found);
        }
        problem = found;
    }

    private static List<Token> parse(Path file, String content) {
        List<Token> tokens = new ArrayList<>();
        List<String> mistakes = new ArrayList<>();
        TreeSet<String> hashes = new TreeSet<>();
        int number = 0;
        for (String line : content.split("\n", -1)) {
            number++;
            String text = line.strip();
            if (text.isEmpty() || text.startsWith("#")) {
                continue;
            }
            String[] words = text.split("\\s+", -1);
            Role role = words.length == 3 ? Access.role(words[1]) : null;
            // The line itself isn't repeated: somebody may have put a token into it.
            if (role == null
                    || !Access.NAME.matcher(words[0]).matches()
                    || !HASH.matcher(words[2]).matches()) {
                mistakes.add(file + ":" + number
                        + ": must be NAME ROLE SHA256, with a role of viewer, operator or admin, and the hash of the token in 64"
                        + " hexadecimal digits");
            } else if (!hashes.add(words[2].toLowerCase(Locale.ROOT))) {
                mistakes.add(file + ":" + number + ": the same token stands there twice (each must have one owner)");
            } else {
                tokens.add(new Token(new Access.Caller(words[0], role), words[2]));
            }
        }
        if (!mistakes.isEmpty()) {
            throw new SettingsException(mistakes, null);
        }
        return List.copyOf(tokens);
    }

    private static byte[] sha256(String token) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
