# SPDX-License-Identifier: Apache-2.0
# Thin: every target calls Meson, Ninja or a script of tools/.
BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=

# make test T="cli/clone unit"   only the suites whose name contains one of the words
T ?=
# make fuzz TARGET=json TIME=60  one target (default: all), seconds each
TARGET ?=
TIME ?= 60

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD)

$(BUILD)/build.ninja:
	meson setup $(BUILD)

# From nothing to a Debian guest that boots, works and stops.
run:
	@tools/packages.sh build demo
	@$(MAKE) --no-print-directory all
	@tools/demo.sh

# Ends with `N passed, N failed, N skipped`.
test:
	@tools/packages.sh build test demo
	@tools/run_tests.sh $(T)

lint:
	@tools/packages.sh lint
	@tools/lint.sh

fmt:
	@tools/packages.sh lint
	@tools/lint.sh --fix-format

fuzz:
	@tools/packages.sh build test
	@tools/fuzz.sh "$(TIME)" $(TARGET)

bench: all
	@tools/packages.sh build bench
	@bench/run.sh

docs: all
	@ninja -C $(BUILD) docs

install: all
	@meson configure $(BUILD) -Dprefix=$(abspath $(PREFIX))
	@ninja -C $(BUILD)
	@DESTDIR=$(DESTDIR) meson install -C $(BUILD) --no-rebuild

clean:
	rm -rf build build-*

.PHONY: all run test lint fmt fuzz bench docs install clean
