/* SPDX-License-Identifier: Apache-2.0 */
/* Small parts of a run: what the power button's register says, sound backends, words of passwords, bounded logs. */
#include "machine/audio.h"
#include "machine/logfile.h"
#include "machine/power_button.h"
#include "machine/wordlist.h"

#include <fcntl.h>
#include <string.h>

#include "base/digest.h"
#include "base/fs.h"
#include "unit.h"

static void reads_the_register_of_the_power_button(void **state)
{
	static const struct {
		const char *name;
		enum guest_arch arch;
		const char *answer;
		enum button_hearing want;
	} rows[] = {
		{ "amd64 firmware", ARCH_AMD64, "portw[0x0602] = 0x0000\r\n", BUTTON_DEAF },
		{ "amd64 kernel, no driver yet", ARCH_AMD64, "portw[0x0602] = 0x0020\r\n",
		  BUTTON_DEAF },
		{ "amd64 driver", ARCH_AMD64, "portw[0x0602] = 0x0120\r\n", BUTTON_HEARS },
		{ "arm64 firmware", ARCH_ARM64, "0000000008000104: 0x00000000\r\n", BUTTON_DEAF },
		{ "arm64 driver", ARCH_ARM64, "0000000008000104: 0x00000202\r\n", BUTTON_HEARS },
		{ "no number", ARCH_AMD64, "portw[0x0602] = \r\n", BUTTON_UNKNOWN },
		{ "no digits", ARCH_AMD64, "portw[0x0602] = 0x\r\n", BUTTON_UNKNOWN },
		{ "an error", ARCH_AMD64, "unknown command: 'i'\r\n", BUTTON_UNKNOWN },
		{ "nothing", ARCH_ARM64, "", BUTTON_UNKNOWN },
		{ "no text", ARCH_ARM64, NULL, BUTTON_UNKNOWN },
	};

	(void)state;
	each_row(rows, row)
		check(power_button_understand(row->arch, row->answer) == row->want, "%s",
		      row->name);
}

static void chooses_a_sound_backend(void **state)
{
	static const char both[] = "Available audio drivers:\nnone\nalsa\npa\npipewire\nwav\n";
	static const char old[] = "Available audio drivers:\nnone\nalsa\npa\n";
	static const struct {
		const char *name;
		const char *drivers;
		struct audio_session session;
		const char *want;
	} rows[] = {
		{ "both", both, { true, true }, "pipewire" },
		{ "QEMU without PipeWire", old, { true, true }, "pa" },
		{ "session without PipeWire", both, { false, true }, "pa" },
		{ "QEMU with neither", "none\nspa\n", { true, true }, NULL },
		{ "session with neither", both, { false, false }, NULL },
	};

	(void)state;
	each_row(rows, row) {
		const char *got = audio_choose(span_of(row->drivers), &row->session);

		check((got == NULL) == (row->want == NULL) && (!got || strcmp(got, row->want) == 0),
		      "%s", row->name);
	}
}

static void the_words_are_the_list_of_bip_39(void **state)
{
	CLEANUP_STR struct str text = { 0 };
	char hex[DIGEST_HEX_SIZE];

	(void)state;
	for (size_t i = 0; i < WORDLIST_SIZE; i++) {
		str_addf(&text, "%s\n", wordlist[i]);
		check(i == 0 || strncmp(wordlist[i - 1], wordlist[i], 4) != 0, "%s", wordlist[i]);
		check(i == 0 || strcmp(wordlist[i - 1], wordlist[i]) < 0, "%s is out of order",
		      wordlist[i]);
	}
	digest_of(str_span(&text), hex);
	assert_string_equal(hex,
			    "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda");
}

static void passwords_are_four_words(void **state)
{
	char first[WORDLIST_PASSWORD_SIZE];
	char second[WORDLIST_PASSWORD_SIZE];
	struct span rest;
	struct span word;
	size_t n = 0;

	(void)state;
	wordlist_password(first);
	wordlist_password(second);
	assert_string_not_equal(first, second);
	rest = span_of(first);
	while (span_next(&rest, '-', &word)) {
		size_t i = 0;

		while (i < WORDLIST_SIZE && !span_is(word, wordlist[i]))
			i++;
		check(i < WORDLIST_SIZE, "%.*s is none of the words", SPAN_ARG(word));
		n++;
	}
	assert_int_equal(n, 4);
}

static void a_log_keeps_the_newest_whole_lines(void **state)
{
	char dir[] = "/tmp/test_run_parts.XXXXXX";
	CLEANUP_STR struct str text = { 0 };
	struct logfile log = LOGFILE_INIT;
	struct err err = { 0 };
	int dirfd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(logfile_open(dirfd, "log", 100, &log, &err));
	for (int i = 0; i < 1000; i++) {
		char line[16];

		(void)snprintf(line, sizeof(line), "line %d\n", i);
		logfile_add(&log, span_of(line));
		assert_true(log.size_bytes <= 100);
	}
	assert_true(fs_read_file(dirfd, "log", 100, &text, &err));
	assert_int_equal(strncmp(str_text(&text), "line ", 5), 0);
	assert_true(span_ends_with(str_span(&text), "line 998\nline 999\n"));
	logfile_close(&log);
	assert_int_equal(symlinkat("/etc/passwd", dirfd, "link"), 0);
	assert_false(logfile_open(dirfd, "link", 100, &log, &err));
	(void)close(dirfd);
	assert_true(fs_remove_tree(AT_FDCWD, dir, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_register_of_the_power_button),
		cmocka_unit_test(chooses_a_sound_backend),
		cmocka_unit_test(the_words_are_the_list_of_bip_39),
		cmocka_unit_test(passwords_are_four_words),
		cmocka_unit_test(a_log_keeps_the_newest_whole_lines),
	};

	return unit_main(tests);
}
