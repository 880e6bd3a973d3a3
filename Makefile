# The only door to this tree. Every target installs what it lacks from Debian's packages by itself
# (docker/need.sh); CMake does the work behind it. `make help` lists the targets.

export PYTHONDONTWRITEBYTECODE := 1

BUILD := build
JOBS  ?= $(shell nproc)
NEED  := sh docker/need.sh
CTEST := ctest --output-on-failure --no-tests=error --timeout 120 -j $(JOBS)
CMAKE := cmake -S . -G Ninja -Wno-dev

# Sanitizer builds are about running, not reading: line numbers are enough, and a fast linker
# where there is one halves the wait.
SANITIZER_FLAGS = -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG="-O1 -g1" \
  $(if $(shell command -v ld.lld),-DCMAKE_EXE_LINKER_FLAGS=-fuse-ld=lld)
# g++ 12's ThreadSanitizer cannot place its shadow where the kernel randomises addresses widely.
NO_ASLR = $(if $(shell setarch -R true 2>/dev/null && echo yes),setarch -R)

TSAN = TSAN_OPTIONS="halt_on_error=1 second_deadlock_stack=1" $(NO_ASLR)
# The end-to-end tests are a client and an app; what is under test is the binary. So they stay as the
# plain build has them.
E2E_ON = WEIR_TEST_SANITIZED=1 WEIR_TEST_BINARY=$(abspath $(BUILD)/$(1)/weir)

# ccache ends a build where it cannot write, as with a HOME that is not there: then without it.
COMPILE = $(shell ! command -v ccache >/dev/null || \
  ccache g++ -c -x c++ /dev/null -o $(BUILD)/ccache-probe.o 2>/dev/null || echo CCACHE_DISABLE=1) \
  CCACHE_SLOPPINESS=pch_defines,time_macros cmake --build

# make run
LISTEN   ?=
UPSTREAM ?=
CONFIG   ?=
# make tidy; of the tests: TIDY_UNDER=tests
TIDY_UNDER ?= base conf cachekeys backends proxy
# make fuzz
FUZZ_SECONDS ?= 20
# make bench
BENCH_PROGRAMS = weir bench_floor bench_origin bench_redis_floor bench_pacer
DURATION ?= 5
ROUNDS   ?= 3
SERVERS  ?=
CASES    ?=
# make fresh
SUITE    ?=

# Recipes read these from the environment: whatever is in them, a quote too, is no shell's business.
export LISTEN UPSTREAM CONFIG SERVERS CASES SUITE

CPP_FILES = $(shell find base conf cachekeys backends proxy tests -name '*.cc' -o -name '*.h')

.DEFAULT_GOAL := all
# The targets use all cores themselves, one after the other.
.NOTPARALLEL:
.PHONY: all run test dashboard-test check asan tsan format format-check tidy house fuzz bench bench-syscalls \
        image image-test fresh clean help configure

all: configure ## build build/weir
	@$(COMPILE) $(BUILD) -j $(JOBS) --target weir

# Also where the build's description is older than a CMakeLists.txt: compile_commands.json is read.
configure: $(BUILD)/build.ninja
	@$(COMPILE) $(BUILD) --target build.ninja >/dev/null

$(BUILD)/build.ninja: | same-place need-build
	@$(CMAKE) -B $(BUILD)
	@ln -sfn $(BUILD)/compile_commands.json compile_commands.json

