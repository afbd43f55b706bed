// A plugin that does harm in one chosen way. In: init_config "mode=MODE after=N pause=MS
// once=FILE": numbered events, one each pause (10 ms), and after N of them (3) the harm; with a
// file, the harm is done only where the file is not there yet, and makes it. Modes that must show
// before init() are macros: HOSTILE_NAME (its source, too), HOSTILE_ID,
// HOSTILE_API, HOSTILE_FIELDS, HOSTILE_VERSION,
// WITHOUT_INIT, WITHOUT_NEXT_BATCH, WITHOUT_EXTRACT, WITHOUT_ERROR. Out: see the modes below.
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "falco_plugin.h"

#ifndef HOSTILE_NAME
#define HOSTILE_NAME "hostile"
#endif
#ifndef HOSTILE_ID
#define HOSTILE_ID 997
#endif
#ifndef HOSTILE_API
#define HOSTILE_API PLUGIN_API_VERSION
#endif
#ifndef HOSTILE_VERSION
#define HOSTILE_VERSION "0.1.0"
#endif
#ifndef HOSTILE_FIELDS
#define HOSTILE_FIELDS                                                                     \
    "[{\"type\": \"uint64\", \"name\": \"hostile.number\", \"desc\": \"The number\"},"     \
    " {\"type\": \"string\", \"name\": \"hostile.text\", \"desc\": \"The text\"},"         \
    " {\"type\": \"string\", \"name\": \"hostile.list\", \"isList\": true, \"desc\": \"Texts\"}," \
    " {\"type\": \"ipaddr\", \"name\": \"hostile.address\", \"desc\": \"An address\"}]"
#endif

enum { HEADER = 26, DATA = HEADER + 12, SIZE = 256, MEGABYTE = 1 << 20, BATCH = 8 };

// What a library lacks.
#define HIDDEN __attribute__((visibility("hidden")))

struct plugin {
    char mode[64], once[256], error[256], text[64];
    uint64_t after, pause, number;
    const char *strings[1];
    uint64_t numbers[1];
    ss_plugin_byte_buffer buffers[1];
    ss_plugin_event *events[BATCH];
    char bytes[BATCH][SIZE];
};

const char *plugin_get_required_api_version(void) { return HOSTILE_API; }
const char *plugin_get_name(void) { return HOSTILE_NAME; }
const char *plugin_get_description(void) { return "Does harm, for tests"; }
const char *plugin_get_contact(void) { return "saker's tests"; }
const char *plugin_get_version(void) { return HOSTILE_VERSION; }
uint32_t plugin_get_id(void) { return HOSTILE_ID; }
const char *plugin_get_event_source(void) { return HOSTILE_NAME; }
const char *plugin_get_fields(void) { return HOSTILE_FIELDS; }

static void rest(uint64_t milliseconds) {
    struct timespec time = {(time_t)(milliseconds / 1000), (long)(milliseconds % 1000) * 1000000};
    nanosleep(&time, NULL);
}

static void forever(void) {
    for (;;) rest(1000);
}

static int *volatile nowhere = (int *)8;

static void crash(void) { *nowhere = 1; }

// As programs in Go end.
static void panic(void) {
    fputs("panic: it cannot go on\n\ngoroutine 1 [running]:\n", stderr);
    abort();
}

static void *crash_later(void *argument) {
    struct plugin *p = argument;
    rest(p->after * p->pause);
    crash();
    return NULL;
}

