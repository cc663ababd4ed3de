# C unit tests: each is one program that prints its checks and exits non-zero on a failure.
UNIT_TESTS := json_test runtime_test
LINT_SRC += $(UNIT_TESTS:%=test/%.c) test/unit.h

$(BIN)/test/json_test: $(OBJ)/test/json_test.o $(LIB_OBJ)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $^ -lm

$(OBJ)/test/runtime_test.o: EXTRA_CFLAGS := -Iruntime
$(BIN)/test/runtime_test: $(OBJ)/test/runtime_test.o $(RUNTIME_LIB_OBJ)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $^ -lseccomp -lm

.PHONY: $(UNIT_TESTS:%=run-%)
$(UNIT_TESTS:%=run-%): run-%: $(BIN)/test/%
	$<
TESTS += $(UNIT_TESTS:%=run-%)
