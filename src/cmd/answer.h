/* SPDX-License-Identifier: Apache-2.0 */
/* What the program tells about itself: help, version, completion and the description of its commands. */
#ifndef TART_CMD_ANSWER_H
#define TART_CMD_ANSWER_H

#include "cmd/parse.h"

/* Answers any request but REQUEST_RUN, on stdout. */
bool invocation_answer(const struct invocation *invocation, struct err *err);

#endif
