# One Makefile for all of it. `make help` lists the targets.
# Objects go to $(BUILD), generated protobuf code to $(BUILD)/gen. Every folder of the source is an
# archive; programs and unit tests link the archives of their floor and of those below it.

BUILD   ?= build
PREFIX  ?= /usr/local
CC      ?= gcc
SANITIZE ?=

SANITIZERS_yes := -fsanitize=address,undefined -fno-sanitize-recover=undefined
CSTD     := -std=gnu11
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Werror
OPTIMISE := $(if $(SANITIZE),-O1,-O2)
CFLAGS   ?= -g
VERSION  := $(shell cat VERSION 2>/dev/null || echo 0.1.0)

# The TLS engines (the setting tls_engine): TLS=mbedtls, openssl or both; what is there unless said.
has      = $(shell echo '\#include <$(1)>' | $(CC) $(CPPFLAGS) -E - >/dev/null 2>&1 && echo yes)
ifndef TLS
TLS     := $(if $(call has,openssl/ssl.h),$(if $(call has,mbedtls/ssl.h),both,openssl),mbedtls)
endif
ifeq ($(filter $(TLS),mbedtls openssl both),)
$(error TLS is mbedtls, openssl or both, not "$(TLS)")
endif
ENGINES  := $(if $(filter both,$(TLS)),mbedtls openssl,$(TLS))
TLS_LIBS_mbedtls := -lmbedtls -lmbedx509 -lmbedcrypto
TLS_LIBS_openssl := -lssl -lcrypto
TLS_CPPFLAGS     := $(foreach engine,$(ENGINES),-DTLS_WITH_$(shell echo $(engine) | tr a-z A-Z))
TLS_LEFT_OUT     := $(foreach engine,$(filter-out $(ENGINES),mbedtls openssl),common/tls_$(engine)%)

ALL_CPPFLAGS := -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -I. -I$(BUILD)/gen $(CPPFLAGS)
ALL_CFLAGS   := $(CSTD) $(WARNINGS) $(OPTIMISE) -fno-omit-frame-pointer -fstack-protector-strong \
                -fPIE $(SANITIZERS_$(SANITIZE)) $(CFLAGS)
ALL_LDFLAGS  := -pie -Wl,-z,relro,-z,now $(SANITIZERS_$(SANITIZE)) $(LDFLAGS)
LIBS         := -luv $(foreach engine,$(ENGINES),$(TLS_LIBS_$(engine))) -llmdb -lprotobuf-c -lunistring -lcrypt \
                -lzstd -lz -lpthread -lm -Wl,--as-needed -lcjose -ljansson -Wl,--no-as-needed

# The floors, lowest first (house rule: arrows point down only).
COMMON  := common
PROTO   := proto $(COMMON)
BACKEND := mailbox-backend mailbox-backend/imap4 mailbox-backend/pop3 mailbox-backend/lmtp \
           mailbox-backend/search mailbox-backend/mailbox mailbox-backend/store mailbox-backend/directory \
           mailbox-backend/remote mailbox-backend/mime
FRONT   := cas-proxy
FOLDERS := $(FRONT) $(BACKEND) $(PROTO)

