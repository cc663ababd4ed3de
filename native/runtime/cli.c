#include "cli.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int cli_int(const char *text, int *value) {
    char *end;
    long number = strtol(text, &end, 10);
    if (end == text || *end || number < INT_MIN || number > INT_MAX)
        return -1;
    *value = (int)number;
    return 0;
}

static const struct flag *find_long(const struct flag *flags, const char *name, size_t length) {
    for (; flags && flags->name; flags++)
        if (strlen(flags->name) == length && strncmp(flags->name, name, length) == 0)
            return flags;
    return NULL;
}

static const struct flag *find_letter(const struct flag *flags, char letter) {
    for (; flags && flags->name; flags++)
        if (flags->letter == letter)
            return flags;
    return NULL;
}

static int store(const struct flag *flag, const char *value, struct error *err) {
    switch (flag->kind) {
    case FLAG_BOOL:
        if (value && strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
            return error_set(err, "invalid_argument", "arguments", NULL,
                             "invalid boolean value \"%s\" for -%s", value, flag->name);
        *(bool *)flag->target = !value || strcmp(value, "true") == 0;
        return 0;
    case FLAG_STRING:
        *(const char **)flag->target = value;
        return 0;
    case FLAG_INT:
        if (cli_int(value, flag->target) == 0)
            return 0;
        return error_set(err, "invalid_argument", "arguments", NULL, "invalid value \"%s\" for flag -%s",
                         value, flag->name);
    case FLAG_LIST: {
        struct flag_list *list = flag->target;
        if (list->count == sizeof(list->items) / sizeof(list->items[0]))
            return error_set(err, "invalid_argument", "arguments", NULL, "flag -%s is given too often",
                             flag->name);
        list->items[list->count++] = value;
        return 0;
    }
    }
    return -1;
}

static int undefined(const char *word, struct error *err) {
    return error_set(err, "invalid_argument", "arguments", NULL, "flag provided but not defined: %s", word);
}

/* Letters joined behind one dash: all but the last must be booleans. */
static int parse_letters(const struct flag *flags, const char *word, char **next, int *used,
                         struct error *err) {
    for (const char *c = word + 1; *c; c++) {
        const struct flag *flag = find_letter(flags, *c);
        if (!flag)
            return undefined(word, err);
        if (flag->kind == FLAG_BOOL) {
            if (store(flag, NULL, err) < 0)
                return -1;
            continue;
        }
        const char *value = c[1] ? c + 1 : *next;
        if (!value)
            return error_set(err, "invalid_argument", "arguments", NULL, "flag needs an argument: -%c", *c);
        *used = c[1] ? 0 : 1;
        return store(flag, value, err);
    }
    return 0;
}

static int parse_word(const struct flag *flags, const char *word, char **next, int *used, struct error *err) {
    const char *name = word + (word[1] == '-' ? 2 : 1), *equals = strchr(name, '=');
    size_t length = equals ? (size_t)(equals - name) : strlen(name);
    const struct flag *flag = find_long(flags, name, length);
    *used = 0;
    if (!flag && length == 1 && (flag = find_letter(flags, *name)) == NULL)
        return undefined(word, err);
    if (!flag)
        return word[1] == '-' ? undefined(word, err) : parse_letters(flags, word, next, used, err);
    if (flag->kind == FLAG_BOOL)
        return store(flag, equals ? equals + 1 : NULL, err);
    if (equals)
        return store(flag, equals + 1, err);
    if (!*next)
        return error_set(err, "invalid_argument", "arguments", NULL, "flag needs an argument: %s", word);
    *used = 1;
    return store(flag, *next, err);
}

/* Moves argv[from] and what follows it up to `to` in front of the `operands` words before it. */
static void move_forward(char **argv, int from, int to, int operands) {
    for (; from < to; from++) {
        char *word = argv[from];
        memmove(argv + from - operands + 1, argv + from - operands, (size_t)operands * sizeof(*argv));
        argv[from - operands] = word;
    }
}

int cli_parse(const struct flag *flags, int argc, char **argv, bool anywhere, struct error *err) {
    int i = 0, operands = 0;
    while (i < argc) {
        int used = 0;
        bool is_flag = argv[i][0] == '-' && argv[i][1];
        if (!is_flag && !anywhere)
            break;
        if (!is_flag) {
            operands++;
            i++;
            continue;
        }
        bool end = strcmp(argv[i], "--") == 0;
        if (!end && parse_word(flags, argv[i], argv + i + 1, &used, err) < 0)
            return -1;
        i += 1 + used;
        move_forward(argv, i - 1 - used, i, operands);
        if (end)
            break;
    }
    return i - operands;
}

static void help_flags(const struct flag *flags) {
    for (; flags && flags->name; flags++) {
        char words[64];
        if (flags->letter)
            snprintf(words, sizeof(words), "--%s, -%c%s", flags->name, flags->letter,
                     flags->kind == FLAG_BOOL ? "" : " value");
        else
            snprintf(words, sizeof(words), "--%s%s", flags->name, flags->kind == FLAG_BOOL ? "" : " value");
        printf("   %-34s %s\n", words, flags->help ? flags->help : "");
    }
}

void cli_help_verb(const char *program, const struct verb *verb) {
    printf("NAME:\n   %s %s - %s\n\nUSAGE:\n   %s %s %s\n", program, verb->name, verb->summary, program,
           verb->name, verb->usage);
    if (verb->flags && verb->flags->name) {
        printf("\nOPTIONS:\n");
        help_flags(verb->flags);
    }
}

void cli_help(const char *program, const struct verb *const *verbs, const struct flag *flags) {
    printf("NAME:\n   %s - Open Container Initiative runtime of Berth\n\nUSAGE:\n   %s [global options] "
           "command [command options] [arguments...]\n\nCOMMANDS:\n",
           program, program);
    for (; *verbs; verbs++)
        printf("   %-12s %s\n", (*verbs)->name, (*verbs)->summary);
    printf("\nGLOBAL OPTIONS:\n");
    help_flags(flags);
}
