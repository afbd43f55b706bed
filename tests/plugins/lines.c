// A plugin that is a source of numbered lines and knows fields of every type of them. In:
// init_config {"prefix": "line"}; open_params "count=N rate=N size=N batch=N start=N time=NS
// stale=MS end=eof|wait|fail", all optional (rate 0: as fast as asked; time: the first line's time,
// each next a millisecond later; without it the host stamps; stale: it has nothing for who did not
// ask for so long). Out: lines such as
// "line 7 n=7 parity=odd xxx", padded to the size, and what can be asked of them.
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "falco_plugin.h"

#ifdef LINES_GO
// What Go's linker leaves in a library.
const char made_with_go[] = "\xff Go buildinf:";
#endif

#ifndef LINES_NAME
#define LINES_NAME "lines"
#endif
#ifndef LINES_ID
#define LINES_ID 999
#endif
#ifndef LINES_API
#define LINES_API PLUGIN_API_VERSION
#endif
#ifndef LINES_VERSION
#define LINES_VERSION "0.3.1"
#endif

enum { HEADER = 26, DATA = HEADER + 8 + 4, BATCH_MOST = 4096, SIZE_MOST = 65536, WORDS = 64 };
enum { ARENA = 2 << 20, EOF_END = 0, WAIT_END = 1, FAIL_END = 2 };

struct plugin {
    char prefix[64];
    char error[256];
    char arena[ARENA];
    size_t used;
    char text[SIZE_MOST + 64];
    char progress[64];
    uint64_t made, batches, extractions, configs;
    ss_plugin_metric metrics[5];
};

struct instance {
    uint64_t next, last, count, rate, time, size, stale;
    struct timespec asked;
    uint32_t batch;
    int end;
    struct timespec began;
    ss_plugin_event **events;
    char *bytes;
};

const char *plugin_get_required_api_version(void) { return LINES_API; }
const char *plugin_get_name(void) { return LINES_NAME; }
const char *plugin_get_description(void) { return "Numbered lines, for tests"; }
const char *plugin_get_contact(void) { return "saker's tests"; }
const char *plugin_get_version(void) { return LINES_VERSION; }
uint32_t plugin_get_id(void) { return LINES_ID; }
const char *plugin_get_event_source(void) { return LINES_NAME; }
const char *plugin_get_required_event_schema_version(ss_plugin_t *s) {
    (void)s;
    return "3.0.0";
}

const char *plugin_get_init_schema(int32_t *type) {
    *type = SS_PLUGIN_SCHEMA_JSON;
    return "{\"$schema\": \"http://json-schema.org/draft-04/schema#\", \"type\": \"object\","
           " \"properties\": {\"prefix\": {\"type\": \"string\", \"minLength\": 1,"
           " \"maxLength\": 60, \"description\": \"The first word of each line\"}},"
           " \"additionalProperties\": false}";
}

// The value of "prefix" in a configuration that the host has held against the schema.
static int take_config(struct plugin *p, const char *config) {
    const char *at = config ? strstr(config, "\"prefix\"") : NULL;
    if (!at) return 1;
    at = strchr(at + 8, '"');
    const char *to = at ? strchr(at + 1, '"') : NULL;
    if (!to || to - at - 1 >= (long)sizeof p->prefix) return 0;
    memcpy(p->prefix, at + 1, to - at - 1);
    p->prefix[to - at - 1] = 0;
    return 1;
}

ss_plugin_t *plugin_init(const ss_plugin_init_input *in, ss_plugin_rc *rc) {
    struct plugin *p = calloc(1, sizeof *p);
    strcpy(p->prefix, "line");
    *rc = take_config(p, in->config) ? SS_PLUGIN_SUCCESS : SS_PLUGIN_FAILURE;
    if (*rc != SS_PLUGIN_SUCCESS) strcpy(p->error, "prefix is no text");
    if (strcmp(p->prefix, "refused") == 0) {
        strcpy(p->error, "the prefix \"refused\" is refused");
        *rc = SS_PLUGIN_FAILURE;
    }
#ifdef LINES_PRINTS
    printf("printed by a plugin\n");
#endif
    if (in->log_fn) in->log_fn(in->owner, NULL, "initialized", SS_PLUGIN_LOG_SEV_INFO);
    return p;
}

void plugin_destroy(ss_plugin_t *s) { free(s); }