archive = $(addprefix $(BUILD)/,$(addsuffix /lib.a,$(1)))
objects = $(patsubst %.c,$(BUILD)/%.o,$(filter-out %/main.c $(TLS_LEFT_OUT),$(wildcard $(1)/*.c)))

PROTOS     := $(wildcard proto/*.proto mailbox-backend/*/*.proto)
GEN_SOURCE := $(patsubst %.proto,$(BUILD)/gen/%.pb-c.c,$(PROTOS))
GEN_HEADER := $(GEN_SOURCE:.c=.h)

# One short line for each step; V=1 shows the commands.
show = $(if $(V),,@printf '%-7s %s\n' $(1) $(2);)

.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:

all: $(BUILD)/bin/cas-proxy $(BUILD)/bin/mailbox-backend ## build both programs (default)

$(BUILD)/bin/cas-proxy: $(BUILD)/cas-proxy/main.o $(call archive,$(FRONT) $(PROTO))
$(BUILD)/bin/mailbox-backend: $(BUILD)/mailbox-backend/main.o $(call archive,$(BACKEND) $(PROTO))
$(BUILD)/bin/%:
	@mkdir -p $(@D)
	$(call show,LINK,$@)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS)

define folder_rules
$(BUILD)/$(1)/lib.a: $(call objects,$(1)) $(patsubst %.c,%.o,$(filter $(BUILD)/gen/$(1)/%,$(GEN_SOURCE)))
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(call show,AR,$$@)ar rcs $$@ $$^
endef
$(foreach folder,$(FOLDERS),$(eval $(call folder_rules,$(folder))))

# Which engines there are is known in one place; the stamp has it built anew when TLS= changes. Made
# phony while it is missing, since what .SECONDARY holds for may be missing.
ifeq ($(wildcard $(BUILD)/tls-$(TLS)),)
.PHONY: $(BUILD)/tls-$(TLS)
endif
$(BUILD)/tls-$(TLS):
	@mkdir -p $(@D)
	@rm -f $(@D)/tls-*
	@touch $@
$(BUILD)/common/tls_engine.o: ALL_CPPFLAGS += $(TLS_CPPFLAGS)
$(BUILD)/common/tls_engine.o: $(BUILD)/tls-$(TLS)

$(BUILD)/%.o: %.c | $(GEN_HEADER)
	@mkdir -p $(@D)
	$(call show,CC,$<)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/gen/%.o: $(BUILD)/gen/%.c
	$(call show,CC,$<)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -Wno-conversion -Wno-shadow -c -o $@ $<

$(BUILD)/gen/%.pb-c.c $(BUILD)/gen/%.pb-c.h &: %.proto
	@mkdir -p $(@D)
	$(call show,PROTOC,$<)protoc-c --c_out=$(BUILD)/gen --proto_path=. $<

# Unit tests: tests/unit/<floor>/test_*.c, each a program, linked with the archives of its floor.
UNIT_common    := $(COMMON)
UNIT_proto     := $(PROTO)
UNIT_mime      := mailbox-backend/mime $(COMMON)
UNIT_store     := mailbox-backend/store $(COMMON)
UNIT_directory := mailbox-backend/directory $(PROTO)
UNIT_mailbox   := mailbox-backend/mailbox mailbox-backend/store mailbox-backend/directory mailbox-backend/mime $(PROTO)
UNIT_remote    := mailbox-backend/remote mailbox-backend/mime $(COMMON)
UNIT_search    := mailbox-backend/search $(UNIT_mailbox)
UNIT_backend   := $(BACKEND) $(PROTO)
UNIT_front     := $(FRONT) $(PROTO)

UNIT_SOURCE := $(wildcard tests/unit/*/test_*.c)
UNIT_BIN    := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(UNIT_SOURCE))

.SECONDEXPANSION:
$(BUILD)/unit/%: $(BUILD)/tests/unit/%.o $$(call archive,$$(UNIT_$$(firstword $$(subst /, ,$$*))))
	@mkdir -p $(@D)
	$(call show,LINK,$@)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group -lcmocka $(LIBS)
$(addprefix $(BUILD)/unit/store/test_,model power): \
    $(patsubst %,$(BUILD)/tests/unit/store/%.o,disk_calls model model_pick model_store recorder)

unit: $(UNIT_BIN) ## build and run the unit tests
	tests/run-unit $(UNIT_BIN)

unit-%: ; @$(MAKE) unit UNIT_SOURCE="$(wildcard tests/unit/$*/test_*.c)"

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

# ---- what people call --------------------------------------------------------------------------

run: ## install what is missing, build, make a demo and serve it on loopback (DIR= PORT_BASE= LOGIN= PASSWORD= PLAINTEXT=yes YES=1)
	@deploy/packages build run
	@$(MAKE) --no-print-directory all
	@BIN=$(BUILD)/bin deploy/demo

test: ## install what is missing, build with sanitizers, run all tests; ends with "N passed, N failed"
	@deploy/packages build run test mta
	@$(MAKE) --no-print-directory BUILD=build-test SANITIZE=yes all unit-programs
	@BUILD=build-test tests/run

# A library that makes calls to the disk fail, for programs that are tested as a whole.
$(BUILD)/torture/%.so: tests/torture/%.c
	@mkdir -p $(@D)
	$(call show,LINK,$@)$(CC) -D_GNU_SOURCE $(CSTD) $(WARNINGS) -O2 -fPIC -shared -o $@ $<

unit-programs: $(UNIT_BIN) $(BUILD)/torture/fail_nth.so

install: all ## install under $(DESTDIR)$(PREFIX)
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/share/doc/mailpair
	install -m 755 $(BUILD)/bin/cas-proxy $(BUILD)/bin/mailbox-backend $(DESTDIR)$(PREFIX)/sbin/
	install -m 644 README.md docs/*.md $(DESTDIR)$(PREFIX)/share/doc/mailpair/
	$(BUILD)/bin/cas-proxy config sample > $(DESTDIR)$(PREFIX)/share/doc/mailpair/cas-proxy.conf.sample
	$(BUILD)/bin/mailbox-backend config sample > $(DESTDIR)$(PREFIX)/share/doc/mailpair/mailbox-backend.conf.sample

SOURCES = $(wildcard common/*.[ch] proto/*.[ch] cas-proxy/*.[ch] mailbox-backend/*.[ch] \
          mailbox-backend/*/*.[ch] tests/unit/*/*.[ch] tests/fuzz/*.[ch] tests/bench/*.[ch] \
          tests/bench/*/*.[ch] tests/torture/*.c)

docs: all ## write docs/settings.md anew from the programs' tables
	@{ printf '# Settings\n\nMade by `make docs` from the tables in the code; `PROGRAM config sample` prints the same as a file.\n'; \
	  for program in cas-proxy mailbox-backend; do \
	    printf '\n## %s\n\n' $$program; $(BUILD)/bin/$$program config sample --markdown; done; } > docs/settings.md

format: ## put all C files into the house's form
	@deploy/packages lint
	clang-format -i $(SOURCES)

lint: ## clang build without a warning, clang-format, cppcheck and clang-tidy clean
	@deploy/packages build test lint
	@$(MAKE) --no-print-directory BUILD=build-clang CC=clang all unit-programs
	clang-format --dry-run -Werror $(SOURCES)
	cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,portability,performance \
	    --inline-suppr --include=$(firstword $(wildcard /usr/include/*/sys/queue.h /usr/include/sys/queue.h)) -D_GNU_SOURCE -I. \
	    $(filter-out tests/%,$(filter %.c,$(SOURCES)))
	clang-tidy --quiet --warnings-as-errors='*' $(filter-out tests/%,$(filter %.c,$(SOURCES))) -- \
	    $(CSTD) -D_GNU_SOURCE -DVERSION='""' -I. -Ibuild-clang/gen

