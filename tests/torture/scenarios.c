/* SPDX-License-Identifier: Apache-2.0 */
/* The table of scenarios. */
#include "scenarios.h"

#include <stddef.h>

#define TART(line)              \
	{                       \
		STEP_TART, line \
	}
#define FILL(vm)              \
	{                     \
		STEP_FILL, vm \
	}
#define EIGHT(text) text text text text text text text text
#define DIGEST      "sha256:" EIGHT("61616161")
#define DIGEST_T    "sha256:" EIGHT("74747474") /* of the image with tag t */
#define NEW(vm)     TART("create --linux --disk-size 1 " vm), FILL(vm)

const struct scenario scenarios[] = {
	{ .name = "create", .command = "create --linux --disk-size 1 a" },
	{
		.name = "create onto an existing name",
		.steps = { NEW("a"), NEW("b"), { STEP_SUSPEND, "a" } },
		.command = "create --linux --disk-size 2 a",
	},
	{
		.name = "create onto an existing name, without exchange",
		.steps = { NEW("a"), NEW("b") },
		.command = "create --linux --disk-size 2 a",
		.no_exchange = true,
	},
	{
		.name = "clone by copy",
		.steps = { NEW("a") },
		.command = "clone a b",
		.clone = "copy",
	},
	{
		.name = "clone by overlay",
		.steps = { NEW("a") },
		.command = "clone a b",
		.clone = "overlay",
	},
	{
		.name = "clone by reflink",
		.steps = { NEW("a") },
		.command = "clone a b",
		.clone = "reflink",
	},
	{
		.name = "clone of an overlay",
		.steps = { NEW("a"), TART("clone a b"), TART("set b --disk-size 2") },
		.command = "clone b c",
		.clone = "overlay",
	},
	{
		.name = "clone of a suspended VM",
		.steps = { NEW("a"), { STEP_SUSPEND, "a" } },
		.command = "clone a b",
		.clone = "copy",
	},
	{
		.name = "clone of an image",
		.steps = { { STEP_IMAGE, "t" } },
		.command = "clone h/ns:t a",
	},
	{
		.name = "clone onto an existing name",
		.steps = { NEW("a"), TART("create --linux --disk-size 2 b") },
		.command = "clone a b",
		.clone = "overlay",
	},
	{
		.name = "clone onto an existing name, without exchange",
		.steps = { NEW("a"), TART("create --linux --disk-size 2 b") },
		.command = "clone a b",
		.clone = "overlay",
		.no_exchange = true,
	},
	{
		.name = "clone onto itself",
		.steps = { NEW("a") },
		.command = "clone a a",
		.clone = "overlay",
	},
	{
		.name = "set to a longer configuration",
		.steps = { NEW("a") },
		.command =
			"set a --cpu 65535 --display 123456x123456px --display-refit --random-mac",
	},
	{
		.name = "set to a shorter configuration",
		.steps = { NEW("a"), TART("set a --cpu 65535 --display 123456x123456px") },
		.command = "set a --cpu 1 --display 1x1",
	},
	{
		.name = "set --disk",
		.steps = { NEW("a"), NEW("b") },
		.command = "set a --disk @/home/vms/b/disk.img",
	},
	{
		.name = "set --disk of an overlay",
		.steps = { NEW("a"), NEW("b"), TART("clone a c"), TART("create --linux d") },
		.command = "set c --disk @/home/vms/d/disk.img",
		.clone = "overlay",
	},
	{
		.name = "set --disk-size",
		.steps = { NEW("a") },
		.command = "set a --disk-size 2",
	},
	{
		.name = "set --disk-size of an overlay",
		.steps = { NEW("a"), TART("clone a b") },
		.command = "set b --disk-size 2",
		.clone = "overlay",
	},
	{
		.name = "rename",
		.steps = { NEW("a"), NEW("b") },
		.command = "rename a c",
		.once = true,
	},
	{
		.name = "delete",
		.steps = { NEW("a"), NEW("b"), NEW("c") },
		.command = "delete a b",
		.once = true,
	},
	{
		.name = "delete the base of an overlay",
		.steps = { NEW("a"), TART("clone a b") },
		.command = "delete a",
		.clone = "overlay",
		.once = true,
	},
	{
		.name = "delete the last tag of an image",
		.steps = { { STEP_IMAGE, "t" }, NEW("a") },
		.command = "delete h/ns:t",
		.once = true,
	},
	{
		.name = "prune",
		.steps = { { STEP_IMAGE, "t" }, { STEP_IMAGE, "u" }, NEW("a") },
		.command = "prune --older-than 0",
	},
	{
		.name = "export",
		.steps = { NEW("a"), TART("clone a b") },
		.command = "export b @/out/b.tvm",
		.clone = "overlay",
	},
	{
		.name = "import",
		.steps = { NEW("a"), TART("export a @/a.tvm") },
		.command = "import @/a.tvm b",
	},
	{
		.name = "import onto an existing name",
		.steps = { NEW("a"), NEW("b"), TART("export a @/a.tvm") },
		.command = "import @/a.tvm b",
	},
	{
		.name = "store an image",
		.steps = { NEW("a") },
		.command = "@/home/vms/a h:1/deep/ns:t " DIGEST,
		.stores = true,
	},
	{
		.name = "store an image under a tag that moves",
		.steps = { NEW("a"), { STEP_IMAGE, "t" } },
		.command = "@/home/vms/a h/ns:t " DIGEST,
		.stores = true,
	},
	{
		.name = "store an image under a second tag",
		.steps = { NEW("a"), { STEP_IMAGE, "t" }, { STEP_IMAGE, "u" } },
		.command = "@/home/vms/a h/ns:u " DIGEST_T,
		.stores = true,
	},
	{
		.name = "store an image by digest",
		.steps = { NEW("a"), { STEP_IMAGE, "t" } },
		.command = "@/home/vms/a h/ns@" DIGEST " " DIGEST,
		.stores = true,
	},
	{
		.name = "store an image by the digest of an index",
		.steps = { NEW("a") },
		.command = "@/home/vms/a h/ns@" DIGEST_T " " DIGEST,
		.stores = true,
	},
	{ .name = NULL },
};
