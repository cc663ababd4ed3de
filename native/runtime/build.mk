# berth-runtime: static glibc with libseccomp (SAN=1: dynamic, under AddressSanitizer and UBSan).
RUNTIME_SRC := $(wildcard runtime/*.c runtime/cmd/*.c)
RUNTIME_OBJ := $(RUNTIME_SRC:%.c=$(OBJ)/%.o)
RUNTIME_LIB_OBJ := $(filter-out $(OBJ)/runtime/main.o,$(RUNTIME_OBJ)) $(LIB_OBJ)
LINT_SRC += $(RUNTIME_SRC) $(wildcard runtime/*.h runtime/cmd/*.h)

COMMIT := $(shell git rev-parse --short HEAD 2>/dev/null || echo unknown)
$(RUNTIME_OBJ): EXTRA_CFLAGS := -Iruntime
$(OBJ)/runtime/version.o: EXTRA_CFLAGS += -DBERTH_COMMIT='"$(COMMIT)"'

$(BIN)/berth-runtime: $(RUNTIME_OBJ) $(LIB_OBJ)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(STATIC) -o $@ $^ -lseccomp -lm

-include $(RUNTIME_OBJ:.o=.d)
PROGRAMS += $(BIN)/berth-runtime
