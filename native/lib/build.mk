# What every native program may link: JSON and errors. Each program compiles these with its own compiler (glibc or musl).
LIB_SRC := lib/json.c lib/json_get.c lib/json_write.c lib/error.c lib/arena.c
LIB_OBJ := $(LIB_SRC:%.c=$(OBJ)/%.o)
LINT_SRC += $(LIB_SRC) lib/json.h lib/error.h lib/cleanup.h lib/arena.h

# Objects of lib/, runtime/ and their tests: glibc, with header dependencies.
$(OBJ)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC $<"
	@$(CC) $(CFLAGS) $(EXTRA_CFLAGS) -ffunction-sections -fdata-sections -MMD -MP -c -o $@ $<

-include $(LIB_OBJ:.o=.d)
