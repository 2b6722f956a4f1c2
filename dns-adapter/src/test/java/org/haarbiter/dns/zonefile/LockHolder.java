package org.haarbiter.dns.zonefile;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Another process that holds a file's lock until its input ends. */
final class LockHolder {
    private LockHolder() {}

    public static void main(String[] arguments) throws IOException {
        try (FileChannel channel = FileChannel.open(Path.of(arguments[0]), StandardOpenOption.WRITE);
                FileLock lock = channel.lock()) {
            System.out.print(lock.isValid() ? 'h' : 'x');
            System.out.flush();
            System.in.read();
        }
    }
}