const char *plugin_get_last_error(ss_plugin_t *s) {
    return s ? ((struct plugin *)s)->error : "no state";
}

ss_plugin_rc plugin_set_config(ss_plugin_t *s, const ss_plugin_set_config_input *in) {
    struct plugin *p = s;
    if (!take_config(p, in->config)) {
        strcpy(p->error, "prefix is no text");
        return SS_PLUGIN_FAILURE;
    }
    p->configs++;
    return SS_PLUGIN_SUCCESS;
}

ss_plugin_metric *plugin_get_metrics(ss_plugin_t *s, uint32_t *count) {
    struct plugin *p = s;
    ss_plugin_metric metrics[] = {
        {"lines.made", SS_PLUGIN_METRIC_TYPE_MONOTONIC, {.u64 = p->made},
         SS_PLUGIN_METRIC_VALUE_TYPE_U64},
        {"lines.extractions", SS_PLUGIN_METRIC_TYPE_MONOTONIC, {.u64 = p->extractions},
         SS_PLUGIN_METRIC_VALUE_TYPE_U64},
        {"lines.configs", SS_PLUGIN_METRIC_TYPE_MONOTONIC, {.u32 = (uint32_t)p->configs},
         SS_PLUGIN_METRIC_VALUE_TYPE_U32},
        {"lines.below", SS_PLUGIN_METRIC_TYPE_NON_MONOTONIC, {.s64 = -5},
         SS_PLUGIN_METRIC_VALUE_TYPE_S64},
        {"lines.half", SS_PLUGIN_METRIC_TYPE_NON_MONOTONIC, {.d = 0.5},
         SS_PLUGIN_METRIC_VALUE_TYPE_D},
    };
    memcpy(p->metrics, metrics, sizeof metrics);
    *count = 5;
    return p->metrics;
}

const char *plugin_list_open_params(ss_plugin_t *s, ss_plugin_rc *rc) {
    (void)s;
    *rc = SS_PLUGIN_SUCCESS;
    return "[{\"value\": \"count=10\", \"desc\": \"Ten lines\"},"
           " {\"value\": \"rate=1 end=wait\", \"desc\": \"One line a second\","
           " \"separator\": \" \"}]";
}

static int take_param(struct instance *h, const char *word) {
    const char *value = strchr(word, '=');
    if (!value) return 0;
    value++;
    if (strcmp(word, "end=eof") == 0) return h->end = EOF_END, 1;
    if (strcmp(word, "end=wait") == 0) return h->end = WAIT_END, 1;
    if (strcmp(word, "end=fail") == 0) return h->end = FAIL_END, 1;
    char *rest;
    uint64_t number = strtoull(value, &rest, 10);
    if (*rest || !*value) return 0;
    if (strncmp(word, "count=", 6) == 0) return h->count = number, 1;
    if (strncmp(word, "rate=", 5) == 0) return h->rate = number, 1;
    if (strncmp(word, "stale=", 6) == 0) return h->stale = number, 1;
    if (strncmp(word, "time=", 5) == 0) return h->time = number, 1;
    if (strncmp(word, "start=", 6) == 0) return h->next = number, 1;
    if (strncmp(word, "size=", 5) == 0) return h->size = number, number <= SIZE_MOST;
    if (strncmp(word, "batch=", 6) == 0)
        return h->batch = (uint32_t)number, number > 0 && number <= BATCH_MOST;
    return 0;
}

ss_instance_t *plugin_open(ss_plugin_t *s, const char *params, ss_plugin_rc *rc) {
    struct plugin *p = s;
    struct instance *h = calloc(1, sizeof *h);
    h->count = 10;
    h->batch = 128;
    h->time = UINT64_MAX;
    char *words = strdup(params ? params : "");
    char *place;
    *rc = SS_PLUGIN_SUCCESS;
    for (char *word = strtok_r(words, " ", &place); word; word = strtok_r(NULL, " ", &place)) {
        if (take_param(h, word)) continue;
        snprintf(p->error, sizeof p->error, "\"%.100s\" is no parameter of lines", word);
        *rc = SS_PLUGIN_FAILURE;
    }
    free(words);
    if (*rc != SS_PLUGIN_SUCCESS) {
        free(h);
        return NULL;
    }
    h->last = h->next + h->count;
    size_t slot = DATA + (h->size > 256 ? h->size : 256);
    h->events = calloc(h->batch, sizeof *h->events);
    h->bytes = calloc(h->batch, slot);
    for (uint32_t i = 0; i < h->batch; i++)
        h->events[i] = (ss_plugin_event *)(h->bytes + i * slot);
    clock_gettime(CLOCK_MONOTONIC, &h->began);
    return h;
}

