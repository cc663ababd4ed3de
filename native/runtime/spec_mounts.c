/* The `mounts` list of config.json and its option words, sorted into what the new mount API takes. See
 * spec.h. */
#include "spec.h"

#include <linux/mount.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

enum option_kind {
    ATTR_SET,
    ATTR_CLEAR,
    ATIME_SET, /* the atime modes share a field: setting one clears the field first */
    REC_SET,
    REC_CLEAR,
    REC_ATIME,
    SB_SET,
    SB_CLEAR,
    PROPAGATION,
    SPECIAL,
};

enum special {
    OPT_DEFAULTS,
    OPT_BIND,
    OPT_RBIND,
    OPT_REMOUNT,
    OPT_TMPCOPYUP,
    OPT_IDMAP,
    OPT_RIDMAP,
    OPT_IGNORED
};

static const struct option {
    const char *word;
    enum option_kind kind;
    uint64_t value;
} options[] = {
    {"defaults", SPECIAL, OPT_DEFAULTS},
    {"bind", SPECIAL, OPT_BIND},
    {"rbind", SPECIAL, OPT_RBIND},
    {"remount", SPECIAL, OPT_REMOUNT},
    {"tmpcopyup", SPECIAL, OPT_TMPCOPYUP},
    {"idmap", SPECIAL, OPT_IDMAP},
    {"ridmap", SPECIAL, OPT_RIDMAP},
    {"ro", ATTR_SET, MOUNT_ATTR_RDONLY},
    {"rw", ATTR_CLEAR, MOUNT_ATTR_RDONLY},
    {"nosuid", ATTR_SET, MOUNT_ATTR_NOSUID},
    {"suid", ATTR_CLEAR, MOUNT_ATTR_NOSUID},
    {"nodev", ATTR_SET, MOUNT_ATTR_NODEV},
    {"dev", ATTR_CLEAR, MOUNT_ATTR_NODEV},
    {"noexec", ATTR_SET, MOUNT_ATTR_NOEXEC},
    {"exec", ATTR_CLEAR, MOUNT_ATTR_NOEXEC},
    {"noatime", ATIME_SET, MOUNT_ATTR_NOATIME},
    {"atime", ATIME_SET, MOUNT_ATTR_RELATIME},
    {"relatime", ATIME_SET, MOUNT_ATTR_RELATIME},
    {"norelatime", ATIME_SET, MOUNT_ATTR_STRICTATIME},
    {"strictatime", ATIME_SET, MOUNT_ATTR_STRICTATIME},
    {"nostrictatime", ATIME_SET, MOUNT_ATTR_RELATIME},
    {"nodiratime", ATTR_SET, MOUNT_ATTR_NODIRATIME},
    {"diratime", ATTR_CLEAR, MOUNT_ATTR_NODIRATIME},
    {"nosymfollow", ATTR_SET, MOUNT_ATTR_NOSYMFOLLOW},
    {"symfollow", ATTR_CLEAR, MOUNT_ATTR_NOSYMFOLLOW},
    {"rro", REC_SET, MOUNT_ATTR_RDONLY},
    {"rrw", REC_CLEAR, MOUNT_ATTR_RDONLY},
    {"rnosuid", REC_SET, MOUNT_ATTR_NOSUID},
    {"rsuid", REC_CLEAR, MOUNT_ATTR_NOSUID},
    {"rnodev", REC_SET, MOUNT_ATTR_NODEV},
    {"rdev", REC_CLEAR, MOUNT_ATTR_NODEV},
    {"rnoexec", REC_SET, MOUNT_ATTR_NOEXEC},
    {"rexec", REC_CLEAR, MOUNT_ATTR_NOEXEC},
    {"rnoatime", REC_ATIME, MOUNT_ATTR_NOATIME},
    {"ratime", REC_ATIME, MOUNT_ATTR_RELATIME},
    {"rrelatime", REC_ATIME, MOUNT_ATTR_RELATIME},
    {"rnorelatime", REC_ATIME, MOUNT_ATTR_STRICTATIME},
    {"rstrictatime", REC_ATIME, MOUNT_ATTR_STRICTATIME},
    {"rnostrictatime", REC_ATIME, MOUNT_ATTR_RELATIME},
    {"rnodiratime", REC_SET, MOUNT_ATTR_NODIRATIME},
    {"rdiratime", REC_CLEAR, MOUNT_ATTR_NODIRATIME},
    {"rnosymfollow", REC_SET, MOUNT_ATTR_NOSYMFOLLOW},
    {"rsymfollow", REC_CLEAR, MOUNT_ATTR_NOSYMFOLLOW},
    {"sync", SB_SET, MS_SYNCHRONOUS},
    {"async", SB_CLEAR, MS_SYNCHRONOUS},
    {"dirsync", SB_SET, MS_DIRSYNC},
    {"mand", SB_SET, MS_MANDLOCK},
    {"nomand", SB_CLEAR, MS_MANDLOCK},
    {"silent", SB_SET, MS_SILENT},
    {"loud", SB_CLEAR, MS_SILENT},
    {"iversion", SB_SET, MS_I_VERSION},
    {"noiversion", SB_CLEAR, MS_I_VERSION},
    {"lazytime", SB_SET, MS_LAZYTIME},
    {"nolazytime", SB_CLEAR, MS_LAZYTIME},
    {"acl", SB_SET, MS_POSIXACL},
    {"noacl", SB_CLEAR, MS_POSIXACL},
    {"private", PROPAGATION, MS_PRIVATE},
    {"rprivate", PROPAGATION, MS_PRIVATE | MS_REC},
    {"shared", PROPAGATION, MS_SHARED},
    {"rshared", PROPAGATION, MS_SHARED | MS_REC},
    {"slave", PROPAGATION, MS_SLAVE},
    {"rslave", PROPAGATION, MS_SLAVE | MS_REC},
    {"unbindable", PROPAGATION, MS_UNBINDABLE},
    {"runbindable", PROPAGATION, MS_UNBINDABLE | MS_REC},
};

