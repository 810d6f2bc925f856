/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/** SQL over the indexes: the functions, their messages, the parser, and the planner's rules. */
package io.github.calcitefaiss.sql;
