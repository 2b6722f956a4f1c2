package org.haarbiter.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** A command that does nothing without a subcommand but ask for one. */
abstract class CommandOfCommands implements Runnable {
    private final String question;

    @Spec
    private @Nullable CommandSpec spec;

    /** @param question with all that can be meant */
    CommandOfCommands(String question) {
        this.question = question;
    }

    @Override
    public void run() {
        CommandSpec own = spec;
        if (own != null) {
            throw new ParameterException(own.commandLine(), question);
        }
    }
}
