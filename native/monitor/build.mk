# berth-monitor: static, musl (SAN=1: glibc with sanitizers, and the fault injection of fault.h).
MONITOR_SRC := $(addprefix monitor/,main.c setup.c ending.c document.c mounts.c runtime_call.c child_stdio.c loop.c stay.c trim.c \
	output.c input.c client.c queue.c attach.c oom.c log.c ring.c frame.c trace.c netlink.c network.c ports.c relay_tcp.c relay_udp.c)
MONITOR_OBJ := $(MONITOR_SRC:%.c=$(OBJ)/musl/%.o) $(LIB_SRC:%.c=$(OBJ)/musl/%.o)
PROGRAMS += $(BIN)/berth-monitor
LINT_SRC += $(MONITOR_SRC) $(wildcard monitor/*.h)

# musl-gcc hides the kernel's headers, which are the same for every libc.
MUSL_FLAGS := $(BASE) $(WARN) $(if $(SAN),$(CFLAGS) -DBERTH_FAULT_INJECTION,-Os -g $(HARDEN) -idirafter /usr/include -idirafter /usr/include/$(shell $(CC) -print-multiarch))

$(OBJ)/musl/%.o: %.c
	@mkdir -p $(@D)
	$(if $(SAN),$(CC),$(MUSL_CC)) $(MUSL_FLAGS) -ffunction-sections -fdata-sections -MMD -MP -c -o $@ $<

$(BIN)/berth-monitor: $(MONITOR_OBJ)
	@mkdir -p $(@D)
	$(if $(SAN),$(CC),$(MUSL_CC)) $(MUSL_FLAGS) $(STATIC) -o $@ $^ -lm

-include $(MONITOR_OBJ:.o=.d)
