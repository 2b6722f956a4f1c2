package org.haarbiter.master.raft;

import com.alipay.sofa.jraft.storage.impl.RocksDBLogStorage;
import com.alipay.sofa.jraft.util.StorageOptionsFactory;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.CompressionType;
import org.rocksdb.DBOptions;
import org.rocksdb.InfoLogLevel;
import org.rocksdb.WALRecoveryMode;

/**
 * The log storage, cut down to a log of a few entries a minute: its defaults set aside 145 MB of disk and up to 768 MB of
 * memory for each node.
 */
final class LogStorageTuning {
    private static final long WRITE_BUFFER_BYTES = 2L << 20;
    private static final long WAL_BYTES = 8L << 20;
    private static final long INFO_LOG_BYTES = 1L << 20;

    static {
        StorageOptionsFactory.registerRocksDBOptions(
                RocksDBLogStorage.class,
                new DBOptions()
                        .setCreateIfMissing(true)
                        .setCreateMissingColumnFamilies(true)
                        .setMaxOpenFiles(64)
                        .setMaxBackgroundJobs(2)
                        .setMaxTotalWalSize(WAL_BYTES)
                        // An entry that was acknowledged lies in the middle of the log: damage there must stop the
                        // node. Only a last, torn record may be dropped; the default drops all that follows damage.
                        .setWalRecoveryMode(WALRecoveryMode.TolerateCorruptedTailRecords)
                        .setInfoLogLevel(InfoLogLevel.WARN_LEVEL)
                        .setMaxLogFileSize(INFO_LOG_BYTES)
                        .setKeepLogFileNum(3)
                        .setStatsDumpPeriodSec(0));
        StorageOptionsFactory.registerRocksDBColumnFamilyOptions(
                RocksDBLogStorage.class,
                new ColumnFamilyOptions()
                        .setWriteBufferSize(WRITE_BUFFER_BYTES)
                        .setMaxWriteBufferNumber(2)
                        .setTargetFileSizeBase(WAL_BYTES)
                        .setMaxBytesForLevelBase(4 * WAL_BYTES)
                        .setCompressionType(CompressionType.NO_COMPRESSION)
                        .setForceConsistencyChecks(true));
        StorageOptionsFactory.registerRocksDBTableFormatConfig(
                RocksDBLogStorage.class, new BlockBasedTableConfig().setNoBlockCache(true));
    }

    private LogStorageTuning() {}

    /** Sets the options, once a process; the native library must be loaded. */
    static void apply() {
        // The work is done by the static initialiser.
    }
}
