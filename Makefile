# A short face over Meson; `make help` lists what there is.
BUILD ?= build
JOBS ?= $(shell nproc)

.PHONY: all deps check clean format help

all: $(BUILD)/build.ninja
	ninja -C $(BUILD) -j $(JOBS)

$(BUILD)/build.ninja: | deps
	meson setup $(BUILD)

deps:
	@scripts/deps.sh

check: deps
	scripts/check.sh

format: deps
	clang-format -i $$(git ls-files '*.c' '*.h')

clean:
	rm -rf build build-*

help:
	@echo 'make          build into build/'
	@echo 'make check    install what is needed, build with gcc and clang, pass every test'
	@echo 'make format   lay out the sources'
	@echo 'make clean    remove what was built'