void plugin_close(ss_plugin_t *s, ss_instance_t *handle) {
    (void)s;
    struct instance *h = handle;
    if (!h) return;
    free(h->events);
    free(h->bytes);
    free(h);
}

static void make_line(struct plugin *p, struct instance *h, ss_plugin_event *event) {
    uint64_t n = h->next++;
    char *data = (char *)event + DATA;
    size_t length = (size_t)snprintf(data, 256, "%s %" PRIu64 " n=%" PRIu64 " parity=%s", p->prefix,
                                     n, n, n % 2 ? "odd" : "even");
    if (length + 1 < h->size) {
        data[length] = ' ';
        memset(data + length + 1, 'x', h->size - length - 1);
        length = h->size;
    }
    event->ts = h->time == UINT64_MAX ? UINT64_MAX : h->time + n * 1000000;
    event->tid = UINT64_MAX;
    event->len = (uint32_t)(DATA + length);
    event->type = EVENT_PLUGIN;
    event->nparams = 2;
    // The plugin's id stays 0: the host fills it in.
    uint32_t words[3] = {4, (uint32_t)length, 0};
    memcpy((char *)event + HEADER, words, sizeof words);
}

static void rest(long milliseconds) {
    struct timespec time = {0, milliseconds * 1000000};
    nanosleep(&time, NULL);
}

// Whether it was not asked for so long: then a time limit of plugins in Go has passed meanwhile.
static int is_stale(struct instance *h) {
    struct timespec now, before = h->asked;
    clock_gettime(CLOCK_MONOTONIC, &now);
    h->asked = now;
    int64_t ms = (now.tv_sec - before.tv_sec) * 1000 + (now.tv_nsec - before.tv_nsec) / 1000000;
    return h->stale != 0 && ms >= (int64_t)h->stale;
}

// How many lines are due; a source without a rate owes all.
static uint64_t due(const struct instance *h) {
    uint64_t left = h->last - h->next;
    if (h->rate == 0) return left;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double passed = (double)(now.tv_sec - h->began.tv_sec) +
                    (double)(now.tv_nsec - h->began.tv_nsec) / 1e9;
    uint64_t owed = (uint64_t)(passed * (double)h->rate);
    uint64_t given = h->count - left;
    if (owed <= given) return 0;
    return owed - given < left ? owed - given : left;
}

ss_plugin_rc plugin_next_batch(ss_plugin_t *s, ss_instance_t *handle, uint32_t *count,
                               ss_plugin_event ***events) {
    struct plugin *p = s;
    struct instance *h = handle;
    *count = 0;
    *events = h->events;
    if (is_stale(h)) return SS_PLUGIN_TIMEOUT;
    if (h->next == h->last) {
        if (h->end == EOF_END) return SS_PLUGIN_EOF;
        snprintf(p->error, sizeof p->error, "no line after %" PRIu64, h->last);
        if (h->end == FAIL_END) return SS_PLUGIN_FAILURE;
        rest(20);
        return SS_PLUGIN_TIMEOUT;
    }
    uint64_t owed = due(h);
    if (owed == 0) {
        rest(5);
        owed = due(h);
    }
    if (owed == 0) return SS_PLUGIN_TIMEOUT;
    uint32_t n = owed < h->batch ? (uint32_t)owed : h->batch;
    for (uint32_t i = 0; i < n; i++) make_line(p, h, h->events[i]);
    *count = n;
    p->made += n;
    p->batches++;
    return SS_PLUGIN_SUCCESS;
}

const char *plugin_get_progress(ss_plugin_t *s, ss_instance_t *handle, uint32_t *part) {
    struct plugin *p = s;
    struct instance *h = handle;
    uint64_t given = h->count - (h->last - h->next);
    *part = h->count ? (uint32_t)(given * 10000 / h->count) : 10000;
    snprintf(p->progress, sizeof p->progress, "%" PRIu64 " of %" PRIu64 " lines", given, h->count);
    return p->progress;
}

#include "lines_fields.h"
