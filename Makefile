# SPDX-License-Identifier: Apache-2.0
# Thin: every target calls meson, ninja or a script of tools/.
BUILD ?= build
PREFIX ?= /usr/local

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD)

$(BUILD)/build.ninja:
	meson setup $(BUILD)

clean:
	rm -rf build build-*

.PHONY: all clean
