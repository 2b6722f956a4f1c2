package org.haarbiter.trial;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class StoriesTest {

    @Test
    void eachStoryIsFoundByItsOwnName() {
        assertThat(Stories.ALL)
                .allSatisfy(s -> assertThat(Stories.named(s.name())).isSameAs(s));
        assertThat(Stories.ALL).extracting(Story::name).doesNotHaveDuplicates();
    }

    @Test
    void anUnknownNameIsRefusedWithTheNamesThatThereAre() {
        assertThatThrownBy(() -> Stories.named("earthquake"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith(
                        "no story 'earthquake' (must be one of [kill-primary, kill-primary-and-replica, ");
    }
}
