package org.haarbiter.master.raft;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;

/** The one file of a snapshot: a mark, the checksum of what follows, its length, the state's bytes. */
final class SnapshotFile {
    static final String NAME = "state";

    private static final int MARK = 0x48415331; // "HAS1"
    private static final int HEAD_BYTES = Integer.BYTES + Integer.BYTES + Integer.BYTES;

    private SnapshotFile() {}

    /** Writes and syncs the file. */
    static void write(Path file, byte[] state) throws IOException {
        ByteBuffer head = ByteBuffer.allocate(HEAD_BYTES);
        head.putInt(MARK).putInt(checksum(state)).putInt(state.length).flip();
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            ByteBuffer[] parts = {head, ByteBuffer.wrap(state)};
            while (parts[1].hasRemaining() || parts[0].hasRemaining()) {
                channel.write(parts);
            }
            channel.force(true);
        }
    }

    /**
     * Reads it back.
     *
     * @throws IOException also when the file is damaged
     */
    static byte[] read(Path file) throws IOException {
        byte[] all = Files.readAllBytes(file);
        if (all.length < HEAD_BYTES) {
            throw new IOException(
                    "the snapshot " + file + " has " + all.length + " bytes (must be at least " + HEAD_BYTES + ")");
        }
        ByteBuffer bytes = ByteBuffer.wrap(all);
        int mark = bytes.getInt();
        int expected = bytes.getInt();
        int length = bytes.getInt();
        if (mark != MARK || length != bytes.remaining()) {
            throw new IOException("the snapshot " + file + " is no snapshot of this version, or was cut off");
        }
        byte[] state = new byte[length];
        bytes.get(state);
        if (checksum(state) != expected) {
            throw new IOException("the snapshot " + file + " is damaged: its checksum does not fit");
        }
        return state;
    }

    private static int checksum(byte[] state) {
        CRC32C sum = new CRC32C();
        sum.update(state);
        return (int) sum.getValue();
    }
}
