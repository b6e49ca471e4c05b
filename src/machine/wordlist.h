/* SPDX-License-Identifier: Apache-2.0 */
/* Words for passwords that people read aloud and type: the English list of BIP-39. */
#ifndef TART_MACHINE_WORDLIST_H
#define TART_MACHINE_WORDLIST_H

#define WORDLIST_SIZE      2048
#define WORDLIST_WORD_SIZE 9 /* 8 letters and a NUL */

/* Sorted; the first four letters tell any two of them apart. */
extern const char wordlist[WORDLIST_SIZE][WORDLIST_WORD_SIZE];

/* Four random words joined by '-'. */
#define WORDLIST_PASSWORD_SIZE (4 * WORDLIST_WORD_SIZE)
void wordlist_password(char ret[WORDLIST_PASSWORD_SIZE]);

#endif
