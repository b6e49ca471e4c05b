/* SPDX-License-Identifier: Apache-2.0 */
/* Where the user's own files are. */
#ifndef TART_BASE_USER_DIR_H
#define TART_BASE_USER_DIR_H

/* `home` is the environment's HOME (NULL or "" = unset); without it, the passwd entry says. Owned; NULL when neither does. */
char *user_dir_home(const char *home);

/* Below which programs keep a folder for their settings: `config_home` is the environment's XDG_CONFIG_HOME, which counts
 * when it is absolute, else it is .config below the home. Owned, or NULL. */
char *user_dir_config(const char *config_home, const char *home);

#endif
