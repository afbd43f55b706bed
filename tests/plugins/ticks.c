// A plugin that sends events of its own from a thread of its own and listens to captures, and knows
// nothing of tables. In: init_config "tick=MS source=NAME" (50, all sources). Out: asynchronous
// events "ticks.tick" whose data is "pid=N opened=N rounds=N" (its process, how often a capture was
// opened, turns of its routine), the field ticks.text with that data, and a dump of one such event.
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "falco_plugin.h"

enum { HEADER = 26, ID = HEADER + 12, NAME = ID + 4 };
static const char TICK[] = "ticks.tick";

struct plugin {
    char error[128], text[128];
    const char *values[1];
    uint32_t tick;
    pthread_t thread;
    int runs;
    atomic_int ends;
    atomic_uint opened, rounds;
    ss_plugin_owner_t *owner;
    ss_plugin_async_event_handler_t send;
};

const char *plugin_get_required_api_version(void) { return PLUGIN_API_VERSION; }
const char *plugin_get_name(void) { return "ticks"; }
const char *plugin_get_description(void) { return "Ticks, for tests"; }
const char *plugin_get_contact(void) { return "saker's tests"; }
const char *plugin_get_version(void) { return "0.1.0"; }
const char *plugin_get_async_events(void) { return "[\"ticks.tick\"]"; }
const char *plugin_get_async_event_sources(void) { return "[\"syscall\"]"; }
const char *plugin_get_extract_event_sources(void) { return "[\"syscall\"]"; }

const char *plugin_get_fields(void) {
    return "[{\"type\": \"string\", \"name\": \"ticks.text\", \"desc\": \"What a tick tells\"}]";
}

uint16_t *plugin_get_extract_event_types(uint32_t *count, ss_plugin_t *s) {
    static uint16_t types[] = {EVENT_ASYNC};
    (void)s;
    *count = 1;
    return types;
}

ss_plugin_t *plugin_init(const ss_plugin_init_input *in, ss_plugin_rc *rc) {
    struct plugin *p = calloc(1, sizeof *p);
    const char *tick = in->config ? strstr(in->config, "tick=") : NULL;
    p->tick = tick ? strtoul(tick + 5, NULL, 10) : 50;
    *rc = SS_PLUGIN_SUCCESS;
    return p;
}

void plugin_destroy(ss_plugin_t *s) { free(s); }

const char *plugin_get_last_error(ss_plugin_t *s) {
    return s ? ((struct plugin *)s)->error : "no state";
}

static void put(char *at, uint64_t value, int bytes) { memcpy(at, &value, bytes); }

static int send_tick(struct plugin *p, ss_plugin_owner_t *owner,
                     ss_plugin_async_event_handler_t send) {
    char bytes[256], error[256];
    int data = snprintf(bytes + NAME + sizeof TICK, 128, "pid=%d opened=%u rounds=%u", getpid(),
                        atomic_load(&p->opened), atomic_load(&p->rounds)) + 1;
    size_t size = NAME + sizeof TICK + data;
    put(bytes, UINT64_MAX, 8);
    put(bytes + 8, UINT64_MAX, 8);
    put(bytes + 16, size, 4);
    put(bytes + 20, EVENT_ASYNC, 2);
    put(bytes + 22, 3, 4);
    put(bytes + HEADER, 4, 4);
    put(bytes + HEADER + 4, sizeof TICK, 4);
    put(bytes + HEADER + 8, data, 4);
    put(bytes + ID, 0, 4);
    memcpy(bytes + NAME, TICK, sizeof TICK);
    return send(owner, (const ss_plugin_event *)bytes, error);
}

static void *ticking(void *s) {
    struct plugin *p = s;
    struct timespec pause = {p->tick / 1000, p->tick % 1000 * 1000000};
    while (!atomic_load(&p->ends)) {
        send_tick(p, p->owner, p->send);
        nanosleep(&pause, NULL);
    }
    return NULL;
}

ss_plugin_rc plugin_set_async_event_handler(ss_plugin_t *s, ss_plugin_owner_t *owner,
                                            const ss_plugin_async_event_handler_t send) {
    struct plugin *p = s;
    if (p->runs) {
        atomic_store(&p->ends, 1);
        pthread_join(p->thread, NULL);
    }
    p->runs = 0;
    if (!send) return SS_PLUGIN_SUCCESS;
    atomic_store(&p->ends, 0);
    p->owner = owner;
    p->send = send;
    p->runs = pthread_create(&p->thread, NULL, ticking, p) == 0;
    return p->runs ? SS_PLUGIN_SUCCESS : SS_PLUGIN_FAILURE;
}

ss_plugin_rc plugin_dump_state(ss_plugin_t *s, ss_plugin_owner_t *owner,
                               const ss_plugin_async_event_handler_t send) {
    return send_tick(s, owner, send);
}

static ss_plugin_bool turn(ss_plugin_t *s, void *state) {
    (void)state;
    atomic_fetch_add(&((struct plugin *)s)->rounds, 1);
    return 1;
}

ss_plugin_rc plugin_capture_open(ss_plugin_t *s, const ss_plugin_capture_listen_input *in) {
    atomic_fetch_add(&((struct plugin *)s)->opened, 1);
    return in->routine->subscribe(in->owner, turn, NULL) ? SS_PLUGIN_SUCCESS : SS_PLUGIN_FAILURE;
}

ss_plugin_rc plugin_capture_close(ss_plugin_t *s, const ss_plugin_capture_listen_input *in) {
    (void)s, (void)in;
    return SS_PLUGIN_SUCCESS;
}

ss_plugin_rc plugin_extract_fields(ss_plugin_t *s, const ss_plugin_event_input *in,
                                   const ss_plugin_field_extract_input *asked) {
    struct plugin *p = s;
    snprintf(p->text, sizeof p->text, "%s", (const char *)in->evt + NAME + sizeof TICK);
    p->values[0] = p->text;
    for (uint32_t i = 0; i < asked->num_fields; i++) {
        asked->fields[i].res.str = p->values;
        asked->fields[i].res_len = 1;
    }
    return SS_PLUGIN_SUCCESS;
}
