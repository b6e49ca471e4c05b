/* SPDX-License-Identifier: Apache-2.0 */
/* A switch that may also be left alone. */
#ifndef TART_BASE_TRISTATE_H
#define TART_BASE_TRISTATE_H

enum tristate { UNSET = -1, OFF = 0, ON = 1 };

#endif
