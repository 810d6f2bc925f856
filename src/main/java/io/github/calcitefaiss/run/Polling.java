/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.run;

/** An operator whose rows come with a look at the cancel flag, so that no other need be added. */
public interface Polling {}