# CMake writes the tree's place into what it makes, so a checkout that was moved or copied cannot go
# on with it.
.PHONY: same-place
same-place:
	@place=$$(cat $(BUILD)/CMakeCache.txt $(BUILD)/*/CMakeCache.txt 2>/dev/null | \
	  sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' | head -n 1); \
	[ -z "$$place" ] || [ "$$(cd "$$place" 2>/dev/null && pwd -P)" = "$$(pwd -P)" ] || { \
	  echo "make: $(BUILD)/ was made for $$place, and this is $$(pwd -P): \`make clean\` first" >&2; \
	  exit 1; }

.PHONY: need-build need-test need-check need-bench need-browser
need-build:
	@$(NEED) build
need-test: | same-place
	@$(NEED) build test
need-check: | same-place
	@$(NEED) build test check
need-bench: | same-place
	@$(NEED) build bench

need-browser: | same-place
	@$(NEED) build browser

run: all ## start Weir in front of the demo app, or of UPSTREAM=http://host:port (LISTEN=, CONFIG=)
	@exec env WEIR=$(BUILD)/weir docker/demo/run.sh

test: need-test configure ## build everything and run every test
	@$(COMPILE) $(BUILD) -j $(JOBS)
	@cd $(BUILD) && $(CTEST)

# npm's own mark of what it has installed.
DRIVER := tests/dashboard/node_modules/.package-lock.json
$(DRIVER): tests/dashboard/package-lock.json | need-browser
	@npm ci --prefix tests/dashboard --no-audit --no-fund --loglevel error

dashboard-test: need-browser configure $(DRIVER) ## the dashboard in a real browser; pictures go to build/dashboard
	@$(COMPILE) $(BUILD) -j $(JOBS) --target weir
	@cd $(BUILD) && $(CTEST) -C browser -L browser

check: format-check house tidy test asan tsan ## what CI runs, but the fuzzers and the browser

asan: need-test configure ## the tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@test -f $(BUILD)/asan/build.ninja || \
	  $(CMAKE) -B $(BUILD)/asan -DWEIR_SANITIZE=address $(SANITIZER_FLAGS)
	@$(COMPILE) $(BUILD)/asan -j $(JOBS)
	@$(COMPILE) $(BUILD) -j $(JOBS) --target e2e_tests
	@cd $(BUILD)/asan && $(CTEST)
	@cd $(BUILD) && $(call E2E_ON,asan) $(CTEST) -L e2e

tsan: need-test configure ## the tests under ThreadSanitizer
	@test -f $(BUILD)/tsan/build.ninja || \
	  $(CMAKE) -B $(BUILD)/tsan -DWEIR_SANITIZE=thread $(SANITIZER_FLAGS)
	@$(NO_ASLR) env $(COMPILE) $(BUILD)/tsan -j $(JOBS)
	@$(COMPILE) $(BUILD) -j $(JOBS) --target e2e_tests
	@cd $(BUILD)/tsan && $(TSAN) $(CTEST)
	@cd $(BUILD) && $(call E2E_ON,tsan) $(TSAN) $(CTEST) -L e2e

format: need-check ## format the sources in place
	@clang-format-19 -i $(CPP_FILES)

format-check: need-check ## fail where `make format` would change something
	@clang-format-19 --dry-run -Werror $(CPP_FILES)

tidy: need-check configure ## clang-tidy over the program; what has not changed since it passed is skipped
	@$(COMPILE) $(BUILD) --target weir_revision >/dev/null
	@python3 tests/tidy/tidy.py --build $(BUILD) --jobs $(JOBS) \
	  --under $(TIDY_UNDER)

house: configure ## the house rules: sizes, layers, headers that stand alone, …
	@python3 tests/tidy/house_rules.py --headers --build $(BUILD) --jobs $(JOBS) .

fuzz: need-check ## run every fuzzer for FUZZ_SECONDS (20)
	@test -f $(BUILD)/fuzz/build.ninja || $(CMAKE) -B $(BUILD)/fuzz -DWEIR_FUZZ=ON \
	  -DCMAKE_C_COMPILER=clang-19 -DCMAKE_CXX_COMPILER=clang++-19 $(SANITIZER_FLAGS)
	@$(COMPILE) $(BUILD)/fuzz -j $(JOBS) --target tests/fuzz/all
	@tests/tidy/run_fuzzers.sh $(BUILD)/fuzz/tests/fuzz tests/fuzz $(FUZZ_SECONDS)

bench: need-bench configure ## compare Weir with nginx, HAProxy, Varnish and a bare floor
	@$(COMPILE) $(BUILD) -j $(JOBS) --target weir $(BENCH_PROGRAMS)
	@python3 tests/bench/bench.py --build $(BUILD) --duration $(DURATION) --rounds $(ROUNDS) \
	  --servers "$$SERVERS" --cases "$$CASES"

bench-syscalls: need-bench configure ## system calls per hit (SERVERS=weir by default)
	@$(COMPILE) $(BUILD) -j $(JOBS) --target weir $(BENCH_PROGRAMS)
	@python3 tests/bench/bench.py --build $(BUILD) --syscalls --duration $(DURATION) \
	  --servers "$${SERVERS:-floor weir}"

image: ## build the container image with docker, podman or buildah (ENGINE=)
	@docker/image.sh

image-test: ## build and try the image without an engine, on buildah: SUITE=trixie (needs root)
	@$(NEED) image
	@docker/image_test.sh

fresh: ## prove from nothing, on a bare Debian: SUITE=bookworm or SUITE=trixie (needs root)
	@$(NEED) fresh
	@docker/fresh.sh "$$SUITE"

clean: ## remove everything that was built
	rm -rf $(BUILD) compile_commands.json

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1|\2/' | \
	  awk -F'|' '{printf "  make %-15s %s\n", $$1, $$2}'
