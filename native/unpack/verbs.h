/* The verbs of berth-unpack, one file each. All take the arguments after the verb; 0, or -1 and err. */
#ifndef BERTH_UNPACK_VERBS_H
#define BERTH_UNPACK_VERBS_H

#include "input.h"
#include "lib/error.h"
#include "lib/json.h"

typedef int verb(int argc, char **argv, struct error *err);

verb verb_apply, verb_compress, verb_diff, verb_changes, verb_usage, verb_delete_tree;
verb verb_stat, verb_list, verb_remove, verb_mkdir, verb_rename;
verb verb_get, verb_put, verb_export, verb_copy, verb_place, verb_probe;

/* Writes the document and a newline to fd and frees the writer. */
int verb_answer(int fd, struct json_writer *w, struct error *err);
/* The members that apply and diff share: digest, sizeBytes, diffId, plainBytes. */
void verb_put_summary(struct json_writer *w, const struct input_summary *summary);

#endif