/* Sets and clears stay disjoint: the last word about a bit wins, as for mount(8). */
static void put_bits(uint64_t *in, uint64_t *out, uint64_t bits) {
    *in |= bits;
    *out &= ~bits;
}

static void apply_special(struct mount_spec *m, enum special special) {
    switch (special) {
    case OPT_DEFAULTS:
    case OPT_IGNORED:
        return;
    case OPT_BIND:
        m->bind = true;
        return;
    case OPT_RBIND:
        m->bind = m->recursive = true;
        return;
    case OPT_REMOUNT:
        m->remount = true;
        return;
    case OPT_TMPCOPYUP:
        m->copy_up = true;
        return;
    case OPT_IDMAP:
        m->idmap = IDMAP_ONE;
        return;
    case OPT_RIDMAP:
        m->idmap = IDMAP_RECURSIVE;
        return;
    }
}

static void apply_option(struct mount_spec *m, const struct option *o) {
    switch (o->kind) {
    case ATTR_SET:
        put_bits(&m->attr_set, &m->attr_clear, o->value);
        return;
    case ATTR_CLEAR:
        put_bits(&m->attr_clear, &m->attr_set, o->value);
        return;
    case ATIME_SET:
        m->attr_set = (m->attr_set & ~(uint64_t)MOUNT_ATTR__ATIME) | o->value;
        m->attr_clear |= MOUNT_ATTR__ATIME;
        return;
    case REC_SET:
        put_bits(&m->attr_rec_set, &m->attr_rec_clear, o->value);
        return;
    case REC_CLEAR:
        put_bits(&m->attr_rec_clear, &m->attr_rec_set, o->value);
        return;
    case REC_ATIME:
        m->attr_rec_set = (m->attr_rec_set & ~(uint64_t)MOUNT_ATTR__ATIME) | o->value;
        m->attr_rec_clear |= MOUNT_ATTR__ATIME;
        return;
    case SB_SET:
        m->sb_flags |= o->value;
        return;
    case SB_CLEAR:
        m->sb_flags &= ~o->value;
        return;
    case PROPAGATION:
        m->propagation = o->value & ~(uint64_t)MS_REC;
        m->propagation_recursive = (o->value & MS_REC) != 0;
        return;
    case SPECIAL:
        apply_special(m, (enum special)o->value);
        return;
    }
}

