#include "matching.h"

#include "cleanup.h"
#include "state.h"

#include <dirent.h>
#include <errno.h>
#include <regex.h>
#include <string.h>

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int compile(regex_t *regex, const char *pattern, struct error *err) {
    char text[200];
    int number = regcomp(regex, pattern, REG_EXTENDED | REG_NOSUB);
    if (number == 0)
        return 0;
    regerror(number, regex, text, sizeof(text));
    return error_set(err, "invalid_argument", "arguments", NULL, "invalid regular expression \"%.100s\": %s",
                     pattern, text);
}

int matching_each(const struct invocation *in, const char *pattern,
                  int (*act)(const struct invocation *in, const char *id, struct error *err),
                  struct error *err) {
    struct dirent **entries = NULL;
    regex_t regex;
    int result = 0;
    if (compile(&regex, pattern, err) < 0)
        return -1;
    int count = scandir(in->globals->root, &entries, NULL, by_name);
    if (count < 0 && errno != ENOENT)
        result = error_errno(err, errno, "state", in->globals->root, "open %s", in->globals->root);
    for (int i = 0; i < count; i++) {
        struct error one = {0};
        cleanup_free struct dirent *entry = entries[i];
        if (state_check_id(entry->d_name, &one) < 0 || regexec(&regex, entry->d_name, 0, NULL, 0) != 0)
            continue;
        one = (struct error){0};
        if (act(in, entry->d_name, &one) < 0 && result == 0) {
            *err = one;
            result = -1;
        }
    }
    free(entries);
    regfree(&regex);
    return result;
}
