/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the frames of the DHCP tests as seeds: make_dhcp_seeds fuzz/corpus. Run it when the lists have changed. */
#include <stdio.h>
#include <stdlib.h>

#include "snoop_frames.h"

static void save(const char *corpus, const char *target, const char *name, const void *data,
		 size_t len)
{
	char path[4096];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s/%s", corpus, target, name);
	for (char *c = path; *c; c++)
		if (*c == ' ')
			*c = '-';
	file = fopen(path, "wbe");
	if (!file || fwrite(data, 1, len, file) != len || fclose(file) != 0) {
		perror(path);
		exit(1);
	}
}

static void save_clients(const char *corpus)
{
	struct dhcp_offer offer = frames_offer();

	for (size_t i = 0; i < sizeof(client_frames) / sizeof(client_frames[0]); i++) {
		struct frame frame;
		uint8_t answer[DHCP_FRAME_MAX];
		size_t len;

		frame_encode(&client_frames[i], &frame);
		save(corpus, "dhcp", client_frames[i].name, frame.bytes, frame.len);
		(void)dhcp_answer(&offer, frame_span(&frame), answer, &len);
		if (client_frames[i].event == DHCP_BOUND)
			save(corpus, "dhcp_snoop", client_frames[i].name, answer, len);
	}
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
		return 64;
	}
	save_clients(argv[1]);
	for (size_t i = 0; i < sizeof(server_frames) / sizeof(server_frames[0]); i++) {
		struct frame frame;

		server_frame_encode(&server_frames[i], &frame);
		save(argv[1], "dhcp_snoop", server_frames[i].name, frame.bytes, frame.len);
	}
	for (size_t i = 0; i < sizeof(arp_frames) / sizeof(arp_frames[0]); i++) {
		const struct arp_frame *arp = &arp_frames[i];

		if (arp->frame.len > 0)
			save(argv[1], "dhcp_snoop", arp->name, arp->frame.ptr, arp->frame.len);
	}
	return 0;
}
