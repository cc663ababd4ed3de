# berth-unpack: glibc, because libarchive, zstd and libcrypto come from the distribution as glibc archives. They are linked in; only
# ISA-L (no static library in Debian) and libc stay shared, so start-up costs two objects. The agent's archive (agent/pack.ts) carries ISA-L in
# lib/ beside bin/, for hosts that have none; the path is looked at first and is simply not there in a checkout.
UNPACK_SRC := $(addprefix unpack/,archive_in.c copy.c decode.c diff.c directory_times.c encode.c extract.c inode_table.c input.c listing.c metadata.c options.c \
              output.c overlay.c pack.c remove.c ring.c root.c sha256.c tar_write.c tree.c usage.c verb_apply.c verb_compress.c verb_copy.c verb_diff.c verb_files.c verb_place.c verb_transfer.c verb_tree.c)
# monitor/mounts.c: a stopped container's root is mounted by the same code that mounts a running one's.
UNPACK_OBJ := $(UNPACK_SRC:%.c=$(OBJ)/%.o) $(OBJ)/monitor/mounts.o $(OBJ)/monitor/layers.o
UNPACK_LIBS := -Wl,-Bstatic -larchive -lzstd -lbz2 -llzma -lz -lcrypto -Wl,-Bdynamic -lisal -lpthread -ldl '-Wl,-rpath,$$ORIGIN/../lib'

PROGRAMS += $(BIN)/berth-unpack
LINT_SRC += $(UNPACK_SRC) unpack/main.c $(wildcard unpack/*.h)

$(BIN)/berth-unpack: $(OBJ)/unpack/main.o $(UNPACK_OBJ) $(LIB_OBJ) unpack/build.mk
	@mkdir -p $(@D)
	@echo "  LD $@"
	@$(CC) $(CFLAGS) -o $@ $(filter-out %.mk,$^) -Wl,--gc-sections -Wl,-z,relro,-z,now $(UNPACK_LIBS) -lm

-include $(UNPACK_OBJ:.o=.d) $(OBJ)/unpack/main.d

$(BIN)/test/unpack_test: $(OBJ)/test/unpack_test.o $(filter-out $(OBJ)/unpack/verb_%,$(UNPACK_OBJ)) $(LIB_OBJ)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $^ -Wl,--gc-sections $(UNPACK_LIBS) -lm
.PHONY: run-unpack_test
run-unpack_test: $(BIN)/test/unpack_test
	$<
TESTS += run-unpack_test
LINT_SRC += test/unpack_test.c