FUZZ_SECONDS ?= 60
fuzz: ## run every libFuzzer program in tests/fuzz for FUZZ_SECONDS (default 60)
	@deploy/packages build lint
	@$(MAKE) --no-print-directory BUILD=build-fuzz CC=clang \
	    CFLAGS='-g -fsanitize=fuzzer-no-link,address,undefined' \
	    LDFLAGS='-fsanitize=address,undefined' fuzz-programs
	@for program in build-fuzz/fuzz/*; do \
	    echo "== $$program"; \
	    $$program -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=2048 -print_final_stats=0 2>&1 | tail -3; \
	done

fuzz-programs: $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
$(BUILD)/fuzz/%: $(BUILD)/tests/fuzz/%.o $(call archive,$(FOLDERS))
	@mkdir -p $(@D)
	$(CC) -pie -fsanitize=fuzzer,address,undefined -o $@ $< -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS)

# The benchmark's load generator is a client: it links nothing of the pair.
$(BUILD)/bench/mailbench: $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/bench/*.c))
	@mkdir -p $(@D)
	$(call show,LINK,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lssl -lcrypto -lpthread -lm

BENCH_OUT ?= $(BUILD)/bench/results
bench: ## measure the pair beside Dovecot, by turns; as root; table and figures go to BENCH_OUT (docs/performance.md)
	@deploy/packages build bench peer
	@$(MAKE) --no-print-directory all $(BUILD)/bench/mailbench
	BUILD=$(BUILD) python3 tests/bench/run.py $(BUILD)/bench/mailbench --out=$(BENCH_OUT) $(BENCH_FLAGS)

bench-quick: ## the same in about 3 minutes, with smaller folders
	@$(MAKE) --no-print-directory bench BENCH_FLAGS=--quick

bench-instructions: ## count the pair's instructions per operation with callgrind, compare with the baseline (BENCH_FLAGS=--write: renew it)
	@deploy/packages build valgrind
	@$(MAKE) --no-print-directory all $(BUILD)/bench/mailbench
	BUILD=$(BUILD) python3 tests/bench/instructions.py $(BUILD)/bench/mailbench --out=$(BENCH_OUT)/instructions.json $(BENCH_FLAGS)

bench-growth: ## how costs grow with messages, users and idle connections: tables and plots in BENCH_OUT (BENCH_FLAGS=--quick: 2 minutes)
	@deploy/packages build bench
	@$(MAKE) --no-print-directory all $(BUILD)/bench/mailbench
	BUILD=$(BUILD) python3 tests/bench/growth.py $(BUILD)/bench/mailbench --out=$(BENCH_OUT) $(BENCH_FLAGS)

bench-start: ## how long both programs take to start on a store of 10 GB and 1,000,000 messages: a table in BENCH_OUT (BENCH_FLAGS="--gigabytes=1 --messages=50000": smaller)
	@deploy/packages build bench
	@$(MAKE) --no-print-directory all $(BUILD)/bench/mailbench
	BUILD=$(BUILD) python3 tests/bench/start.py $(BUILD)/bench/mailbench --out=$(BENCH_OUT) $(BENCH_FLAGS)

# The store's own benchmark links the store and nothing above it.
$(BUILD)/bench/bench-store: $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/bench/store/*.c)) $(call archive,$(UNIT_store))
	@mkdir -p $(@D)
	$(call show,LINK,$@)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS)

BENCH_FOLDER ?= $(BUILD)/bench/store
bench-store: ## measure the store alone against the disk in BENCH_FOLDER; as root with a loop device; BENCH_STORE_FLAGS=--churn=1 …
	@deploy/packages build
	@$(MAKE) --no-print-directory $(BUILD)/bench/bench-store
	tests/bench/store/run.sh $(BUILD)/bench/bench-store $(BENCH_FOLDER) $(BENCH_STORE_FLAGS)

TORTURE_SEED ?= $(shell date +%s)
torture: ## power cuts, failing calls to the disk and kill -9, many of each (about 20 minutes)
	@deploy/packages build run test
	@$(MAKE) --no-print-directory all unit-programs
	SEED=$(TORTURE_SEED) OPS=3000 CUTS=2000 $(BUILD)/unit/store/test_power
	BUILD=$(BUILD) FAULT_BOUND=200 FAULT_STEP=1 KILL_ROUNDS=100 /usr/bin/python3 tests/system/run.py \
	    test_faults test_kill

NIGHTLY_OPS ?= 1000000
NIGHTLY_GAMES ?= 250
nightly: ## the store's model with a million operations, IMAP's with 100,000, `make clients`, torture, the unit tests of the store under valgrind, fuzzers
	@deploy/packages build run test
	@$(MAKE) --no-print-directory all unit-programs
	SEED=$(TORTURE_SEED) OPS=$(NIGHTLY_OPS) $(BUILD)/unit/store/test_model
	MODEL_SEED=$(TORTURE_SEED) MODEL_ROUNDS=$(NIGHTLY_GAMES) $(BUILD)/unit/backend/test_imap_model
	@$(MAKE) --no-print-directory clients torture valgrind fuzz

clients: ## IMAP libraries that are not Debian packages drive the pair: imapflow, node-imap, Roundcube's
	@deploy/packages build run test clients
	@command -v npm > /dev/null || deploy/packages node
	@$(MAKE) --no-print-directory BUILD=build-test SANITIZE=yes all
	BUILD=$(CURDIR)/build-test TESTS=tests/clients /usr/bin/python3 tests/system/run.py

valgrind: ## the store's unit tests that are short enough under valgrind
	@deploy/packages build test valgrind
	@$(MAKE) --no-print-directory unit-programs
	@for name in items folders content copy recover uidset; do \
	    echo "== $$name"; \
	    valgrind --quiet --error-exitcode=1 --leak-check=full $(BUILD)/unit/store/test_$$name || exit 1; \
	done

clean: ## remove everything that was built
	rm -rf build build-*

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /  \1\t/' | expand -t 22

.PHONY: all run docs test unit unit-programs install format lint fuzz fuzz-programs bench bench-quick bench-instructions bench-growth bench-start bench-store torture nightly clients valgrind clean help