// Whether the mode is this one, now: not before its time, and with a file only once.
static int is(struct plugin *p, const char *mode) {
    if (strcmp(p->mode, mode) != 0) return 0;
    if (!p->once[0]) return 1;
    int file = open(p->once, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
    if (file < 0) return 0;
    close(file);
    return 1;
}

static void take_config(struct plugin *p, const char *config) {
    char *words = strdup(config ? config : "");
    char *place;
    p->after = 3;
    p->pause = 10;
    for (char *word = strtok_r(words, " ", &place); word; word = strtok_r(NULL, " ", &place)) {
        if (strncmp(word, "mode=", 5) == 0) snprintf(p->mode, sizeof p->mode, "%s", word + 5);
        if (strncmp(word, "once=", 5) == 0) snprintf(p->once, sizeof p->once, "%s", word + 5);
        if (strncmp(word, "after=", 6) == 0) p->after = strtoull(word + 6, NULL, 10);
        if (strncmp(word, "pause=", 6) == 0) p->pause = strtoull(word + 6, NULL, 10);
    }
    free(words);
}

#ifdef WITHOUT_INIT
HIDDEN
#endif
ss_plugin_t *plugin_init(const ss_plugin_init_input *in, ss_plugin_rc *rc) {
    struct plugin *p = calloc(1, sizeof *p);
    take_config(p, in->config);
    *rc = SS_PLUGIN_SUCCESS;
    for (int i = 0; i < BATCH; i++) p->events[i] = (ss_plugin_event *)p->bytes[i];
    if (is(p, "init_crash")) crash();
    if (is(p, "init_panic")) panic();
    if (is(p, "init_block")) forever();
    if (is(p, "init_exit")) exit(0);
    if (is(p, "init_null")) return NULL;
    if (is(p, "init_fail")) {
        strcpy(p->error, "it will not");
        *rc = SS_PLUGIN_FAILURE;
    }
    if (is(p, "init_fail_null")) {
        *rc = SS_PLUGIN_FAILURE;
        return NULL;
    }
    if (is(p, "init_rc")) *rc = 77;
    if (is(p, "log"))
        for (int i = 0; i < 100000; i++) in->log_fn(in->owner, "a\nb", "line\n\x1b[31m\xff", 99);
    return p;
}

void plugin_destroy(ss_plugin_t *s) {
    struct plugin *p = s;
    if (p && is(p, "destroy_block")) forever();
    if (p && is(p, "destroy_crash")) crash();
    free(p);
}

#ifdef WITHOUT_ERROR
HIDDEN
#endif
const char *plugin_get_last_error(ss_plugin_t *s) {
    struct plugin *p = s;
    if (p && strcmp(p->mode, "error_null") == 0) return NULL;
    return p ? p->error : "";
}

ss_instance_t *plugin_open(ss_plugin_t *s, const char *params, ss_plugin_rc *rc) {
    struct plugin *p = s;
    (void)params;
    *rc = SS_PLUGIN_SUCCESS;
    if (is(p, "open_crash")) crash();
    if (is(p, "open_panic")) panic();
    if (is(p, "open_block")) forever();
    pthread_t thread;
    if (is(p, "thread_crash")) pthread_create(&thread, NULL, crash_later, p);
    if (is(p, "open_fail") || is(p, "error_null")) {
        strcpy(p->error, "nothing to open\nhere");
        *rc = SS_PLUGIN_FAILURE;
        return NULL;
    }
    return p;
}

void plugin_close(ss_plugin_t *s, ss_instance_t *h) {
    (void)h;
    if (is(s, "close_block")) forever();
}

static void *resting(void *nothing) {
    rest(60000);
    return nothing;
}

static void make_event(struct plugin *p, ss_plugin_event *event) {
    char *data = (char *)event + DATA;
    uint32_t length = (uint32_t)snprintf(data, 64, "hostile %" PRIu64, p->number++);
    *event = (ss_plugin_event){UINT64_MAX, UINT64_MAX, DATA + length, EVENT_PLUGIN, 2};
    uint32_t words[3] = {4, length, 0};
    memcpy((char *)event + HEADER, words, sizeof words);
}

// What lies in an event's lengths and parameters, after its header.
static void set_word(ss_plugin_event *event, int at, uint32_t value) {
    memcpy((char *)event + HEADER + at * 4, &value, 4);
}

// Harm to the process that the plugin lives in.
static void harm_process(struct plugin *p) {
    static char line[] = "hostile output \x1b[31m\xff with no end";
    if (is(p, "next_crash")) crash();
    if (is(p, "next_abort")) abort();
    if (is(p, "next_block")) forever();
    if (is(p, "next_spin"))
        for (volatile uint64_t i = 0;; i = i + 1) continue;
    if (is(p, "exit")) exit(0);
    if (is(p, "exit_quietly")) _exit(3);
    if (is(p, "leak")) memset(malloc(64 * MEGABYTE), 1, 64 * MEGABYTE);
    if (is(p, "fork") && fork() == 0) {
        rest(200);
        _exit(0);
    }
    if (is(p, "fork_bomb")) {
        int forked = 0;
        for (int i = 0; i < 50; i++) {
            pid_t pid = fork();
            if (pid == 0) rest(300), _exit(0);
            forked += pid > 0;
        }
        printf("%d of 50 were forked\n", forked), fflush(stdout);
    }
    if (is(p, "threads"))
        for (pthread_t thread; pthread_create(&thread, NULL, resting, NULL) == 0;) continue;
    if (is(p, "close"))
        for (int fd = 0; fd < 1024; fd++) close(fd);
    if (is(p, "output"))
        for (int fd = 1; fd <= 2; fd++)
            for (int i = 0; i < 1000; i++)
                if (write(fd, line, sizeof line) < 0) break;
    if (is(p, "signals")) {
        sigset_t all;
        sigfillset(&all);
        sigprocmask(SIG_BLOCK, &all, NULL);
        signal(SIGTERM, SIG_IGN);
        forever();
    }
}

// Harm to whoever reads the events; how many are said to be there.
static uint32_t harm_events(struct plugin *p, ss_plugin_event ***events) {
    ss_plugin_event *event = p->events[0];
    if (is(p, "next_short")) event->len = 3;
    if (is(p, "next_long")) event->len = UINT32_MAX;
    if (is(p, "next_type")) event->type = 293;
    if (is(p, "next_no_type")) event->type = 60000;
    if (is(p, "next_params")) event->nparams = UINT32_MAX;
    if (is(p, "next_id")) set_word(event, 2, 4242);
    if (is(p, "next_lengths")) set_word(event, 1, 0xfffffff0);
    if (is(p, "next_time")) event->ts = 1;
    if (is(p, "next_null")) *events = NULL;
    if (is(p, "next_null_event")) p->events[1] = NULL;
    if (is(p, "next_wild")) *events = (ss_plugin_event **)16;
    if (is(p, "next_count")) return UINT32_MAX;
    return strcmp(p->mode, "next_null_event") == 0 ? 2 : 1;
}

#ifdef WITHOUT_NEXT_BATCH
HIDDEN
#endif
ss_plugin_rc plugin_next_batch(ss_plugin_t *s, ss_instance_t *h, uint32_t *count,
                               ss_plugin_event ***events) {
    struct plugin *p = s;
    (void)h;
    rest(p->pause);
    *count = 1;
    *events = p->events;
    make_event(p, p->events[0]);
    if (p->number <= p->after) return SS_PLUGIN_SUCCESS;
    harm_process(p);
    if (is(p, "next_fail")) {
        strcpy(p->error, "the source is gone");
        return SS_PLUGIN_FAILURE;
    }
    if (is(p, "next_rc")) return 77;
    *count = harm_events(p, events);
    return SS_PLUGIN_SUCCESS;
}

// Whether the harm was done; else the field has its true value.
static int harm_field(struct plugin *p, ss_plugin_extract_field *field) {
    static char huge[64 * MEGABYTE + 1];
    field->res_len = 1;
    field->res.str = p->strings;
    if (is(p, "extract_wild")) return field->res.str = (const char **)16, 1;
    if (is(p, "extract_null")) return field->res.str = NULL, 1;
    if (is(p, "extract_count")) return p->strings[0] = "a", field->res_len = 1ull << 40, 1;
    if (is(p, "extract_null_text")) return p->strings[0] = NULL, 1;
    if (is(p, "extract_wild_text")) return p->strings[0] = (const char *)16, 1;
    if (is(p, "extract_not_utf8")) return p->strings[0] = "a\xff\xc3(b\n\x1b[31m", 1;
    if (is(p, "extract_huge")) {
        memset(huge, 'h', sizeof huge - 1);
        return p->strings[0] = huge, 1;
    }
    if (is(p, "extract_address")) {
        p->buffers[0] = (ss_plugin_byte_buffer){3, "abc"};
        return field->res.buf = p->buffers, 1;
    }
    if (is(p, "extract_address_wild")) {
        p->buffers[0] = (ss_plugin_byte_buffer){UINT32_MAX, (void *)16};
        return field->res.buf = p->buffers, 1;
    }
    return 0;
}

#ifdef WITHOUT_EXTRACT
HIDDEN
#endif
ss_plugin_rc plugin_extract_fields(ss_plugin_t *s, const ss_plugin_event_input *in,
                                   const ss_plugin_field_extract_input *asked) {
    struct plugin *p = s;
    uint64_t number = strtoull((const char *)in->evt + DATA + 8, NULL, 10);
    int harms = number >= p->after;
    if (harms && is(p, "extract_crash")) crash();
    if (harms && is(p, "extract_block")) forever();
    if (harms && is(p, "extract_fail")) return strcpy(p->error, "no value"), SS_PLUGIN_FAILURE;
    for (uint32_t i = 0; i < asked->num_fields; i++) {
        ss_plugin_extract_field *field = &asked->fields[i];
        if (harms && harm_field(p, field)) continue;
        snprintf(p->text, sizeof p->text, "hostile %" PRIu64, number);
        p->strings[0] = p->text;
        p->numbers[0] = number;
        p->buffers[0] = (ss_plugin_byte_buffer){4, "\x7f\0\0\1"};
        field->res_len = 1;
        if (field->ftype == FTYPE_UINT64) field->res.u64 = p->numbers;
        else if (field->ftype == FTYPE_IPADDR) field->res.buf = p->buffers;
        else field->res.str = p->strings;
    }
    return SS_PLUGIN_SUCCESS;
}
