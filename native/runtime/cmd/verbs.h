/* The verbs, one file each; main.c lists them. */
#ifndef BERTH_RUNTIME_CMD_VERBS_H
#define BERTH_RUNTIME_CMD_VERBS_H

#include "cli.h"

extern const struct verb verb_create, verb_start, verb_run, verb_state, verb_kill, verb_delete, verb_exec,
    verb_ps, verb_pause, verb_resume, verb_unpause, verb_update, verb_events, verb_features, verb_spec,
    verb_list, verb_checkpoint, verb_restore;

#endif