/* `idmap=uids=0-1000-10;gids=…` is crun's spelling of a mount's own mappings; words like it go to the file
 * system. */
int mount_option_apply(struct spec *spec, struct mount_spec *mount, const char *word, struct error *err) {
    (void)spec;
    (void)err;
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (strcmp(options[i].word, word) == 0) {
            apply_option(mount, &options[i]);
            return 0;
        }
    }
    if (*word)
        mount->data[mount->data_count++] = word;
    return 0;
}

size_t mount_option_words(const char **words, size_t room) {
    size_t count = sizeof(options) / sizeof(options[0]);
    for (size_t i = 0; i < count && i < room; i++)
        words[i] = options[i].word;
    return count < room ? count : room;
}

static int read_idmaps(struct spec *spec, struct mount_spec *m, const struct json_value *value,
                       struct error *err) {
    const struct json_value *uids, *gids;
    if (spec_array(value, "uidMappings", &uids, err) < 0 ||
        spec_array(value, "gidMappings", &gids, err) < 0 ||
        id_maps_read(&spec->arena, &m->maps, uids, gids, err) < 0)
        return -1;
    if ((m->maps.uid_count == 0) != (m->maps.gid_count == 0))
        return error_set(err, "invalid_argument", "read mounts", m->destination,
                         "mount %s: uidMappings and gidMappings must be given together", m->destination);
    if (m->maps.uid_count && m->idmap == IDMAP_NONE)
        m->idmap = IDMAP_ONE;
    return 0;
}

static int read_mount(struct spec *spec, struct mount_spec *m, const struct json_value *value,
                      struct error *err) {
    const struct json_value *list;
    if (value->type != JSON_OBJECT)
        return error_set(err, "invalid_argument", "read mounts", NULL, "mounts must be objects");
    if (spec_string(value, "destination", &m->destination, err) < 0 ||
        spec_string(value, "source", &m->source, err) < 0 || spec_string(value, "type", &m->type, err) < 0 ||
        spec_array(value, "options", &list, err) < 0)
        return -1;
    if (!m->destination || !*m->destination)
        return error_set(err, "invalid_argument", "read mounts", NULL, "a mount has no destination");
    m->data = arena_array(&spec->arena, const char *, (list ? list->count : 0) + 1);
    for (const struct json_value *v = json_first(list); v; v = v->next) {
        if (v->type != JSON_STRING)
            return error_set(err, "invalid_argument", "read mounts", m->destination,
                             "mount %s: options must be strings", m->destination);
        if (mount_option_apply(spec, m, v->string, err) < 0)
            return -1;
    }
    if (m->type && strcmp(m->type, "bind") == 0)
        m->bind = true;
    if (m->bind && (!m->source || !*m->source))
        return error_set(err, "invalid_argument", "read mounts", m->destination,
                         "bind mount %s has no source", m->destination);
    if (!m->bind && !m->remount && (!m->type || !*m->type))
        m->type = "none";
    if (read_idmaps(spec, m, value, err) < 0)
        return -1;
    if (m->idmap != IDMAP_NONE && !m->bind)
        return error_set(err, "invalid_argument", "read mounts", m->destination,
                         "mount %s: id-mapped mounts are only supported for bind mounts", m->destination);
    return 0;
}

int mounts_read(struct spec *spec, const struct json_value *list, struct error *err) {
    if (!list)
        return 0;
    spec->mounts = arena_array(&spec->arena, struct mount_spec, list->count);
    for (const struct json_value *v = json_first(list); v; v = v->next)
        if (read_mount(spec, &spec->mounts[spec->mount_count++], v, err) < 0)
            return -1;
    return 0;
}
