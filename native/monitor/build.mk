# berth-monitor: static, musl (SAN=1: glibc with sanitizers, and the fault injection of fault.h).
MONITOR_SRC := $(addprefix monitor/,main.c setup.c ending.c document.c mounts.c layers.c runtime_call.c child_stdio.c loop.c stay.c trim.c \
	output.c input.c client.c queue.c attach.c oom.c log.c ring.c frame.c trace.c netlink.c network.c name_server.c ports.c relay_tcp.c relay_udp.c)
MONITOR_LIB := lib/json.c lib/json_get.c lib/json_write.c lib/error.c
MONITOR_OBJ := $(patsubst %.c,$(OBJ)/musl/%.o,$(MONITOR_SRC) $(MONITOR_LIB))
PROGRAMS += $(BIN)/berth-monitor
LINT_SRC += $(MONITOR_SRC) $(wildcard monitor/*.h)

# musl-gcc hides the kernel's headers, which are the same for every libc.
MUSL_FLAGS := $(BASE) $(WARN) $(if $(SAN),$(CFLAGS) -DBERTH_FAULT_INJECTION,-Os -g $(HARDEN) -idirafter /usr/include -idirafter /usr/include/$(shell $(CC) -print-multiarch))

$(OBJ)/musl/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC $<"
	@$(if $(SAN),$(CC),$(MUSL_CC)) $(MUSL_FLAGS) -ffunction-sections -fdata-sections -MMD -MP -c -o $@ $<

$(BIN)/berth-monitor: $(MONITOR_OBJ)
	@mkdir -p $(@D)
	@echo "  LD $@"
	@$(if $(SAN),$(CC),$(MUSL_CC)) $(MUSL_FLAGS) $(STATIC) -o $@ $^ -lm

-include $(MONITOR_OBJ:.o=.d)

# Unit tests of the pure parts, with the ordinary compiler.
MONITOR_TESTS := monitor_log_test monitor_ring_test monitor_frame_test monitor_document_test
LINT_SRC += $(MONITOR_TESTS:%=test/%.c) test/monitor_fuzz.c

define monitor_test
$(BIN)/test/$(1): $(patsubst %.c,$(OBJ)/%.o,test/$(1).c $(2) $(MONITOR_LIB))
	@mkdir -p $$(@D)
	@$$(CC) $$(CFLAGS) -o $$@ $$^ -lm

.PHONY: run-$(1)
run-$(1): $(BIN)/test/$(1)
	$$<
TESTS += run-$(1)
endef
$(eval $(call monitor_test,monitor_log_test,monitor/log.c))
$(eval $(call monitor_test,monitor_ring_test,monitor/ring.c))
$(eval $(call monitor_test,monitor_frame_test,monitor/frame.c monitor/queue.c))
$(eval $(call monitor_test,monitor_document_test,monitor/document.c))

# libFuzzer on everything that parses; FUZZ_SECONDS bounds it.
FUZZ_SECONDS ?= 20
FUZZERS += run-monitor_fuzz
$(BIN)/fuzz/monitor_fuzz: test/monitor_fuzz.c monitor/document.c monitor/frame.c monitor/ring.c $(MONITOR_LIB)
	@mkdir -p $(@D)
	@clang $(BASE) -O1 -g -fsanitize=fuzzer$(comma)address$(comma)undefined -fno-sanitize-recover=all -o $@ $^ -lm

.PHONY: run-monitor_fuzz
run-monitor_fuzz: $(BIN)/fuzz/monitor_fuzz
	@mkdir -p $(OBJ)/fuzz-corpus/monitor
	$< -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -print_final_stats=0 -verbosity=0 -artifact_prefix=$(OBJ)/fuzz-corpus/ \
		$(OBJ)/fuzz-corpus/monitor test/fuzz-seeds/monitor
