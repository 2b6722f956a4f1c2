package org.haarbiter.dns;

/** What one provider is told; checked as it was made. */
public interface DnsSettings {

    /** The zone's name. */
    String zone();

    /**
     * A provider with these settings. Whoever opens it closes it.
     *
     * @throws org.haarbiter.settings.SettingsException where a file that they name can't be used
     */
    DnsProvider open();
}
