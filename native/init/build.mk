# berth-init: static, musl.
INIT_OBJ := $(OBJ)/musl/init/init.o
PROGRAMS += $(BIN)/berth-init
LINT_SRC += init/init.c

$(BIN)/berth-init: $(INIT_OBJ)
	@mkdir -p $(@D)
	@echo "  LD $@"
	@$(if $(SAN),$(CC),$(MUSL_CC)) $(MUSL_FLAGS) $(STATIC) -o $@ $^

-include $(INIT_OBJ:.o=.d)
