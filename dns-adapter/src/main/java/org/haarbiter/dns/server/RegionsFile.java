package org.haarbiter.dns.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The file that says which networks are in which region; read again when it has changed. {@link #check} is for one thread. */
final class RegionsFile {

    /** A list of all networks of the Internet has about 20 MB; anything beyond isn't such a list. */
    static final long MAX_BYTES = 64L * 1024 * 1024;

    private static final Logger LOG = LoggerFactory.getLogger(RegionsFile.class);

    /** What a change is known by: a file that is replaced by another has another key even within one tick of the clock. */
    private record Version(
            FileTime modified, long bytes, @Nullable Object key) {}

    private final Path file;
    private final RegionNames regions;
    private @Nullable Version seen;
    private volatile String trouble = "";

    /**
     * @param file lines of {@code NETWORK REGION}
     * @param regions those that may stand in it
     */
    RegionsFile(Path file, RegionNames regions) {
        this.file = file;
        this.regions = regions;
    }

    /**
     * Reads the file for the first time.
     *
     * @throws IOException naming the file and every mistake in it
     */
    RegionTable read() throws IOException {
        Version version = version();
        RegionTable table = parse(version);
        seen = version;
        return table;
    }

    /** The new table where the file has changed and is good; null else. What is wrong with it is logged once for each change. */
    @Nullable
    RegionTable check() {
        try {
            Version version = version();
            if (version.equals(seen)) {
                return null;
            }
            seen = version;
            RegionTable table = parse(version);
            trouble = "";
            LOG.info("regions file {}: read again, {} ranges of addresses", file, table.ranges());
            return table;
        } catch (IOException e) {
            String sentence = String.valueOf(e.getMessage());
            if (!sentence.equals(trouble)) {
                LOG.warn("{}\nThe regions that were read before are kept", sentence);
            }
            trouble = sentence;
            return null;
        }
    }

    /** What is wrong with the file now; empty where nothing is. Any thread. */
    String trouble() {
        return trouble;
    }

    private Version version() throws IOException {
        try {
            BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
            return new Version(attributes.lastModifiedTime(), attributes.size(), attributes.fileKey());
        } catch (IOException e) {
            throw new IOException("regions-file: " + file + ": can't be read: " + e, e);
        }
    }

    private RegionTable parse(Version version) throws IOException {
        if (version.bytes() > MAX_BYTES) {
            throw new IOException(
                    "regions-file: " + file + ": " + version.bytes() + " bytes (must be at most " + MAX_BYTES + ")");
        }
        try {
            return RegionTable.parse(Files.readAllLines(file), regions);
        } catch (IllegalArgumentException e) {
            throw new IOException("regions-file: " + file + ": " + e.getMessage(), e);
        } catch (IOException e) {
            throw new IOException("regions-file: " + file + ": can't be read as UTF-8: " + e, e);
        }
    }
}
