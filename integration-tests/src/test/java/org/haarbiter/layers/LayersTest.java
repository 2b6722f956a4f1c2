package org.haarbiter.layers;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** What may see what. The design's section 6 says why. */
@AnalyzeClasses(packages = "org.haarbiter", importOptions = ImportOption.DoNotIncludeTests.class)
class LayersTest {

    /** Time, chance and order are arguments of a core; it does nothing but compute. */
    @ArchTest
    static final ArchRule COMMON_IS_SEEN_BY_CORES_ONLY_AS_WORDS = classes()
            .that()
            .resideInAPackage("..core..")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(
                    "java.lang..",
                    "java.util",
                    "java.util.function..",
                    "java.util.stream..",
                    "org.jspecify..",
                    "org.haarbiter.words..",
                    "org.haarbiter.agent.engine",
                    "org.haarbiter.agent.core..",
                    "org.haarbiter.master.core..");

    @ArchTest
    static final ArchRule CORES_READ_NO_CLOCK = noClasses()
            .that()
            .resideInAPackage("..core..")
            .should()
            .callMethod(System.class, "nanoTime")
            .orShould()
            .callMethod(System.class, "currentTimeMillis")
            .orShould()
            .dependOnClassesThat()
            .areAssignableTo(Thread.class)
            .orShould()
            .dependOnClassesThat()
            .areAssignableTo(java.util.HashMap.class)
            .orShould()
            .dependOnClassesThat()
            .areAssignableTo(java.util.HashSet.class)
            .because("an order that changes between runs, or a clock, makes a decision unrepeatable");

    @ArchTest
    static final ArchRule WORDS_SEE_NOTHING_OF_OURS = noClasses()
            .that()
            .resideInAPackage("org.haarbiter.words..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "org.haarbiter.wire..",
                    "org.haarbiter.link..",
                    "org.haarbiter.settings..",
                    "org.haarbiter.agent..",
                    "org.haarbiter.master..",
                    "org.haarbiter.dns..");

    @ArchTest
    static final ArchRule AGENTS_SEE_NO_MASTER = noClasses()
            .that()
            .resideInAPackage("org.haarbiter.agent..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.haarbiter.master..", "org.haarbiter.dns..", "org.haarbiter.cli..");

    @ArchTest
    static final ArchRule MASTERS_SEE_NO_AGENT = noClasses()
            .that()
            .resideInAPackage("org.haarbiter.master..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.haarbiter.agent..", "org.haarbiter.cli..");

    @ArchTest
    static final ArchRule DNS_SEES_ONLY_COMMON = noClasses()
            .that()
            .resideInAPackage("org.haarbiter.dns..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.haarbiter.agent..", "org.haarbiter.master..", "org.haarbiter.cli..");

    @ArchTest
    static final ArchRule THE_CLI_SEES_ONLY_COMMON = noClasses()
            .that()
            .resideInAPackage("org.haarbiter.cli..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.haarbiter.agent..", "org.haarbiter.master..", "org.haarbiter.dns..");

    @ArchTest
    static final ArchRule JRAFT_STAYS_BEHIND_ITS_EDGE = noClasses()
            .that()
            .resideInAPackage("org.haarbiter..")
            .and()
            .resideOutsideOfPackage("org.haarbiter.master.raft..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("com.alipay..");

    @ArchTest
    static final ArchRule ENGINES_ARE_KNOWN_ONLY_WHERE_THE_AGENT_IS_PUT_TOGETHER = noClasses()
            .that()
            .resideInAnyPackage("org.haarbiter.agent.core..", "org.haarbiter.master..", "org.haarbiter.words..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.haarbiter.agent.engine.*..");

    @ArchTest
    static final ArchRule ONLY_MAIN_CLASSES_END_THE_PROCESS = noClasses()
            .that()
            .haveSimpleNameNotEndingWith("Main")
            .and()
            .doNotHaveSimpleName("Hactl")
            .and()
            .resideInAnyPackage(
                    "org.haarbiter.agent..",
                    "org.haarbiter.master..",
                    "org.haarbiter.dns..",
                    "org.haarbiter.cli..",
                    "org.haarbiter.words..",
                    "org.haarbiter.link..",
                    "org.haarbiter.settings..")
            .should()
            .callMethod(System.class, "exit", int.class)
            .orShould()
            .callMethod(Runtime.class, "halt", int.class);

    @ArchTest
    static final ArchRule NO_CYCLES_IN_THE_MASTER =
            slices().matching("org.haarbiter.master.(*)..").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule NO_CYCLES_IN_THE_AGENT =
            slices().matching("org.haarbiter.agent.(**)").should().beFreeOfCycles();
}
