# A short face over Meson; `make help` lists what there is.
BUILD ?= build
JOBS ?= $(shell nproc)

.PHONY: all bench deb deb-check deps demo eval incident check check-slow clean fuzz format install help

all: $(BUILD)/build.ninja
	ninja -C $(BUILD) -j $(JOBS)

$(BUILD)/build.ninja: | deps
	meson setup $(BUILD)

deps:
	@scripts/deps.sh

demo: all
	@scripts/demo.sh

check: deps
	scripts/check.sh

check-slow: deps
	scripts/check-slow.sh

bench: deps
	@scripts/bench.sh

eval: deps
	@scripts/eval.sh

incident: all
	@scripts/incident.sh

fuzz: deps
	@scripts/fuzz.sh

deb: deps
	@scripts/deb.sh

deb-check: deb
	@scripts/deb-check.sh "$(ROOT)"

install: all
	meson install -C $(BUILD)

format: deps
	clang-format -i $$(git ls-files '*.c' '*.h')

clean:
	rm -rf build build-*

help:
	@echo 'make          build into build/'
	@echo 'make demo     tell the main job as a story, on a sample house'
	@echo 'make check    install what is needed, build with gcc, and with clang and its sanitizers, pass every test'
	@echo 'make install  install it; DESTDIR and PREFIX of meson apply'
	@echo 'make deb      Debian packages, into build-deb'
	@echo 'make deb-check ROOT=DIR  install, upgrade, remove them in the folder of a Debian system'
	@echo 'make check-slow  every fault point, 100,000 tampered logs, then the fuzzers: hours'
	@echo 'make fuzz     let the fuzzers search, FUZZ_SECONDS each'
	@echo 'make eval     measure how well traces are attributed: minutes'
	@echo 'make incident trace a broker'"'"'s list at the size of a real case: INCIDENT_PEOPLE and others make it smaller'
	@echo 'make bench    measure, beside PostgreSQL'
	@echo 'make format   lay out the sources'
	@echo 'make clean    remove what was built'
