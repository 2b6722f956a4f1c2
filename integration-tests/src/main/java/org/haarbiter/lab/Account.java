package org.haarbiter.lab;

/** The accounts that every database server of the lab has. The passwords guard nothing: the servers listen on loopback. */
public enum Account {
    /** May do anything; over TCP as well. */
    ROOT("root", "lab-root"),
    /** What the agent logs in as: the rights it needs and no more. */
    AGENT("ha_agent", "lab-agent"),
    /** What replicas log in as at their source. */
    REPLICATION("repl", "lab-repl"),
    /** The application: everything in the schema {@code app}, nothing else. */
    APPLICATION("app", "lab-app");

    private final String user;
    private final String password;

    Account(String user, String password) {
        this.user = user;
        this.password = password;
    }

    /** Its name on the server. */
    public String user() {
        return user;
    }

    /** Its password. */
    public String password() {
        return password;
    }

    String create() {
        return "CREATE USER '" + user + "'@'%' IDENTIFIED BY '" + password + "';\n";
    }
}
