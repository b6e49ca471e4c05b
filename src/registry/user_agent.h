/* SPDX-License-Identifier: Apache-2.0 */
/* How we introduce ourselves to registries: image-format.md 9. */
#ifndef TART_REGISTRY_USER_AGENT_H
#define TART_REGISTRY_USER_AGENT_H

/* "Tart/VERSION (Linux RELEASE; MACHINE)", the caller's to free. */
char *registry_user_agent(void);

#endif
