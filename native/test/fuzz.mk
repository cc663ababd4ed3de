# The fuzz frame: libFuzzer harnesses under AddressSanitizer and UBSan. `make fuzz FUZZ_SECONDS=20` runs each for that long, starting from
# test/fuzz/NAME.seeds/ if it exists; what it finds on the way stays in build/fuzz/NAME.corpus/, a crash in build/fuzz/NAME-crash-….
# A harness is one row: FUZZ_NAMES += NAME, FUZZ_SRC_NAME := sources, FUZZ_LIBS_NAME := libraries, FUZZ_ARGS_NAME := libFuzzer options.
FUZZ_CC      ?= clang
FUZZ_SECONDS ?= 20
FUZZ_FLAGS   := $(BASE) -O1 -g -fsanitize=fuzzer$(comma)address$(comma)undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
FUZZ_NAMES   :=

FUZZ_NAMES += json
FUZZ_SRC_json := test/fuzz/json_fuzz.c $(LIB_SRC)
FUZZ_LIBS_json := -lm

FUZZ_NAMES += config
FUZZ_SRC_config := test/fuzz/config_fuzz.c $(addprefix runtime/,spec.c spec_process.c spec_mounts.c spec_linux.c capabilities.c cgroup.c \
	cgroup_devices.c cgroup_v1.c cgroup_v2.c bpf_devices.c seccomp_filter.c seccomp_compile.c log.c) $(LIB_SRC)
FUZZ_LIBS_config := -Iruntime -lseccomp -lm
FUZZ_ARGS_config := -max_len=16384 -rss_limit_mb=1024

FUZZ_NAMES += unpack
FUZZ_SRC_unpack := test/fuzz/unpack_fuzz.c $(filter-out unpack/verb_%,$(UNPACK_SRC)) monitor/mounts.c monitor/layers.c $(LIB_SRC)
FUZZ_LIBS_unpack := $(UNPACK_LIBS) -lm
FUZZ_ARGS_unpack := -max_len=65536 -rss_limit_mb=1024

define FUZZ_RULES
build/fuzz/$(1): $$(FUZZ_SRC_$(1)) $$(wildcard lib/*.h unpack/*.h monitor/*.h)
	@mkdir -p $$(@D)
	$$(FUZZ_CC) $$(FUZZ_FLAGS) -o $$@ $$(FUZZ_SRC_$(1)) $$(FUZZ_LIBS_$(1))
.PHONY: fuzz-$(1)
fuzz-$(1): build/fuzz/$(1)
	@mkdir -p build/fuzz/$(1).corpus
	build/fuzz/$(1) -max_total_time=$$(FUZZ_SECONDS) -timeout=10 -print_final_stats=1 -verbosity=0 -artifact_prefix=build/fuzz/$(1)- \
		$$(FUZZ_ARGS_$(1)) build/fuzz/$(1).corpus $$(wildcard test/fuzz/$(1).seeds)
FUZZERS += fuzz-$(1)
LINT_SRC += test/fuzz/$(1)_fuzz.c
endef
$(foreach name,$(FUZZ_NAMES),$(eval $(call FUZZ_RULES,$(name))))
